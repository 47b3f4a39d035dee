//! A server of LXD's API: requests in, typed replies or the server's own errors out.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use corten_api::envelope::Envelope;
use corten_api::error::{Error, Kind, Result};
use corten_api::url;
use hyper::{Method, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::endpoint::Endpoint;
use crate::http::{Ask, Connections, Exchange, Reply};
use crate::operation::Running;

/// What we call ourselves to servers.
const USER_AGENT: &str = "LXD 5.0.2";

/// A server, seen in one project and (in a cluster) at one member. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Server {
    shared: Arc<Shared>,
    project: String,
    target: String,
    /// Its certificate (PEM), where that is known before it is asked.
    pub(crate) certificate: String,
}

struct Shared {
    connections: Connections,
    info: OnceLock<corten_api::server::Server>,
}

/// The envelope of a reply with its ETag, still to come.
pub type Answer<'a> = Pin<Box<dyn Future<Output = Result<(Envelope, String)>> + Send + 'a>>;

/// The local server's socket: `LXD_SOCKET`, else `unix.socket` in `LXD_DIR`, else the usual place.
pub fn local_socket() -> PathBuf {
    let given = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    given("LXD_SOCKET")
        .unwrap_or_else(|| given("LXD_DIR").unwrap_or_else(|| PathBuf::from("/var/lib/lxd")).join("unix.socket"))
}

impl Server {
    /// A server at an endpoint. Nothing is sent before the first request.
    pub fn new(endpoint: Endpoint) -> Server {
        let connections = Connections::new(endpoint, USER_AGENT);
        let shared = Shared { connections, info: OnceLock::new() };
        Server { shared: Arc::new(shared), project: String::new(), target: String::new(), certificate: String::new() }
    }

    /// The server on this host, at its usual socket.
    pub fn local() -> Server {
        Server::new(Endpoint::Unix(local_socket()))
    }

    /// The same server, whose certificate (PEM) is known: it tells its own only to those whom it trusts.
    #[must_use]
    pub fn with_certificate(self, pem: Option<String>) -> Server {
        Server { certificate: pem.unwrap_or_default(), ..self }
    }

    /// The same server seen in another project; an empty name asks for none, so that the server takes `default`.
    #[must_use]
    pub fn in_project(&self, project: &str) -> Server {
        Server { project: project.to_owned(), ..self.clone() }
    }

    /// The same server, with requests meant for one cluster member.
    #[must_use]
    pub fn at_member(&self, target: &str) -> Server {
        Server { target: target.to_owned(), ..self.clone() }
    }

