//! What is logged goes to standard error, a file, and whoever listens to `/1.0/events`.

use crate::rest::events::{Events, Kind};
use corten_api::error::{Context as _, Result};
use corten_api::event::EventLogging;
use corten_api::time::Time;
use std::collections::BTreeMap;
use std::fmt::{Debug, Write as _};
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::sync::Arc;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// The one layer that all messages pass.
struct Log {
    file: Option<File>,
    syslog: Option<UnixDatagram>,
    events: Arc<Events>,
}

/// Starts to log. Without `verbose` or `debug` only warnings and errors are.
///
/// # Errors
/// When the file cannot be written.
pub fn start(verbose: bool, debug: bool, syslog: bool, file: Option<&Path>, events: Arc<Events>) -> Result<()> {
    let file = match file {
        Some(path) => {
            let opened = OpenOptions::new().create(true).append(true).open(path);
            Some(opened.with_context(|| format!("Failed to open the log file {}", path.display()))?)
        }
        None => None,
    };
    let syslog = match syslog {
        true => {
            let socket = UnixDatagram::unbound().context("Failed to reach syslog")?;
            socket.connect("/dev/log").context("Failed to reach syslog at /dev/log")?;
            Some(socket)
        }
        false => None,
    };
    let level = match (verbose, debug) {
        (_, true) => LevelFilter::DEBUG,
        (true, false) => LevelFilter::INFO,
        (false, false) => LevelFilter::WARN,
    };
    // Libraries below are heard only when something is wrong.
    let targets = tracing_subscriber::filter::Targets::new()
        .with_default(LevelFilter::ERROR)
        .with_targets(["lxd", "corten"].map(|name| (name, level)));
    let log = tracing_subscriber::registry().with(Log { file, syslog, events }.with_filter(targets));
    tracing::subscriber::set_global_default(log).context("Failed to start logging")
}

#[derive(Default)]
struct Fields {
    message: String,
    context: BTreeMap<String, String>,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let text = format!("{value:?}");
        self.put(field, text);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.put(field, value.to_string());
    }
}

impl Fields {
    fn put(&mut self, field: &Field, text: String) {
        match field.name() {
            "message" => self.message = text,
            name => drop(self.context.insert(name.to_string(), text)),
        }
    }
}

/// LXD's word for a level.
fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "error",
        Level::WARN => "warning",
        Level::INFO => "info",
        Level::DEBUG => "debug",
        Level::TRACE => "trace",
    }
}

/// The severity of RFC 3164 for one of LXD's levels.
fn severity(level: &str) -> u8 {
    match level {
        "error" => 3,
        "warning" => 4,
        "info" => 6,
        _ => 7,
    }
}

/// One line as LXD's log has it.
fn line(time: &str, level: &str, fields: &Fields) -> String {
    let mut line = format!("time={time:?} level={level} msg={:?}", fields.message);
    for (key, value) in &fields.context {
        let plain = !value.is_empty() && !value.contains([' ', '"', '=', '\n']);
        let _ = if plain { write!(line, " {key}={value}") } else { write!(line, " {key}={value:?}") };
    }
    line.push('\n');
    line
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let level = level_name(*event.metadata().level());
        let text = line(&Time::now().to_string(), level, &fields);
        // Where a log cannot be written there is no one left to tell.
        let _ = std::io::stderr().write_all(text.as_bytes());
        if let Some(mut file) = self.file.as_ref() {
            let _ = file.write_all(text.as_bytes());
        }
        if let Some(syslog) = &self.syslog {
            // Facility daemon (3) and the severity, by RFC 3164.
            let _ = syslog.send(format!("<{}>lxd: {text}", 3 * 8 + severity(level)).as_bytes());
        }
        if self.events.is_wanted(Kind::Logging) {
            let Fields { message, context } = fields;
            self.events.logging(&EventLogging { message, level: level.to_string(), context });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_logfmt() {
        let context = [("a".to_string(), "1".to_string()), ("b".to_string(), "x y".to_string())].into();
        let fields = Fields { message: "it \"works\"".to_string(), context };
        let wanted = "time=\"T\" level=info msg=\"it \\\"works\\\"\" a=1 b=\"x y\"\n";
        assert_eq!(line("T", "info", &fields), wanted);
    }
}
