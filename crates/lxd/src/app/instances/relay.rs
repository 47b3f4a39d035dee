//! Bytes between websockets and descriptors, without a thread for each: the daemon's only asynchronous code above the
//! sockets.
//!
//! Data go in binary frames; an empty text frame is the end of the stream, in both directions.

use std::io;
use std::os::fd::OwnedFd;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt, StreamExt};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;
use tokio_tungstenite::tungstenite::Message;

use crate::rest::websocket::Socket;

/// The half of a websocket that sends.
pub type Sink = SplitSink<Socket, Message>;
/// The half of a websocket that receives.
pub type Stream = SplitStream<Socket>;

/// The largest frame, in bytes: as many as LXD's.
const FRAME: usize = 128 * 1024;

/// Has the runtime of the sockets wait for a descriptor.
///
/// # Errors
/// When it cannot be waited for: a regular file, say.
#[expect(deprecated, reason = "what could close the descriptor early is another AsRawFd than OwnedFd")]
pub fn wait_for(fd: OwnedFd, interest: Interest) -> io::Result<AsyncFd<OwnedFd>> {
    AsyncFd::with_interest(fd, interest)
}

/// A descriptor that the runtime of the sockets waits for.
pub struct Pipe(AsyncFd<OwnedFd>);

impl Pipe {
    /// Takes a pipe, socket or terminal over.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn new(fd: OwnedFd) -> io::Result<Pipe> {
        let flags = fcntl_getfl(&fd)?;
        fcntl_setfl(&fd, flags | OFlags::NONBLOCK)?;
        wait_for(fd, Interest::READABLE | Interest::WRITABLE).map(Pipe)
    }

    /// The descriptor.
    pub fn get(&self) -> &OwnedFd {
        self.0.get_ref()
    }

    /// Reads what is there, waiting for the first byte; nothing is the end. A terminal whose other side is gone says
    /// `EIO`, which is its end too.
    ///
    /// # Errors
    /// What the kernel says.
    pub async fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        let read =
            |fd: &AsyncFd<OwnedFd>, buffer: &mut [u8]| rustix::io::read(fd.get_ref(), buffer).map_err(Into::into);
        loop {
            let mut ready = self.0.readable().await?;
            match ready.try_io(|fd| read(fd, buffer)) {
                Ok(Err(error)) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => return Ok(0),
                Ok(outcome) => return outcome,
                Err(_) => {}
            }
        }
    }

    /// Writes everything.
    ///
    /// # Errors
    /// What the kernel says; `EPIPE` when nobody reads any more.
    pub async fn write_all(&self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let mut ready = self.0.writable().await?;
            if let Ok(written) = ready.try_io(|fd| rustix::io::write(fd.get_ref(), bytes).map_err(Into::into)) {
                bytes = &bytes[written?..];
            }
        }
        Ok(())
    }
}

/// Sends what comes out of `pipe` until its end, then says so. Gives the sink back.
pub async fn pipe_to_socket(pipe: &Pipe, mut sink: Sink) -> Sink {
    let mut buffer = vec![0; FRAME];
    loop {
        let read = pipe.read(&mut buffer).await.unwrap_or(0);
        if read == 0 {
            break;
        }
        if sink.send(Message::Binary(Bytes::copy_from_slice(&buffer[..read]))).await.is_err() {
            // The client is gone; the process is not to be held up by that.
            drain(pipe, &mut buffer).await;
            break;
        }
    }
    end(&mut sink).await;
    sink
}

/// Sends what a terminal shows until the command has ended, and then what is still there: programs that it left behind
/// may keep the terminal open for ever. Gives the command's outcome and the sink back.
pub async fn terminal_to_socket<T>(pipe: &Pipe, mut sink: Sink, ended: impl Future<Output = T>) -> (T, Sink) {
    let mut buffer = vec![0; FRAME];
    let mut ended = std::pin::pin!(ended);
    let outcome = loop {
        let read = tokio::select! {
            biased;
            read = pipe.read(&mut buffer) => read.unwrap_or(0),
            outcome = &mut ended => break outcome,
        };
        if read == 0 {
            break ended.await;
        }
        if sink.send(Message::Binary(Bytes::copy_from_slice(&buffer[..read]))).await.is_err() {
            tokio::select! {
                () = drain(pipe, &mut buffer) => {}
                outcome = &mut ended => return (outcome, sink),
            }
        }
    };
    while let Ok(read @ 1..) = rustix::io::read(pipe.get(), &mut buffer) {
        if sink.send(Message::Binary(Bytes::copy_from_slice(&buffer[..read]))).await.is_err() {
            break;
        }
    }
    end(&mut sink).await;
    (outcome, sink)
}

/// Tells the client that no more comes.
pub async fn end(sink: &mut Sink) {
    // Whoever is gone need not be told.
    let _ = sink.send(Message::Text(String::new().into())).await;
}

/// Closes a websocket in an orderly way.
pub async fn close(sink: &mut Sink) {
    let _ = sink.send(Message::Close(None)).await;
    let _ = sink.close().await;
}

async fn drain(pipe: &Pipe, buffer: &mut [u8]) {
    while pipe.read(buffer).await.is_ok_and(|read| read > 0) {}
}

/// Writes what comes in by `stream` into `pipe` until the client's end of the stream, or its going.
/// Gives whether it was the end of the stream, and the stream back.
pub async fn socket_to_pipe(mut stream: Stream, pipe: &Pipe) -> (bool, Stream) {
    while let Some(Ok(message)) = stream.next().await {
        let bytes = match message {
            Message::Binary(bytes) => bytes,
            Message::Text(text) if text.is_empty() => return (true, stream),
            Message::Text(text) => Bytes::from(text),
            Message::Close(_) => return (false, stream),
            Message::Ping(_) | Message::Pong(_) | Message::Frame(_) => continue,
        };
        if pipe.write_all(&bytes).await.is_err() {
            // Nobody reads any more: take what comes, so that the client can end in its own time.
            while let Some(Ok(message)) = stream.next().await {
                if matches!(&message, Message::Text(text) if text.is_empty()) || message.is_close() {
                    break;
                }
            }
            return (true, stream);
        }
    }
    (false, stream)
}
