//! One request over HTTP/1.1, on a connection that is kept for the next.

use std::sync::{Mutex, OnceLock};

use bytes::Bytes;
use corten_api::error::{Error, Kind, Result};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;

use crate::body::Body;
use crate::endpoint::Endpoint;
use crate::patient::Patient;

/// Connections to one endpoint; those that wait for work are used again.
pub struct Connections {
    endpoint: Endpoint,
    user_agent: String,
    idle: Mutex<Vec<SendRequest<Body>>>,
    watch: OnceLock<fn(&Exchange<'_>)>,
}

/// What goes over a connection, for those who want to look on.
pub enum Exchange<'a> {
    /// A request is about to be sent.
    Request {
        /// GET, POST, …
        method: &'a Method,
        /// The whole URL.
        url: &'a str,
        /// `If-Match`; empty when there is none.
        etag: &'a str,
        /// The body, where it is at hand.
        body: &'a [u8],
    },
    /// The body of a reply has been read.
    Reply(&'a [u8]),
}

/// A reply whose body has not been read.
pub struct Reply {
    /// Status, headers and the body to come.
    pub response: Response<Incoming>,
    sender: SendRequest<Body>,
}

/// What to ask.
pub struct Ask {
    /// GET, POST, …
    pub method: Method,
    /// Path and query.
    pub path: String,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: Body,
}

impl Ask {
    /// A request without body.
    pub fn new(method: Method, path: impl Into<String>) -> Ask {
        Ask { method, path: path.into(), headers: Vec::new(), body: Body::empty() }
    }

    /// The same request with a header, unless its value is empty.
    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Ask {
        let value = value.into();
        if !value.is_empty() {
            self.headers.push((name, value));
        }
        self
    }

    /// The same request with a body of that type.
    #[must_use]
    pub fn body(mut self, content_type: &'static str, body: impl Into<Body>) -> Ask {
        self.body = body.into();
        self.header("content-type", content_type)
    }
}

impl Connections {
    /// No connection is opened before the first request.
    pub fn new(endpoint: Endpoint, user_agent: impl Into<String>) -> Connections {
        Connections { endpoint, user_agent: user_agent.into(), idle: Mutex::default(), watch: OnceLock::new() }
    }

    /// Where they lead.
    pub fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    /// Lets somebody look on from now on; the first who asks stays.
    pub fn watch(&self, with: fn(&Exchange<'_>)) {
        let _ = self.watch.set(with);
    }

    /// What we call ourselves.
    pub fn user_agent(&self) -> &str {
        &self.user_agent
    }

    /// Sends a request and waits for the head of the reply.
    ///
    /// # Errors
    /// When the server cannot be reached or hangs up. HTTP errors are replies, not failures.
    pub async fn send(&self, ask: Ask) -> Result<Reply> {
        let url = format!("{}{}", self.endpoint.base(), ask.path);
        if let Some(watch) = self.watch.get() {
            let etag = ask.headers.iter().find(|(name, _)| *name == "if-match").map_or("", |(_, etag)| etag);
            let body = if let Body::Bytes(bytes) = &ask.body { bytes.as_ref() } else { &[] };
            watch(&Exchange::Request { method: &ask.method, url: &url, etag, body });
        }
        let method = ask.method.clone();
        let failed = |error: &hyper::Error| {
            let mut name = method.to_string().to_lowercase();
            name[..1].make_ascii_uppercase();
            Error::unavailable(format!("{name} {url:?}: {}", corten_api::error::chain(error)))
        };
        // A kept connection may have been closed by the server meanwhile. Whether such a request was acted upon cannot
        // be known once its body is on the way, so it is only repeated when nothing can have been changed.
        if let (Some(sender), Body::Bytes(bytes)) = (self.take_idle().await, &ask.body) {
            let again = Body::Bytes(bytes.clone());
            let repeatable = ask.method == Method::GET;
            match self.attempt(sender, &ask, again).await {
                Ok(reply) => return Ok(reply),
                Err(error) if repeatable || error.is_canceled() => {}
                Err(error) => return Err(failed(&error)),
            }
        }
        let sender = self.open().await?;
        let mut ask = ask;
        let body = std::mem::replace(&mut ask.body, Body::empty());
        self.attempt(sender, &ask, body).await.map_err(|error| failed(&error))
    }

    async fn attempt(&self, mut sender: SendRequest<Body>, ask: &Ask, body: Body) -> hyper::Result<Reply> {
        let mut request = Request::new(body);
        *request.method_mut() = ask.method.clone();
        *request.uri_mut() = ask.path.parse().unwrap_or_default();
        let headers = request.headers_mut();
        let host = self.endpoint.authority();
        let all = [("host", host.as_str()), ("user-agent", self.user_agent.as_str())].into_iter();
        for (name, value) in all.chain(ask.headers.iter().map(|(name, value)| (*name, value.as_str()))) {
            // A header that cannot be written (a line break in a file name) is left out rather than smuggled in.
            if let Ok(value) = value.parse() {
                headers.insert(name, value);
            }
        }
        let response = sender.send_request(request).await?;
        Ok(Reply { response, sender })
    }

    /// Opens a connection and hands its driver to the event loop.
    async fn open(&self) -> Result<SendRequest<Body>> {
        let stream = self.endpoint.connect().await.map_err(|error| self.unreachable(error))?;
        let (sender, connection) = handshake(TokioIo::new(Patient(stream)))
            .await
            .map_err(|error| Error::unavailable(corten_api::error::chain(&error)))?;
        // Its failures are seen by the request that is under way.
        tokio::spawn(async move { connection.await.ok() });
        Ok(sender)
    }

    /// The words of LXD's client, whose first request is always this one.
    fn unreachable(&self, error: Error) -> Error {
        Error { kind: error.kind, message: format!("Get \"{}/1.0\": {}", self.endpoint.base(), error.message) }
    }

    async fn take_idle(&self) -> Option<SendRequest<Body>> {
        // Lets the connections' drivers see what the server has closed meanwhile.
        tokio::task::yield_now().await;
        loop {
            let mut sender = self.idle.lock().ok()?.pop()?;
            if sender.ready().await.is_ok() {
                return Some(sender);
            }
        }
    }

    /// Reads the whole body of a reply and keeps its connection.
    ///
    /// # Errors
    /// When the server hangs up in the middle.
    pub async fn collect(&self, reply: Reply) -> Result<(StatusCode, Bytes)> {
        let status = reply.response.status();
        let body = reply.response.into_body().collect().await.map_err(|error| Error {
            kind: Kind::Unavailable,
            message: format!("The server ended its reply early: {error}"),
        })?;
        if let Ok(mut idle) = self.idle.lock() {
            idle.push(reply.sender);
        }
        let bytes = body.to_bytes();
        if let Some(watch) = self.watch.get() {
            watch(&Exchange::Reply(&bytes));
        }
        Ok((status, bytes))
    }
}
