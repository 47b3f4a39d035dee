//! Bodies of requests: bytes at hand, or a stream read while it is sent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, SizeHint};
use tokio::sync::mpsc;

/// The body of a request.
pub enum Body {
    /// All at hand.
    Bytes(Bytes),
    /// Pieces that arrive through a channel; the length in bytes, if it is known, becomes `Content-Length`.
    Pieces {
        /// The pieces, in order; a failure ends the request.
        from: mpsc::Receiver<io::Result<Bytes>>,
        /// All bytes to come.
        length: Option<u64>,
        /// Bytes passed on so far.
        sent: u64,
    },
}

impl Body {
    /// No body.
    pub fn empty() -> Body {
        Body::Bytes(Bytes::new())
    }

    /// Reads `from` on a thread of its own and sends what it gives; `watch` hears the number of bytes passed so far.
    pub fn reader(
        mut from: impl io::Read + Send + 'static,
        length: Option<u64>,
        mut watch: impl FnMut(u64) + Send + 'static,
    ) -> Body {
        let (to, pieces) = mpsc::channel(4);
        std::thread::spawn(move || {
            let mut total = 0;
            let mut buffer = vec![0; 256 * 1024];
            loop {
                let piece = match from.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(count) => Ok(Bytes::copy_from_slice(&buffer[..count])),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                total += piece.as_ref().map_or(0, |bytes| bytes.len() as u64);
                let failed = piece.is_err();
                // A closed channel means that the server has answered already, or is gone.
                if to.blocking_send(piece).is_err() || failed {
                    return;
                }
                watch(total);
            }
        });
        Body::Pieces { from: pieces, length, sent: 0 }
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Body {
        Body::Bytes(bytes.into())
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Body::Bytes(bytes) if bytes.is_empty() => Poll::Ready(None),
            Body::Bytes(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Body::Pieces { from, sent, .. } => from.poll_recv(cx).map(|piece| {
                piece.map(|piece| {
                    piece.map(|bytes| {
                        *sent += bytes.len() as u64;
                        Frame::data(bytes)
                    })
                })
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Body::Bytes(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Body::Bytes(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Body::Pieces { length: Some(length), sent, .. } => SizeHint::with_exact(length.saturating_sub(*sent)),
            Body::Pieces { length: None, .. } => SizeHint::default(),
        }
    }
}
