//! Websockets of a server, over the same kinds of stream as its other requests.

use corten_api::envelope::Envelope;
use corten_api::error::{Error, Kind, Result};
use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error as SocketError, Message};

use crate::endpoint::Stream;
use crate::server::Server;

/// A websocket to a server.
pub type WebSocket = WebSocketStream<Stream>;

/// Bytes in one frame of a data stream, as LXD's client sends them.
pub const FRAME: usize = 128 * 1024;

impl Server {
    /// Opens a websocket, on a connection of its own.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses, with its words.
    pub async fn websocket(&self, path: &str) -> Result<WebSocket> {
        self.websocket_of(path, None).await
    }

    /// As [`Server::websocket`], to a server that is not trusted to send no more than `most` bytes in one message.
    ///
    /// # Errors
    /// As [`Server::websocket`].
    pub async fn websocket_of(&self, path: &str, most: Option<usize>) -> Result<WebSocket> {
        let endpoint = self.endpoint();
        let stream = endpoint.connect().await?;
        let scheme = if matches!(stream, Stream::Tls(_)) { "wss" } else { "ws" };
        let mut request = format!("{scheme}://{}{}", endpoint.authority(), self.complete(path))
            .into_client_request()
            .map_err(|error| Error::invalid(format!("{path:?} is no path for a websocket: {error}")))?;
        if let Ok(agent) = self.user_agent().parse() {
            request.headers_mut().insert("user-agent", agent);
        }
        // Where frames are passed on as they come, a limit of ours would only break what a server may send.
        let config = WebSocketConfig::default().max_message_size(most).max_frame_size(most);
        match tokio_tungstenite::client_async_with_config(request, stream, Some(config)).await {
            Ok((socket, _)) => Ok(socket),
            Err(error) => Err(refusal(path, &error)),
        }
    }
}

/// The server's own words where its refusal carries them.
fn refusal(path: &str, error: &SocketError) -> Error {
    if let SocketError::Http(response) = error {
        let kind = Kind::from_status(response.status().as_u16());
        let body = response.body().as_deref().unwrap_or_default();
        if let Ok(envelope) = serde_json::from_slice::<Envelope>(body)
            && !envelope.error.is_empty()
        {
            return Error { kind, message: envelope.error };
        }
        return Error { kind, message: format!("Failed to open the websocket {path}: {}", response.status()) };
    }
    Error::unavailable(format!("Failed to open the websocket {path}: {error}"))
}

/// What came out of a websocket that carries a byte stream.
#[derive(Debug)]
pub enum Incoming {
    /// Data.
    Data(bytes::Bytes),
    /// The other side has sent all it had: an empty text frame, a close frame, or the end of the connection.
    End,
}

/// Tells data from the end of data; frames that are neither (pings) give nothing.
pub fn sort(message: Option<std::result::Result<Message, SocketError>>) -> Option<Incoming> {
    match message {
        Some(Ok(Message::Binary(data))) => Some(Incoming::Data(data)),
        // LXD marks the end of a stream by an empty text frame.
        Some(Ok(Message::Text(text))) if text.is_empty() => Some(Incoming::End),
        Some(Ok(Message::Text(text))) => Some(Incoming::Data(text.into())),
        Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => None,
        Some(Ok(Message::Close(_)) | Err(_)) | None => Some(Incoming::End),
    }
}

/// Passes everything that comes from either socket on to the other, until both sides have ended.
pub async fn relay(left: WebSocket, right: WebSocket) {
    let ((to_left, from_left), (to_right, from_right)) = (left.split(), right.split());
    tokio::join!(pass(from_left, to_right), pass(from_right, to_left));
}

async fn pass(
    mut from: futures_util::stream::SplitStream<WebSocket>,
    mut to: futures_util::stream::SplitSink<WebSocket, Message>,
) {
    while let Some(Ok(message)) = from.next().await {
        let last = matches!(message, Message::Close(_));
        if matches!(message, Message::Ping(_) | Message::Pong(_)) {
            continue;
        }
        if to.send(message).await.is_err() || last {
            return;
        }
    }
    let _ = to.close().await;
}
