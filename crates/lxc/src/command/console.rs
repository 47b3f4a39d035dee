//! `lxc console`: the console of an instance on this terminal, left with ctrl+a q.

use corten_api::error::{Error, Result};
use corten_api::instance_console::InstanceConsolePost;
use corten_client::console::{self, Console};
use corten_client::exec;
use corten_client::server::Server;
use futures_util::{SinkExt, StreamExt};
use tokio::signal::unix::{SignalKind, signal};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::session::Session;
use crate::{printer, terminal};

pub static COMMAND: Command = Command {
    name: "console",
    usage: "[<remote>:]<instance>",
    about: "Attach to instance consoles",
    long: "Attach to instance consoles\n\nShows the boot console of an instance and takes what is typed on it;\nalso shows what the console has printed so far.",
    flags: &[
        Flag::switch("show-log", "Retrieve the instance's console log"),
        Flag::text(
            "type",
            "Type of connection to establish: 'console' for serial console, 'vga' for SPICE graphical output",
        )
        .short('t')
        .or("console"),
    ],
    words: (1, Some(1)),
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let kind = arguments.text_or("type", "console");
    if !matches!(kind, "console" | "vga") {
        return Err(Error::invalid(format!("Unknown output type {kind:?}")));
    }
    let resource = session.resource(arguments.word(0)).await?;
    if !arguments.is_set("show-log") {
        return attach(session, &resource.server, &resource.name, kind).await;
    }
    if kind != "console" {
        return Err(Error::invalid("The --show-log flag is only supported for by 'console' output type"));
    }
    let log = console::log(&resource.server, &resource.name).await?;
    printer::print_bytes(&[b"\nConsole log:\n\n", log.as_slice(), b"\n"].concat());
    Ok(())
}

/// Attaches to a console until the user leaves it or it ends.
///
/// # Errors
/// When there is no terminal here, or the server refuses.
pub async fn attach(session: &Session, server: &Server, name: &str, kind: &str) -> Result<()> {
    match kind {
        "console" => text_console(server, name).await,
        "vga" => super::console_vga::attach(session, server, name).await,
        _ => Err(Error::invalid(format!("Unknown console type {kind:?}"))),
    }
}

async fn text_console(server: &Server, name: &str) -> Result<()> {
    let raw = terminal::Raw::new()?;
    let (width, height) = terminal::size(std::io::stdin()).unwrap_or_default();
    let post =
        InstanceConsolePost { width: width.into(), height: height.into(), r#type: "console".to_owned(), force: false };
    printer::print("To detach from the console, press: <ctrl>+a q\n\r");
    let Console { running, terminal: socket, control } = console::attach(server, name, &post).await?;
    let (leave, left) = tokio::sync::oneshot::channel();
    let (mut escape, mut leave) = (Escape::default(), Some(leave));
    let input = terminal::read_stdin(move |piece| {
        if escape.passes(piece) {
            return true;
        }
        leave.take().map(|leave| leave.send(()));
        false
    });
    let (to, from) = socket.split();
    let (mut control, mut control_back) = control.split();
    let show = async {
        let (sender, written) = terminal::write_all(std::io::stdout())?;
        exec::receive_all(from, sender).await;
        let _ = written.await;
        running.end().await
    };
    let resize = async {
        let Ok(mut changes) = signal(SignalKind::window_change()) else { return };
        while changes.recv().await.is_some() {
            let Some((width, height)) = terminal::size(std::io::stdout()) else { continue };
            if control.send(exec::resize(width, height)).await.is_err() {
                break;
            }
        }
        std::future::pending::<()>().await;
    };
    // The server may close the control socket first; reading it is what notices that.
    let watch = async { while control_back.next().await.is_some_and(|frame| frame.is_ok()) {} };
    let ended = tokio::select! {
        // First, since the end of what is typed must not be told to the server when the user leaves.
        biased;
        Ok(()) = left => None,
        ended = show => Some(ended),
        () = exec::send_all(input, to) => None,
        () = resize => None,
    };
    if ended.is_none() {
        let frame = CloseFrame { code: CloseCode::Normal, reason: "Detaching from console".into() };
        let _ = control.send(Message::Close(Some(frame))).await;
        // The server lets the next one attach when it has seen this; how its side ends is no concern of who has left.
        tokio::select! { _ = running.end() => {}, () = watch => {} }
    }
    drop(raw);
    ended.map_or(Ok(()), |ended| corten_client::operation::outcome(ended?).map(drop))
}

/// Finds ctrl+a q in what is typed, also when the two keys come apart.
#[derive(Default)]
struct Escape {
    armed: bool,
}

impl Escape {
    /// Takes the keys of the escape out of `piece`; false once the user wants to leave. Ctrl+a with another key after
    /// it passes that key on.
    fn passes(&mut self, piece: &mut Vec<u8>) -> bool {
        let mut kept = Vec::with_capacity(piece.len());
        let mut leave = false;
        for byte in piece.drain(..) {
            match byte {
                0x01 if !self.armed => self.armed = true,
                b'q' if self.armed => {
                    leave = true;
                    break;
                }
                other => {
                    self.armed = false;
                    kept.push(other);
                }
            }
        }
        *piece = kept;
        !leave
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_escape_is_found_and_everything_else_passes() {
        for (pieces, passed, stays) in [
            (&[b"ls\n".as_slice()][..], b"ls\n".as_slice(), true),
            (&[b"\x01q"], b"", false),
            (&[b"a\x01", b"q"], b"a", false),
            (&[b"\x01x", b"q"], b"xq", true),
            (&[b"\x01\x01q"], b"\x01q", true),
        ] {
            let (mut escape, mut all, mut on) = (Escape::default(), Vec::new(), true);
            for piece in pieces {
                let mut piece = piece.to_vec();
                on = on && escape.passes(&mut piece);
                all.extend(piece);
            }
            assert_eq!((all.as_slice(), on), (passed, stays), "{pieces:?}");
        }
    }
}
