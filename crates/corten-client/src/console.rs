//! Attaching to the console of an instance.

use corten_api::error::Result;
use corten_api::instance_console::InstanceConsolePost;
use corten_api::url;
use hyper::Method;

use crate::exec::socket_path;
use crate::http::Ask;
use crate::operation::Running;
use crate::server::Server;
use crate::websocket::WebSocket;

/// An attached console.
pub struct Console {
    /// The operation; it ends when the console is left.
    pub running: Running,
    /// What is typed and shown.
    pub terminal: WebSocket,
    /// Window sizes; closing it leaves the console.
    pub control: WebSocket,
}

/// Attaches to a console.
///
/// # Errors
/// When the server refuses, for instance because somebody else is attached.
pub async fn attach(server: &Server, instance: &str, post: &InstanceConsolePost) -> Result<Console> {
    let running = server.start(Method::POST, &url::path(["instances", instance, "console"]), post, "").await?;
    let open = async |name: &str| server.websocket(&socket_path(running.first(), name)?).await;
    let (terminal, control) = tokio::try_join!(open("0"), open("control"))?;
    Ok(Console { running, terminal, control })
}

/// What the console has shown so far.
///
/// # Errors
/// The server's own error.
pub async fn log(server: &Server, instance: &str) -> Result<Vec<u8>> {
    let path = url::path(["instances", instance, "console"]);
    crate::file::bytes(server, Ask::new(Method::GET, path)).await
}