    /// Lets somebody look on at all requests and replies.
    pub fn watch(&self, with: fn(&Exchange<'_>)) {
        self.shared.connections.watch(with);
    }

    /// The project asked for; empty when none was named.
    pub fn project(&self) -> &str {
        &self.project
    }

    /// Whether two values lead to the same server in the same project.
    pub fn is_same_place(&self, other: &Server) -> bool {
        let project = |server: &Server| match server.project.as_str() {
            "" => url::DEFAULT_PROJECT.to_owned(),
            name => name.to_owned(),
        };
        self.endpoint().is_same(other.endpoint()) && project(self) == project(other) && self.target == other.target
    }

    /// As [`Server::is_same_place`], but also sees through different ways to the same server, by its certificate.
    pub async fn is_same_server(&self, other: &Server) -> bool {
        if self.is_same_place(other) {
            return true;
        }
        if self.project != other.project || self.target != other.target {
            return false;
        }
        let (Ok(ours), Ok(theirs)) = (self.info().await, other.info().await) else { return false };
        let certificate = &ours.environment.certificate;
        !certificate.is_empty() && *certificate == theirs.environment.certificate
    }

    /// Where it listens.
    pub fn endpoint(&self) -> &Endpoint {
        self.shared.connections.endpoint()
    }

    /// What we call ourselves.
    pub(crate) fn user_agent(&self) -> &str {
        self.shared.connections.user_agent()
    }

    /// What the server says of itself (`GET /1.0`), asked for once.
    ///
    /// # Errors
    /// When it cannot be reached or refuses.
    pub async fn info(&self) -> Result<&corten_api::server::Server> {
        if let Some(info) = self.shared.info.get() {
            return Ok(info);
        }
        let info = self.get("/1.0").await?;
        Ok(self.shared.info.get_or_init(|| info))
    }

    /// Whether the server announces an API extension.
    ///
    /// # Errors
    /// As [`Server::info`].
    pub async fn has_extension(&self, name: &str) -> Result<bool> {
        Ok(self.info().await?.api_extensions.iter().any(|extension| extension == name))
    }

    /// Fails unless the server announces an extension that the command needs.
    ///
    /// # Errors
    /// In LXD's words when the extension is missing.
    pub async fn require_extension(&self, name: &str) -> Result<()> {
        if self.has_extension(name).await? {
            return Ok(());
        }
        Err(Error::not_implemented(format!("The server is missing the required {name:?} API extension")))
    }

    /// `path` with this value's project and target, where it names none itself.
    pub fn complete(&self, path: &str) -> String {
        let mut whole = path.to_owned();
        let query = path.split_once('?').map_or("", |(_, query)| query).to_owned();
        let named =
            |key: &str| form_urlencoded::parse(query.as_bytes()).any(|(name, value)| name == key && !value.is_empty());
        let mut add = |key: &str, value: &str| {
            whole.push(if whole.contains('?') { '&' } else { '?' });
            whole.push_str(&format!("{key}={}", url::escape_query(value)));
        };
        if !self.target.is_empty() && !named("target") {
            add("target", &self.target);
        }
        if !self.project.is_empty() && !named("project") && !named("all-projects") {
            add("project", &self.project);
        }
        whole
    }

    /// Sends a request as it is (but for project and target), and gives the reply whatever its status.
    ///
    /// # Errors
    /// When the server cannot be reached.
    pub async fn send(&self, mut ask: Ask) -> Result<Reply> {
        ask.path = self.complete(&ask.path);
        self.shared.connections.send(ask).await
    }

    /// Reads the rest of a reply.
    ///
    /// # Errors
    /// When the server hangs up in the middle.
    pub async fn collect(&self, reply: Reply) -> Result<(StatusCode, Bytes)> {
        self.shared.connections.collect(reply).await
    }

    /// Sends a request and reads the envelope of its reply, with the ETag.
    ///
    /// # Errors
    /// The server's own error, with its text.
    pub fn ask(&self, ask: Ask) -> Answer<'_> {
        // Boxed, so that the machinery of HTTP is not built into each of the hundreds of commands anew.
        Box::pin(async move {
            let url = format!("{}{}", self.endpoint().base(), ask.path);
            let reply = self.send(ask).await?;
            let etag = reply.response.headers().get("etag").and_then(|tag| tag.to_str().ok());
            let etag = etag.unwrap_or_default().to_owned();
            let (status, bytes) = self.collect(reply).await?;
            Ok((envelope(&url, status, &bytes)?, etag))
        })
    }

