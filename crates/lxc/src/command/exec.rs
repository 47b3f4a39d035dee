//! `lxc exec`: runs a command in an instance as if it ran here, exit status included.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::os::fd::{AsFd, BorrowedFd};
use std::pin::pin;

use corten_api::error::{Context, Error, Result};
use corten_api::instance_exec::InstanceExecPost;
use corten_api::operation::Operation;
use corten_client::exec::{self, Exec};
use corten_client::websocket::WebSocket;
use futures_util::stream::{SplitSink, SplitStream, StreamExt};
use futures_util::{FutureExt, SinkExt};
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::session::Session;
use crate::{signals, terminal};

pub static COMMAND: Command = Command {
    name: "exec",
    usage: "[<remote>:]<instance> [flags] [--] <command line>",
    about: "Execute commands in instances",
    long: "Execute commands in instances\n\nThe command is executed directly using exec, so there is no shell and\nvariables, redirections and the like are not understood. Where a shell is\nneeded, it has to be the command, as in:\n  lxc exec <instance> -- sh -c \"cd /tmp && pwd\"\n\nThe mode is interactive when both standard input and output are terminals.",
    flags: &[
        Flag::texts("env", "Environment variable to set (e.g. HOME=/home/foo)"),
        Flag::text("mode", "Override the terminal mode (auto, interactive or non-interactive)").or("auto"),
        Flag::switch("force-interactive", "Force pseudo-terminal allocation").short('t'),
        Flag::switch("force-noninteractive", "Disable pseudo-terminal allocation").short('T'),
        Flag::switch("disable-stdin", "Disable stdin (reads from /dev/null)").short('n'),
        Flag::uint("user", "0", "User ID to run the command as (default 0)"),
        Flag::uint("group", "0", "Group ID to run the command as (default 0)"),
        Flag::text("cwd", "Directory to run the command in (default /root)"),
    ],
    words: (2, None),
    run: crate::run!(run),
    ..Command::EMPTY
};

/// What a shell says of a program that SIGPIPE has ended: 128 and the signal's number.
const BROKEN_PIPE: u8 = 128 + 13;

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let interactive = is_interactive(arguments)?;
    let resource = session.resource(arguments.word(0)).await?;
    let (stdin_terminal, stdout_terminal) = (std::io::stdin().is_terminal(), std::io::stdout().is_terminal());
    let raw = (interactive && stdin_terminal).then(terminal::Raw::new).transpose()?;
    let (width, height) =
        Some(()).filter(|()| stdout_terminal).and_then(|()| terminal::size(std::io::stdout())).unwrap_or_default();
    let post = InstanceExecPost {
        command: arguments.rest(1).to_vec(),
        wait_for_websocket: true,
        interactive,
        environment: environment(&arguments.texts("env")),
        width: width.into(),
        height: height.into(),
        user: u32::try_from(arguments.int("user", 0)).unwrap_or_default(),
        group: u32::try_from(arguments.int("group", 0)).unwrap_or_default(),
        cwd: arguments.text("cwd").to_owned(),
        ..InstanceExecPost::default()
    };
    let started = exec::start(&resource.server, &resource.name, &post).await?;
    let input = if arguments.is_set("disable-stdin") { mpsc::channel(1).1 } else { terminal::read_stdin(|_| true) };
    let ended = relay(started, input, interactive).await?;
    drop(raw);
    let Some(ended) = ended else {
        session.exit_with(BROKEN_PIPE);
        return Ok(());
    };
    if let Some(status) = exec::exit_status(&ended) {
        // The shell sees the low eight bits, whatever the server says.
        session.exit_with(status.to_le_bytes()[0]);
    }
    corten_client::operation::outcome(ended).map(|_| ())
}

/// Whether the command gets a terminal: by flags, else when we have one ourselves.
fn is_interactive(arguments: &Arguments) -> Result<bool> {
    let (yes, no) = (arguments.is_set("force-interactive"), arguments.is_set("force-noninteractive"));
    let mode = arguments.text_or("mode", "auto");
    if yes && no {
        return Err(Error::invalid("You can't pass -t and -T at the same time"));
    }
    if mode != "auto" && (yes || no) {
        return Err(Error::invalid("You can't pass -t or -T at the same time as --mode"));
    }
    Ok(match mode {
        _ if arguments.is_set("disable-stdin") => false,
        _ if yes || mode == "interactive" => true,
        _ if no || mode == "non-interactive" => false,
        _ => std::io::stdin().is_terminal() && std::io::stdout().is_terminal(),
    })
}

