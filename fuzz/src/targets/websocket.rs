//! Frames on a websocket as the daemon takes them.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// A connection from which come the bytes of the fuzzer, and to which goes nothing.
struct Wire<'a>(&'a [u8]);

impl AsyncRead for Wire<'_> {
    fn poll_read(mut self: Pin<&mut Self>, _: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        let count = self.0.len().min(buffer.remaining()).min(1000);
        let (now, later) = self.0.split_at(count);
        buffer.put_slice(now);
        self.0 = later;
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire<'_> {
    fn poll_write(self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<std::io::Result<usize>> {
        Poll::Ready(Ok(bytes.len()))
    }
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

pub fn run(data: &[u8]) {
    let config = WebSocketConfig::default()
        .read_buffer_size(128 * 1024)
        .write_buffer_size(0)
        .max_message_size(Some(64 << 20))
        .max_frame_size(Some(16 << 20));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        use futures_util::StreamExt;
        let role = if data.first().is_some_and(|byte| byte & 1 == 1) { Role::Client } else { Role::Server };
        let wire = Wire(data.get(1..).unwrap_or_default());
        let mut socket = tokio_tungstenite::WebSocketStream::from_raw_socket(wire, role, Some(config)).await;
        while let Some(Ok(message)) = socket.next().await {
            // The reason of a farewell that breaks the rules is the library's own.
            assert!(message.is_close() || message.len() <= data.len());
        }
    });
}