    /// GETs a thing.
    ///
    /// # Errors
    /// The server's own error, or what in the reply could not be understood.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T> {
        Ok(self.get_with_etag(path).await?.0)
    }

    /// GETs a thing with the version to name when changing it.
    ///
    /// # Errors
    /// As [`Server::get`].
    pub async fn get_with_etag<T: DeserializeOwned>(&self, path: &str) -> Result<(T, String)> {
        let (envelope, etag) = self.ask(Ask::new(Method::GET, path)).await?;
        Ok((envelope.read()?, etag))
    }

    /// Changes something at once: a request whose reply is no operation. `etag` may be empty.
    ///
    /// # Errors
    /// The server's own error.
    pub async fn change(&self, method: Method, path: &str, body: &impl Serialize, etag: &str) -> Result<()> {
        self.ask(json(method, path, body)?.header("if-match", etag)).await.map(|_| ())
    }

    /// POSTs something that is done at once.
    ///
    /// # Errors
    /// The server's own error.
    pub async fn post(&self, path: &str, body: &impl Serialize) -> Result<()> {
        self.change(Method::POST, path, body, "").await
    }

    /// PUTs a whole thing, done at once; `etag` may be empty.
    ///
    /// # Errors
    /// The server's own error, also when the thing changed meanwhile.
    pub async fn put(&self, path: &str, body: &impl Serialize, etag: &str) -> Result<()> {
        self.change(Method::PUT, path, body, etag).await
    }

    /// PATCHes a thing, done at once; `etag` may be empty.
    ///
    /// # Errors
    /// As [`Server::put`].
    pub async fn patch(&self, path: &str, body: &impl Serialize, etag: &str) -> Result<()> {
        self.change(Method::PATCH, path, body, etag).await
    }

    /// DELETEs a thing, done at once.
    ///
    /// # Errors
    /// The server's own error.
    pub async fn delete(&self, path: &str) -> Result<()> {
        self.ask(Ask::new(Method::DELETE, path)).await.map(|_| ())
    }

    /// Starts something that runs in the background. `body` may be `&()` for none.
    ///
    /// # Errors
    /// The server's own error, when it refuses at once.
    pub async fn start(&self, method: Method, path: &str, body: &impl Serialize, etag: &str) -> Result<Running> {
        self.start_raw(json(method, path, body)?.header("if-match", etag)).await
    }

    /// As [`Server::start`] with any request.
    ///
    /// # Errors
    /// As [`Server::start`].
    pub async fn start_raw(&self, ask: Ask) -> Result<Running> {
        let (envelope, _) = self.ask(ask).await?;
        if envelope.kind != "async" {
            return Err(Error::internal(format!("Expected an operation, the server replied with {:?}", envelope.kind)));
        }
        Ok(Running::new(self.clone(), envelope.read()?))
    }
}

/// A request with a JSON body; `&()` sends none.
///
/// # Errors
/// When the value cannot be written as JSON.
pub fn json(method: Method, path: &str, body: &impl Serialize) -> Result<Ask> {
    let bytes = serde_json::to_vec(body)
        .map_err(|error| Error::internal(format!("Failed to write the request for {path}: {error}")))?;
    let ask = Ask::new(method, path);
    Ok(if bytes == b"null" { ask } else { ask.body("application/json", bytes) })
}

/// Reads the envelope of a reply; errors of the server come back as such.
fn envelope(url: &str, status: StatusCode, bytes: &[u8]) -> Result<Envelope> {
    let Ok(envelope) = serde_json::from_slice::<Envelope>(bytes) else {
        return Err(if status == StatusCode::OK {
            Error::internal(format!("The reply to {url} is not JSON"))
        } else {
            let kind = Kind::from_status(status.as_u16());
            Error { kind, message: format!("Failed to fetch {url}: {status}") }
        });
    };
    if envelope.kind == "error" {
        return Err(Error { kind: Kind::from_status(status.as_u16()), message: envelope.error });
    }
    Ok(envelope)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn project_and_target_are_added_once() {
        let server = Server::new(Endpoint::Unix("/x".into())).in_project("p q").at_member("m1");
        for (path, want) in [
            ("/1.0", "/1.0?target=m1&project=p+q"),
            ("/1.0/x?recursion=1", "/1.0/x?recursion=1&target=m1&project=p+q"),
            ("/1.0/x?all-projects=true", "/1.0/x?all-projects=true&target=m1"),
            ("/1.0/x?project=o&target=n", "/1.0/x?project=o&target=n"),
        ] {
            assert_eq!(server.complete(path), want);
        }
    }

    #[test]
    fn errors_keep_the_text_of_the_server() {
        let text = br#"{"type":"error","status":"","status_code":0,"operation":"","error_code":404,"error":"Instance not found","metadata":null}"#;
        let error = envelope("http://unix.socket/1.0/x", StatusCode::NOT_FOUND, text).unwrap_err();
        assert_eq!((error.kind, error.message.as_str()), (Kind::NotFound, "Instance not found"));
        let error = envelope("http://unix.socket/x", StatusCode::BAD_GATEWAY, b"<html>").unwrap_err();
        assert_eq!(error.message, "Failed to fetch http://unix.socket/x: 502 Bad Gateway");
    }
}
