//! Bodies: what a request brings, and how an answer's bytes reach the socket.

use bytes::{Buf, Bytes};
use http_body_util::BodyExt;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use std::convert::Infallible;
use std::io::{self, Read};
use std::pin::Pin;
use std::task::{Context, Poll};
use tokio::runtime::Handle;
use tokio::sync::mpsc;

/// Bodies of a known length up to this many bytes are read before the handler gets its thread.
pub const READ_AHEAD: u64 = 1 << 20;

/// What a request brought.
pub enum Asked {
    /// Nothing (or it was taken already).
    None,
    /// All of it, read ahead.
    Whole(Bytes),
    /// It is still coming.
    Coming(Incoming),
}

impl Asked {
    /// Reads a body of modest size ahead, so that a slow client holds no thread; leaves others for streaming.
    ///
    /// # Errors
    /// What broke the connection.
    pub async fn ahead(body: Incoming) -> Result<Asked, hyper::Error> {
        if body.is_end_stream() {
            return Ok(Asked::None);
        }
        match body.size_hint().exact() {
            Some(size) if size <= READ_AHEAD => Ok(Asked::Whole(body.collect().await?.to_bytes())),
            _ => Ok(Asked::Coming(body)),
        }
    }
}

/// A request's body as blocking code reads it.
pub struct Reader {
    current: Bytes,
    coming: Option<(Incoming, Handle)>,
}

impl Reader {
    /// Reads from `asked`; to be called on a thread of the runtime or one that has entered it.
    pub fn new(asked: Asked) -> Reader {
        match asked {
            Asked::None => Reader { current: Bytes::new(), coming: None },
            Asked::Whole(bytes) => Reader { current: bytes, coming: None },
            Asked::Coming(body) => Reader { current: Bytes::new(), coming: Some((body, Handle::current())) },
        }
    }
}

impl Read for Reader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            let Some((body, runtime)) = &mut self.coming else { return Ok(0) };
            match runtime.block_on(body.frame()) {
                None => self.coming = None,
                Some(frame) => {
                    self.current = frame.map_err(io::Error::other)?.into_data().unwrap_or_default();
                }
            }
        }
        let count = into.len().min(self.current.len());
        self.current.copy_to_slice(&mut into[..count]);
        Ok(count)
    }
}

/// An answer's body.
pub enum Answer {
    /// All of it.
    Whole(Bytes),
    /// What a thread reads from a file or makes.
    Stream {
        /// Chunks, as the thread gets them.
        chunks: mpsc::Receiver<io::Result<Bytes>>,
        /// How many bytes are still to come, where that is known.
        left: Option<u64>,
    },
}

/// How much is read at once from the source of a stream.
const CHUNK: usize = 128 * 1024;

impl Answer {
    /// Streams `source`, which a thread of its own reads; it ends when the source does, or the client is gone.
    pub fn stream(mut source: Box<dyn Read + Send>, length: Option<u64>) -> Answer {
        let (sender, chunks) = mpsc::channel(4);
        tokio::task::spawn_blocking(move || {
            loop {
                let mut chunk = vec![0; CHUNK];
                let read = match source.read(&mut chunk) {
                    Ok(0) => return,
                    Ok(count) => {
                        chunk.truncate(count);
                        Ok(Bytes::from(chunk))
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let failed = read.is_err();
                if sender.blocking_send(read).is_err() || failed {
                    return;
                }
            }
        });
        Answer::Stream { chunks, left: length }
    }
}

impl Body for Answer {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Answer::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Answer::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(std::mem::take(bytes))))),
            Answer::Stream { chunks, left } => chunks.poll_recv(context).map(|chunk| match chunk {
                // A source that ends early would leave the client waiting on a connection kept alive.
                None if left.is_some_and(|left| left > 0) => Some(Err(io::ErrorKind::UnexpectedEof.into())),
                None => None,
                Some(chunk) => Some(chunk.map(|chunk| {
                    *left = left.map(|left| left.saturating_sub(chunk.len() as u64));
                    Frame::data(chunk)
                })),
            }),
        }
    }

    fn is_end_stream(&self) -> bool {
        matches!(self, Answer::Whole(bytes) if bytes.is_empty())
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Answer::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Answer::Stream { left: Some(left), .. } => SizeHint::with_exact(*left),
            Answer::Stream { .. } => SizeHint::default(),
        }
    }
}

impl From<Vec<u8>> for Answer {
    fn from(bytes: Vec<u8>) -> Answer {
        Answer::Whole(bytes.into())
    }
}

/// What the service of a connection never fails with.
pub type Never = Infallible;
