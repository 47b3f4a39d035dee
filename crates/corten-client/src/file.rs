//! Files over the API: those of instances, and whatever else the server sends as plain bytes.

use corten_api::envelope::Envelope;
use corten_api::error::{Error, Kind, Result};
use corten_api::url;
use http_body_util::BodyExt;
use hyper::{HeaderMap, Method, StatusCode};

use crate::body::Body;
use crate::http::{Ask, Reply};
use crate::server::Server;

/// What a file is and whose, as the `X-LXD-` headers tell.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attributes {
    /// Owner; -1 leaves it to the server.
    pub uid: i64,
    /// Group; -1 leaves it to the server.
    pub gid: i64,
    /// Permissions; -1 leaves them to the server.
    pub mode: i64,
    /// `file`, `directory` or `symlink`.
    pub kind: String,
}

/// A file of an instance.
pub enum Fetched {
    /// The content of a file, or the target of a link, still to be read.
    Content(Attributes, Reply),
    /// The names in a folder.
    Folder(Attributes, Vec<String>),
}

/// Path of the file API for a path in an instance.
fn path_of(instance: &str, path: &str) -> String {
    format!("{}?path={}", url::path(["instances", instance, "files"]), url::escape_query(path))
}

/// Asks for a file, a link or a folder of an instance.
///
/// # Errors
/// The server's own error, such as that it is not there.
pub async fn get(server: &Server, instance: &str, path: &str) -> Result<Fetched> {
    let reply = succeeded(server, server.send(Ask::new(Method::GET, path_of(instance, path))).await?).await?;
    let attributes = attributes(reply.response.headers());
    if attributes.kind != "directory" {
        return Ok(Fetched::Content(attributes, reply));
    }
    let (_, bytes) = server.collect(reply).await?;
    let envelope: Envelope = serde_json::from_slice(&bytes)
        .map_err(|error| Error::internal(format!("The list of {path} cannot be read: {error}")))?;
    Ok(Fetched::Folder(attributes, envelope.read()?))
}

/// Writes a file, folder or link of an instance. A link's body is its target.
///
/// # Errors
/// The server's own error.
pub async fn put(
    server: &Server,
    instance: &str,
    path: &str,
    attributes: &Attributes,
    body: impl Into<Body>,
) -> Result<()> {
    let number = |value: i64| if value < 0 { String::new() } else { value.to_string() };
    let mode = if attributes.mode < 0 { String::new() } else { format!("{:04o}", attributes.mode) };
    let ask = Ask::new(Method::POST, path_of(instance, path))
        .header("x-lxd-uid", number(attributes.uid))
        .header("x-lxd-gid", number(attributes.gid))
        .header("x-lxd-mode", mode)
        .header("x-lxd-type", attributes.kind.clone())
        .header("x-lxd-write", if attributes.kind == "file" { "overwrite" } else { "" })
        .body("application/octet-stream", body);
    server.ask(ask).await.map(|_| ())
}

/// Removes a file or an empty folder of an instance.
///
/// # Errors
/// The server's own error.
pub async fn delete(server: &Server, instance: &str, path: &str) -> Result<()> {
    server.delete(&path_of(instance, path)).await
}

/// Sends a request whose good reply is plain bytes, and reads them all.
///
/// # Errors
/// The server's own error.
pub async fn bytes(server: &Server, ask: Ask) -> Result<Vec<u8>> {
    let reply = succeeded(server, server.send(ask).await?).await?;
    Ok(server.collect(reply).await?.1.to_vec())
}

/// A reply with status 200 as it is; any other as the error that it carries.
///
/// # Errors
/// The server's own error.
pub async fn succeeded(server: &Server, reply: Reply) -> Result<Reply> {
    if reply.response.status() == StatusCode::OK {
        return Ok(reply);
    }
    let (status, bytes) = server.collect(reply).await?;
    Err(error_of(status, &bytes))
}

/// The error that a response carries.
pub async fn refused(response: hyper::Response<hyper::body::Incoming>) -> Error {
    let status = response.status();
    let bytes = response.into_body().collect().await.map(|body| body.to_bytes()).unwrap_or_default();
    error_of(status, &bytes)
}

fn error_of(status: StatusCode, body: &[u8]) -> Error {
    let said = serde_json::from_slice::<Envelope>(body).map(|envelope| envelope.error).unwrap_or_default();
    let message = if said.is_empty() { format!("The server replied with {status}") } else { said };
    Error { kind: Kind::from_status(status.as_u16()), message }
}

/// Hands the body of a reply piece by piece to `take`, and gives the number of bytes.
///
/// # Errors
/// When the server hangs up, or what `take` fails with.
pub async fn each_piece(mut reply: Reply, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<u64> {
    let mut total = 0;
    while let Some(frame) = reply.response.body_mut().frame().await {
        let frame = frame.map_err(|error| Error::unavailable(format!("The transfer was cut off: {error}")))?;
        if let Some(data) = frame.data_ref() {
            total += data.len() as u64;
            take(data)?;
        }
    }
    Ok(total)
}

/// The length that a reply announces, in bytes.
pub fn announced_length(reply: &Reply) -> Option<u64> {
    reply.response.headers().get("content-length")?.to_str().ok()?.parse().ok()
}

/// The file name that a reply suggests.
pub fn suggested_name(reply: &Reply) -> Option<String> {
    let text = reply.response.headers().get("content-disposition")?.to_str().ok()?;
    let name = text.split("filename=").nth(1)?.split(';').next()?.trim().trim_matches('"');
    (!name.is_empty()).then(|| name.to_owned())
}

fn attributes(headers: &HeaderMap) -> Attributes {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mode = text("x-lxd-mode");
    let kind = text("x-lxd-type");
    Attributes {
        uid: text("x-lxd-uid").parse().unwrap_or(-1),
        gid: text("x-lxd-gid").parse().unwrap_or(-1),
        mode: i64::from_str_radix(mode.trim_start_matches("0o"), 8).unwrap_or(-1),
        // Servers that know nothing but files send no type.
        kind: if kind.is_empty() { "file" } else { kind }.to_owned(),
    }
}
