//! The client's end of a websocket, as far as tests need one (RFC 6455).

use crate::daemon::{Connection, Daemon};
use serde_json::Value;
use std::io::Read;
use std::time::Duration;

/// A websocket that has been opened.
pub struct Listener(Connection);

/// Opens one.
pub fn open(daemon: &Daemon, path: &str) -> Listener {
    let mut connection = daemon.connect();
    let headers = [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    let answer = connection.ask("GET", path, "", &headers);
    assert_eq!(answer.status, 101, "{}", answer.text());
    // The example of RFC 6455, 1.3.
    assert_eq!(answer.header("sec-websocket-accept"), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    connection.0.get_ref().set_read_timeout(Some(Duration::from_secs(10))).expect("a timeout");
    Listener(connection)
}

impl Listener {
    /// The next event; pings are passed over.
    pub fn event(&mut self) -> Value {
        loop {
            let (kind, payload) = self.frame();
            if kind == 1 {
                return serde_json::from_slice(&payload).expect("JSON");
            }
        }
    }

    fn frame(&mut self) -> (u8, Vec<u8>) {
        let mut read = |count: usize| {
            let mut bytes = vec![0; count];
            self.0.0.read_exact(&mut bytes).expect("a frame");
            bytes
        };
        let head = read(2);
        let length = match head[1] {
            126 => usize::from(u16::from_be_bytes(read(2).try_into().expect("two bytes"))),
            127 => usize::try_from(u64::from_be_bytes(read(8).try_into().expect("eight bytes"))).expect("a length"),
            short => usize::from(short),
        };
        (head[0] & 15, read(length))
    }
}
