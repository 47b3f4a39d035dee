//! Websockets (RFC 6455) on upgraded connections.

use corten_api::error::{Error, Result};
use hyper::HeaderMap;
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

/// The server's side of a websocket.
pub type Socket = WebSocketStream<TokioIo<Upgraded>>;

/// The answer's `Sec-WebSocket-Accept` for a client's opening handshake. No origin is checked: LXD's clients send any.
///
/// # Errors
/// 400 when this is no opening handshake of version 13.
pub fn accept(headers: &HeaderMap) -> Result<String> {
    let has = |name: &str, wanted: &str| {
        let values = headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|value| value.trim().eq_ignore_ascii_case(wanted))
    };
    if !has("connection", "upgrade") || !has("upgrade", "websocket") || !has("sec-websocket-version", "13") {
        return Err(Error::invalid("websocket: the client is not using the websocket protocol"));
    }
    let key = headers.get("sec-websocket-key").filter(|key| !key.is_empty());
    let key = key.ok_or_else(|| Error::invalid("websocket: not a websocket handshake: the key is missing"))?;
    Ok(derive_accept_key(key.as_bytes()))
}

/// Takes an upgraded connection over. Frames of any size that a client may send are read; writes are gathered up to
/// 128 KiB, the size of the frames that exec and console use.
pub async fn from_upgraded(upgraded: Upgraded) -> Socket {
    let config = WebSocketConfig::default()
        .read_buffer_size(128 * 1024)
        .write_buffer_size(0)
        .max_message_size(Some(64 << 20))
        .max_frame_size(Some(16 << 20));
    WebSocketStream::from_raw_socket(TokioIo::new(upgraded), Role::Server, Some(config)).await
}
