//! Running a command in an instance: one request, then all its websockets opened at once.

use corten_api::error::{Error, Result};
use corten_api::instance_exec::{InstanceExecControl, InstanceExecPost};
use corten_api::operation::Operation;
use corten_api::url;
use futures_util::{SinkExt, StreamExt};
use hyper::Method;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Message;

use crate::operation::Running;
use crate::server::Server;
use crate::websocket::{Incoming, WebSocket, sort};

/// A command that was started, with the sockets of its streams. The server runs it when they are all open.
pub struct Exec {
    /// The operation; its end carries the exit status in `metadata.return`.
    pub running: Running,
    /// Standard input; in interactive mode output too.
    pub input: WebSocket,
    /// Standard output and standard error; none in interactive mode.
    pub outputs: Option<(WebSocket, WebSocket)>,
    /// Signals and window sizes; none when the command had ended before it was connected.
    pub control: Option<WebSocket>,
}

/// Starts a command.
///
/// # Errors
/// When the server refuses it.
pub async fn start(server: &Server, instance: &str, post: &InstanceExecPost) -> Result<Exec> {
    let running = server.start(Method::POST, &url::path(["instances", instance, "exec"]), post, "").await?;
    let open = async |name: &str| server.websocket(&socket_path(running.first(), name)?).await;
    if post.interactive {
        let (input, control) = tokio::join!(open("0"), open("control"));
        return Ok(Exec { running, input: input?, outputs: None, control: control.ok() });
    }
    // The command starts when the first three are there, and may have ended before the last one is.
    let (input, output, error, control) = tokio::join!(open("0"), open("1"), open("2"), open("control"));
    Ok(Exec { running, input: input?, outputs: Some((output?, error?)), control: control.ok() })
}

/// The path of a websocket of an operation, with its secret.
///
/// # Errors
/// When the operation has no socket of that name.
pub fn socket_path(operation: &Operation, name: &str) -> Result<String> {
    let fds = operation.metadata.as_ref().and_then(|metadata| metadata.get("fds"));
    let secret = fds.and_then(|fds| fds.get(name)).and_then(|secret| secret.as_str());
    let secret = secret.ok_or_else(|| {
        Error::internal(format!("Did not receive a file descriptor for the {name} channel from the server"))
    })?;
    Ok(format!("/1.0/operations/{}/websocket?secret={}", operation.id, url::escape_query(secret)))
}

/// The exit status of the command, from its operation's end.
pub fn exit_status(operation: &Operation) -> Option<i64> {
    operation.metadata.as_ref()?.get("return")?.as_i64()
}

/// Sends what comes through a channel, then the mark of its end.
pub async fn send_all(
    mut from: mpsc::Receiver<bytes::Bytes>,
    mut to: futures_util::stream::SplitSink<WebSocket, Message>,
) {
    while let Some(data) = from.recv().await {
        if to.send(Message::Binary(data)).await.is_err() {
            return;
        }
    }
    // An empty text frame says that there is no more; a server that has hung up does not care.
    let _ = to.send(Message::text("")).await;
    // Closing the socket here would end the command's output as well in interactive mode.
    std::future::pending::<()>().await;
}

/// Hands everything that comes to `to`, until the other side has no more.
pub async fn receive_all(mut from: impl futures_util::Stream<Item = Frame> + Unpin, to: mpsc::Sender<bytes::Bytes>) {
    loop {
        let data = match sort(from.next().await) {
            Some(Incoming::Data(data)) => data,
            Some(Incoming::End) => return,
            None => continue,
        };
        if to.send(data).await.is_err() {
            return;
        }
    }
}

/// What a websocket gives.
pub type Frame = std::result::Result<Message, tokio_tungstenite::tungstenite::Error>;

/// The frame that tells the server of a new window size, in characters.
pub fn resize(width: u16, height: u16) -> Message {
    let args = [("width".to_owned(), width.to_string()), ("height".to_owned(), height.to_string())].into();
    control(&InstanceExecControl { command: "window-resize".to_owned(), args, signal: 0 })
}

/// The frame that sends a signal to the command.
pub fn signal(number: i32) -> Message {
    control(&InstanceExecControl { command: "signal".to_owned(), args: Default::default(), signal: i64::from(number) })
}

fn control(what: &InstanceExecControl) -> Message {
    Message::text(serde_json::to_string(what).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_messages_are_the_servers() {
        assert_eq!(
            resize(80, 24).to_string(),
            r#"{"command":"window-resize","args":{"height":"24","width":"80"},"signal":0}"#
        );
        assert_eq!(signal(15).to_string(), r#"{"command":"signal","args":{},"signal":15}"#);
    }

    #[test]
    fn sockets_are_found_by_their_secrets() {
        let operation: Operation =
            serde_json::from_str(r#"{"id":"i","metadata":{"fds":{"0":"s0"},"return":127}}"#).unwrap();
        assert_eq!(socket_path(&operation, "0").unwrap(), "/1.0/operations/i/websocket?secret=s0");
        assert!(socket_path(&operation, "1").is_err());
        assert_eq!(exit_status(&operation), Some(127));
    }
}
