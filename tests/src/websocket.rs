//! A websocket of an operation, spoken to without a client between.

use std::os::unix::net::UnixStream;
use std::time::Duration;

use tungstenite::{Error, Message, WebSocket};

use crate::Daemon;

/// A connected websocket, and what has come over it so far.
pub struct Websocket {
    socket: WebSocket<UnixStream>,
    seen: String,
}

impl Daemon {
    /// Connects to the websocket of an operation that has this secret.
    ///
    /// # Panics
    /// When the daemon refuses it.
    #[track_caller]
    pub fn websocket(&self, operation: &str, secret: &str) -> Websocket {
        let stream = UnixStream::connect(self.dir.join("unix.socket")).expect("the daemon listens");
        stream.set_read_timeout(Some(Duration::from_secs(90))).expect("a socket");
        let url = format!("ws://lxd{operation}/websocket?secret={secret}");
        let (socket, _) = tungstenite::client(url, stream).expect("the daemon has this websocket");
        Websocket { socket, seen: String::new() }
    }
}

impl Websocket {
    /// Sends these bytes.
    ///
    /// # Panics
    /// When it is closed.
    #[track_caller]
    pub fn send(&mut self, text: &str) {
        self.socket.send(Message::binary(text.as_bytes().to_vec())).expect("it is open");
    }

    /// Waits until `text` has come, and forgets all up to its end.
    ///
    /// # Panics
    /// When it does not within 90 seconds, or the websocket is closed before.
    #[track_caller]
    pub fn until(&mut self, text: &str) {
        while !self.seen.contains(text) {
            let more = self.receive().unwrap_or_else(|| panic!("{text:?} did not come, but:\n{}", self.seen));
            self.seen.push_str(&more);
        }
        let end = self.seen.find(text).expect("it came") + text.len();
        self.seen.drain(..end);
    }

    /// Reads until the other side closes it.
    ///
    /// # Panics
    /// When that does not happen within 90 seconds of silence.
    #[track_caller]
    pub fn until_closed(&mut self) {
        while self.receive().is_some() {}
    }

    #[track_caller]
    fn receive(&mut self) -> Option<String> {
        match self.socket.read() {
            Ok(Message::Close(_)) | Err(Error::ConnectionClosed | Error::AlreadyClosed | Error::Protocol(_)) => None,
            Ok(message) => Some(String::from_utf8_lossy(&message.into_data()).into_owned()),
            Err(error) => panic!("the websocket: {error}; so far:\n{}", self.seen),
        }
    }
}
