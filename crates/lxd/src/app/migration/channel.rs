//! One websocket of a migration, whichever side opened it: messages, and streams that end with an empty text message.

use std::pin::Pin;

use bytes::Bytes;
use corten_api::error::{Error, Result};
use futures_util::{Sink, SinkExt, Stream, StreamExt};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

/// The half that sends.
pub type Sending = Pin<Box<dyn Sink<Message, Error = SocketError> + Send>>;
/// The half that receives.
pub type Receiving = Pin<Box<dyn Stream<Item = Result<Message, SocketError>> + Send>>;

/// The largest message or document that is taken from another server, in bytes. Documents hold the configuration of an
/// instance with all its snapshots.
pub const LARGEST: usize = 16 << 20;

/// One websocket of a migration.
pub struct Channel {
    sending: Sending,
    receiving: Receiving,
}

impl Channel {
    /// A channel over a websocket that is open.
    pub fn new<S: AsyncRead + AsyncWrite + Unpin + Send + 'static>(socket: WebSocketStream<S>) -> Channel {
        let (sending, receiving) = socket.split();
        Channel { sending: Box::pin(sending), receiving: Box::pin(receiving) }
    }

    /// Both halves, for a stream in each direction.
    pub fn halves(&mut self) -> (&mut Sending, &mut Receiving) {
        (&mut self.sending, &mut self.receiving)
    }

    /// Sends one message.
    ///
    /// # Errors
    /// When the other side is gone.
    pub async fn send(&mut self, message: Vec<u8>) -> Result<()> {
        self.sending.send(Message::Binary(message.into())).await.map_err(|error| gone(&error))
    }

    /// The next message.
    ///
    /// # Errors
    /// When the other side is gone, or says something else.
    pub async fn receive(&mut self) -> Result<Bytes> {
        match next(&mut self.receiving).await? {
            Piece::Data(bytes) => Ok(bytes),
            Piece::End => Err(Error::internal("Only binary messages allowed")),
        }
    }

    /// Sends a document and its end.
    ///
    /// # Errors
    /// When the other side is gone.
    pub async fn send_document(&mut self, text: Vec<u8>) -> Result<()> {
        self.send(text).await?;
        end(&mut self.sending).await
    }

    /// The next document, to its end.
    ///
    /// # Errors
    /// When the other side is gone, or it is larger than [`LARGEST`].
    pub async fn receive_document(&mut self) -> Result<Vec<u8>> {
        let mut document = Vec::new();
        while let Piece::Data(bytes) = next(&mut self.receiving).await? {
            if document.len() + bytes.len() > LARGEST {
                return Err(Error::invalid(format!("The other server sent a document of more than {LARGEST} bytes")));
            }
            document.extend_from_slice(&bytes);
        }
        Ok(document)
    }

    /// Says farewell and closes the connection.
    pub async fn close(&mut self) {
        // Who is gone need not be told.
        let _ = self.sending.send(Message::Close(None)).await;
        let _ = self.sending.close().await;
    }
}

/// What comes in.
pub enum Piece {
    /// Some bytes.
    Data(Bytes),
    /// The stream's end; another may follow.
    End,
}

/// The next piece of a stream.
///
/// # Errors
/// When the other side is gone.
pub async fn next(receiving: &mut Receiving) -> Result<Piece> {
    loop {
        return match receiving.next().await {
            Some(Ok(Message::Binary(bytes))) => Ok(Piece::Data(bytes)),
            Some(Ok(Message::Text(_))) => Ok(Piece::End),
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => continue,
            Some(Ok(Message::Close(_))) | None => {
                Err(Error::unavailable("The other server closed the connection (websocket: close 1000 (normal))"))
            }
            Some(Err(error)) => Err(gone(&error)),
        };
    }
}

/// Says that a stream ends.
///
/// # Errors
/// When the other side is gone.
pub async fn end(sending: &mut Sending) -> Result<()> {
    sending.send(Message::Text(String::new().into())).await.map_err(|error| gone(&error))
}

fn gone(error: &SocketError) -> Error {
    Error::unavailable(format!("The connection to the other server broke: {error}"))
}
