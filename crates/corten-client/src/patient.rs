//! A stream on which what can no longer be sent does not hide what has been answered.
//!
//! A server that refuses an upload answers from its head and hangs up. Whoever is still sending then fails to write, and
//! would report that instead of the answer, which lies in the socket to be read: in that of Unix after the other end is
//! closed, unix(7), and in that of TCP after a reset, as Linux keeps what had arrived before it.

use std::io::{Error, ErrorKind, Result};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Passes everything on; what an end that hung up no longer takes counts as sent, and reading tells what it said, if
/// anything.
pub struct Patient<S>(pub S);

impl<S: Unpin> Patient<S> {
    fn inner(self: Pin<&mut Self>) -> Pin<&mut S> {
        Pin::new(&mut self.get_mut().0)
    }
}

fn hung_up(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted)
}

fn unless_hung_up<T>(done: Poll<Result<T>>, instead: T) -> Poll<Result<T>> {
    match done {
        Poll::Ready(Err(error)) if hung_up(&error) => Poll::Ready(Ok(instead)),
        other => other,
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Patient<S> {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<Result<()>> {
        self.inner().poll_read(cx, to)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Patient<S> {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<Result<usize>> {
        unless_hung_up(self.inner().poll_write(cx, from), from.len())
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        unless_hung_up(self.inner().poll_flush(cx), ())
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<()>> {
        self.inner().poll_shutdown(cx)
    }
}
