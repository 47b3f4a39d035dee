//! The stream of events of a server.

use corten_api::error::{Error, Result};
use corten_api::event::Event;
use futures_util::StreamExt;
use tokio_tungstenite::tungstenite::Message;

use crate::server::Server;
use crate::websocket::WebSocket;

/// Events as they happen.
pub struct Events {
    socket: WebSocket,
}

impl Events {
    /// Listens for events of some types (none means all), of the server's project or of all.
    ///
    /// # Errors
    /// When the server refuses.
    pub async fn open(server: &Server, types: &[&str], all_projects: bool) -> Result<Events> {
        let mut query = Vec::new();
        if !types.is_empty() {
            query.push(format!("type={}", types.join(",")));
        }
        if all_projects {
            query.push("all-projects=true".to_owned());
        }
        let mut path = "/1.0/events".to_owned();
        if !query.is_empty() {
            path.push('?');
            path.push_str(&query.join("&"));
        }
        Ok(Events { socket: server.websocket(&path).await? })
    }

    /// The next event; `None` when the server closes the stream.
    ///
    /// # Errors
    /// When the connection breaks or what came is no event.
    pub async fn next(&mut self) -> Result<Option<Event>> {
        let Some(text) = self.next_text().await? else { return Ok(None) };
        serde_json::from_str(&text)
            .map(Some)
            .map_err(|error| Error::internal(format!("The server sent an event that cannot be read: {error}")))
    }

    /// The next event as the server wrote it.
    ///
    /// # Errors
    /// When the connection breaks.
    pub async fn next_text(&mut self) -> Result<Option<String>> {
        loop {
            match self.socket.next().await {
                Some(Ok(Message::Text(text))) => return Ok(Some(text.to_string())),
                Some(Ok(Message::Close(_))) | None => return Ok(None),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(Error::unavailable(format!("The event stream broke: {error}"))),
            }
        }
    }
}
