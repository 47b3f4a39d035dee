//! SFTP connections to instances: HTTP connections that have changed their protocol.

use corten_api::error::{Context, Error, Result};
use corten_api::url;
use hyper::client::conn::http1::handshake;
use hyper::upgrade::Upgraded;
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;

use crate::body::Body;
use crate::file::refused;
use crate::server::Server;

/// A byte stream that speaks SFTP.
pub type Sftp = TokioIo<Upgraded>;

/// Opens a connection to the files of an instance.
///
/// # Errors
/// When the server cannot be reached or refuses, with its words.
pub async fn connect(server: &Server, instance: &str) -> Result<Sftp> {
    let path = server.complete(&url::path(["instances", instance, "sftp"]));
    let endpoint = server.endpoint();
    let (mut sender, connection) =
        handshake(TokioIo::new(endpoint.connect().await?)).await.context("Failed to connect to the server")?;
    // Its failures are seen by the request that is under way.
    tokio::spawn(async move { connection.with_upgrades().await.ok() });
    let request = Request::builder()
        .method(Method::GET)
        .uri(path)
        .header("host", endpoint.authority())
        .header("user-agent", server.user_agent())
        .header("connection", "Upgrade")
        .header("upgrade", "sftp")
        .body(Body::empty())
        .map_err(|error| Error::invalid(format!("The request cannot be made: {error}")))?;
    let response = sender.send_request(request).await.context("Failed to ask the server")?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(refused(response).await);
    }
    let upgraded = hyper::upgrade::on(response).await.context("The server did not change the protocol")?;
    Ok(TokioIo::new(upgraded))
}