/// `--env KEY=VALUE`, and the kind of terminal that we have.
fn environment(words: &[&str]) -> BTreeMap<String, String> {
    let own = std::env::var("TERM").ok().map(|term| ("TERM".to_owned(), term));
    let pairs = words.iter().map(|word| word.split_once('=').unwrap_or((word, "")));
    own.into_iter().chain(pairs.map(|(key, value)| (key.to_owned(), value.to_owned()))).collect()
}

/// Passes bytes, signals and window sizes on until the command has ended and all its output is written. A command that
/// could not be run has no output to wait for. `None` when nobody reads the output any more.
async fn relay(started: Exec, input: mpsc::Receiver<bytes::Bytes>, interactive: bool) -> Result<Option<Operation>> {
    let Exec { running, input: to, outputs, control } = started;
    // To the server the control socket is the client: a command that has closed its output lives on until it is closed.
    let (mut control, _control_back) = control.map(StreamExt::split).unzip();
    let control = control.as_mut();
    // The other sockets live in here: they are closed when the output has ended, which is what the server waits for.
    let data = async move {
        let (to, back) = to.split();
        let background = async { tokio::join!(exec::send_all(input, to), pass_signals(control, interactive)) };
        tokio::select! {
            shown = show(outputs, back) => shown,
            _ = background => Ok(()),
        }
    };
    let (mut data, mut end) = (pin!(data), pin!(running.end()));
    let (shown, ended) = tokio::select! {
        shown = &mut data => match shown {
            Ok(()) => (shown, end.await?),
            Err(_) => return Ok(None),
        },
        ended = &mut end => {
            let ended = ended?;
            (if ended.err.is_empty() { data.await } else { Ok(()) }, ended)
        }
    };
    Ok(shown.is_ok().then_some(ended))
}

/// Writes what the command prints: on one socket in interactive mode, else on two. Ends early when nobody reads it.
async fn show(outputs: Option<(WebSocket, WebSocket)>, terminal: SplitStream<WebSocket>) -> Result<()> {
    let write = async |socket: SplitStream<WebSocket>, to: BorrowedFd<'_>| {
        let (sender, written) = terminal::write_all(to)?;
        exec::receive_all(socket, sender).await;
        written.await.context("The writing thread has gone")?.context("Failed to write the output")
    };
    let (stdout, stderr) = (std::io::stdout(), std::io::stderr());
    let Some((out, error)) = outputs else { return write(terminal, stdout.as_fd()).await };
    let ((_keep_out, out), (_keep_error, error)) = (out.split(), error.split());
    tokio::try_join!(write(out, stdout.as_fd()), write(error, stderr.as_fd())).map(drop)
}

/// Sends signals and window sizes to the command, for as long as the program runs.
async fn pass_signals(control: Option<&mut SplitSink<WebSocket, Message>>, interactive: bool) {
    let Some(control) = control else { return std::future::pending().await };
    let Ok(mut signals) = signals::Signals::new() else { return std::future::pending().await };
    loop {
        let message = match signals.next().await {
            signals::WINDOW if !interactive => continue,
            signals::WINDOW => match terminal::size(std::io::stdout()) {
                Some((width, height)) => exec::resize(width, height),
                None => continue,
            },
            // Without a terminal there is nothing left that the command could be told of its hang-up.
            signals::HANGUP if std::fs::File::open("/dev/tty").is_err() => exec::signal(signals::TERMINATE),
            number => exec::signal(number),
        };
        if control.send(message).boxed_local().await.is_err() {
            return std::future::pending().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_split_once() {
        let made = environment(&["A=b=c", "EMPTY", "TERM=mine"]);
        assert_eq!(made["A"], "b=c");
        assert_eq!(made["EMPTY"], "");
        assert_eq!(made["TERM"], "mine");
    }
}
