//! One line on the terminal that tells how far something is, and is wiped at its end.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use corten_api::error::{Error, Result};
use corten_api::operation::Operation;
use corten_client::operation::Running;
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};

use crate::{byte_size, printer};

/// The line. It shows nothing when standard output is no terminal or `--quiet` was given.
pub struct Progress {
    format: String,
    quiet: bool,
    terminal: bool,
    longest: usize,
    done: bool,
}

impl Progress {
    /// A line of the form `format`, in which `%s` stands for what is reported; `""` means that alone.
    pub fn new(format: impl Into<String>, quiet: bool) -> Progress {
        Progress { format: format.into(), quiet, terminal: std::io::stdout().is_terminal(), longest: 0, done: false }
    }

    /// Whether anybody would see the line.
    pub fn is_seen(&self) -> bool {
        self.terminal && !self.quiet
    }

    /// Shows a new state.
    pub fn update(&mut self, state: &str) {
        if !self.is_seen() || self.done {
            return;
        }
        let text = if self.format.is_empty() { state.to_owned() } else { self.format.replace("%s", state) };
        self.show(&text);
    }

    /// Shows what an operation reports of itself.
    pub fn update_operation(&mut self, operation: &Operation) {
        if let Some(state) = operation.metadata.as_ref().and_then(reported) {
            self.update(state);
        }
    }

    /// Shows a warning in place of the state.
    pub fn warn(&mut self, text: &str) {
        if self.terminal {
            self.show(text);
        } else {
            printer::warn_line(text);
        }
    }

    fn show(&mut self, text: &str) {
        // A line that does not fit would scroll the screen with every update.
        let text = if text.len() > width() { "" } else { text };
        if text.is_empty() && self.longest == 0 {
            return;
        }
        let wipe = if text.len() < self.longest { format!("\r{}", " ".repeat(self.longest)) } else { String::new() };
        self.longest = self.longest.max(text.len());
        printer::print(&format!("{wipe}\r{text}"));
    }

    /// Wipes the line and prints a last one, unless that is empty.
    pub fn done(&mut self, text: &str) {
        if std::mem::replace(&mut self.done, true) {
            return;
        }
        let wipe = if self.longest > 0 { format!("\r{}\r", " ".repeat(self.longest)) } else { String::new() };
        let last = if text.is_empty() || self.quiet { String::new() } else { format!("{text}\n") };
        if !wipe.is_empty() || !last.is_empty() {
            printer::print(&format!("{wipe}{last}"));
        }
    }
}

/// The terminal's width in columns.
fn width() -> usize {
    rustix::termios::tcgetwinsize(std::io::stdout()).map_or(usize::MAX, |size| usize::from(size.ws_col))
}

/// The text that an operation's metadata have under a key ending in `_progress`.
fn reported(metadata: &BTreeMap<String, Value>) -> Option<&str> {
    metadata.iter().find(|(key, _)| key.ends_with("_progress")).and_then(|(_, value)| value.as_str())
}

/// Waits for an operation and shows its progress; ctrl+c cancels it, and three times gives up waiting.
///
/// # Errors
/// What the operation failed with, or that the user stopped it.
pub async fn wait(running: &Running, progress: &mut Progress) -> Result<Operation> {
    let outcome = wait_cancelable(running, progress).await;
    if outcome.is_err() {
        progress.done("");
    }
    outcome
}

async fn wait_cancelable(running: &Running, progress: &mut Progress) -> Result<Operation> {
    if running.first().status_code.is_final() {
        return running.wait().await;
    }
    let mut interrupts = signal(SignalKind::interrupt())
        .map_err(|error| Error::internal(format!("Failed to listen for ctrl+c: {error}")))?;
    let seen = progress.is_seen();
    let (report, mut reports) = tokio::sync::mpsc::unbounded_channel::<Operation>();
    let waiting = async {
        if seen {
            running.wait_watching(|operation| drop(report.send(operation.clone()))).await
        } else {
            // Nobody looks at the steps: one request is enough.
            running.wait().await
        }
    };
    let mut waiting = std::pin::pin!(waiting);
    let mut times = 0;
    loop {
        tokio::select! {
            outcome = &mut waiting => return outcome,
            Some(operation) = reports.recv() => progress.update_operation(&operation),
            _ = interrupts.recv() => match running.cancel().await {
                Ok(()) => return Err(Error::invalid("Remote operation canceled by user")),
                Err(_) if times == 2 => {
                    let text = "User signaled us three times, exiting. The remote operation will keep running";
                    return Err(Error::invalid(text));
                }
                Err(error) => {
                    times += 1;
                    progress.warn(&format!("{error} (interrupt two more times to force)"));
                }
            },
        }
    }
}

/// A progress line for bytes on their way, told from whichever thread moves them.
#[derive(Clone)]
pub struct Transfer {
    line: Arc<Mutex<Progress>>,
    started: Instant,
    shown: Arc<Mutex<Instant>>,
}

/// How often a transfer is shown.
const PACE: Duration = Duration::from_millis(100);

impl Transfer {
    /// A line of this form; see [`Progress::new`].
    pub fn new(format: impl Into<String>, quiet: bool) -> Transfer {
        let now = Instant::now();
        let line = Arc::new(Mutex::new(Progress::new(format, quiet)));
        Transfer { line, started: now, shown: Arc::new(Mutex::new(now)) }
    }

    /// What to call with bytes had and bytes expected (0 when nobody knows).
    pub fn watcher(&self) -> impl FnMut(u64, u64) + Send + 'static {
        let watched = self.clone();
        move |had, expected| watched.show(had, expected)
    }

    fn show(&self, had: u64, expected: u64) {
        let (Ok(mut line), Ok(mut shown)) = (self.line.lock(), self.shown.lock()) else { return };
        if !line.is_seen() || shown.elapsed() < PACE {
            return;
        }
        *shown = Instant::now();
        line.update(&amount(had, expected, self.started.elapsed()));
    }

    /// Wipes the line and prints a last one, unless that is empty.
    pub fn done(&self, text: &str) {
        if let Ok(mut line) = self.line.lock() {
            line.done(text);
        }
    }
}

/// `45% (1.20MB/s)`, or `3.00MB (1.20MB/s)` when nobody knows how much there will be.
fn amount(had: u64, expected: u64, after: Duration) -> String {
    let milliseconds = u64::try_from(after.as_millis()).unwrap_or(u64::MAX).max(1);
    let speed = had.saturating_mul(1000) / milliseconds;
    let bytes = |count: u64| byte_size::decimal(i64::try_from(count).unwrap_or(i64::MAX));
    match (had * 100).checked_div(expected) {
        Some(percent) => format!("{percent}% ({}/s)", bytes(speed)),
        None => format!("{} ({}/s)", bytes(had), bytes(speed)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transfers_are_told_as_lxd_tells_them() {
        assert_eq!(amount(500_000, 1_000_000, Duration::from_secs(1)), "50% (500.00kB/s)");
        assert_eq!(amount(3_000_000, 0, Duration::from_secs(2)), "3.00MB (1.50MB/s)");
        assert_eq!(amount(0, 0, Duration::ZERO), "0B (0B/s)");
    }
}
