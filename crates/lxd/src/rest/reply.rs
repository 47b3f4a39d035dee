//! What handlers answer with.

use super::body::Answer;
use super::call::Call;
use super::operation::Op;
use super::websocket::{self, Socket};
use super::{error, etag, json};
use bytes::Bytes;
use corten_api::error::{Error, Result};
use hyper::header::{CONNECTION, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG, HeaderName, HeaderValue, LOCATION, UPGRADE};
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper::{Response, StatusCode};
use serde::Serialize;
use std::fs::File;
use std::future::Future;
use std::io::{self, Read};
use std::pin::Pin;
use tokio::sync::mpsc;
use tokio_tungstenite::tungstenite::Utf8Bytes;

/// A boxed future without a borrow.
pub type Task<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// An answer under way.
pub struct Reply {
    status: StatusCode,
    headers: Vec<(HeaderName, HeaderValue)>,
    content: Content,
}

enum Content {
    Json(Bytes),
    Bytes(Bytes),
    Stream(Box<dyn Read + Send>, Option<u64>),
    Chunks(mpsc::Receiver<io::Result<Bytes>>),
    Upgrade(OnUpgrade, Box<dyn FnOnce(Upgraded) -> Task<()> + Send>),
    Later(Task<Result<Reply>>),
}

/// What stands before and after the metadata of a sync reply.
const SYNC: &[u8] =
    br#"{"type":"sync","status":"Success","status_code":200,"operation":"","error_code":0,"error":"","metadata":"#;

/// The whole envelope of a sync reply around `metadata`.
///
/// # Errors
/// When the metadata cannot be written as JSON.
pub fn envelope(metadata: &(impl Serialize + ?Sized)) -> Result<Bytes> {
    let mut body = Vec::with_capacity(512);
    body.extend_from_slice(SYNC);
    json::write(&mut body, metadata)
        .map_err(|error| Error::internal(format!("Failed to write the reply as JSON: {error}")))?;
    body.extend_from_slice(b"}\n");
    Ok(body.into())
}

impl Reply {
    fn new(status: StatusCode, content: Content) -> Reply {
        Reply { status, headers: Vec::new(), content }
    }

    /// 200 with `metadata` in the envelope.
    ///
    /// # Errors
    /// When the metadata cannot be written as JSON: a defect.
    pub fn sync<T: Serialize + ?Sized>(metadata: &T) -> Result<Reply> {
        Ok(Reply::ready(envelope(metadata)?))
    }

    /// 200 with metadata that `write` appends as JSON, about `room` bytes of it.
    pub fn written(room: usize, write: impl FnOnce(&mut Vec<u8>)) -> Reply {
        let mut body = Vec::with_capacity(SYNC.len() + room + 2);
        body.extend_from_slice(SYNC);
        write(&mut body);
        body.extend_from_slice(b"}\n");
        Reply::ready(body.into())
    }

    /// 200 with an envelope made earlier by [`envelope`].
    pub fn ready(envelope: Bytes) -> Reply {
        Reply::new(StatusCode::OK, Content::Json(envelope))
    }

    /// 200 with `{}`: done.
    pub fn empty() -> Reply {
        static EMPTY: &[u8] = b"{\"type\":\"sync\",\"status\":\"Success\",\"status_code\":200,\"operation\":\"\",\
            \"error_code\":0,\"error\":\"\",\"metadata\":{}}\n";
        Reply::ready(Bytes::from_static(EMPTY))
    }

    /// 201 with the new thing's place, and no metadata.
    pub fn created(location: impl Into<String>) -> Reply {
        static NULL: &[u8] = b"{\"type\":\"sync\",\"status\":\"Success\",\"status_code\":200,\"operation\":\"\",\
            \"error_code\":0,\"error\":\"\",\"metadata\":null}\n";
        let mut reply = Reply::ready(Bytes::from_static(NULL));
        reply.status = StatusCode::CREATED;
        reply.header(LOCATION, &location.into())
    }

    /// 202 with an operation that runs.
    ///
    /// # Errors
    /// When the operation cannot be written as JSON: a defect.
    pub fn accepted(operation: &Op) -> Result<Reply> {
        #[derive(Serialize)]
        struct Accepted<'a> {
            #[serde(rename = "type")]
            kind: &'static str,
            status: &'static str,
            status_code: u16,
            operation: &'a str,
            error_code: u16,
            error: &'static str,
            metadata: corten_api::operation::Operation,
        }
        let url = operation.url();
        let accepted = Accepted {
            kind: "async",
            status: "Operation created",
            status_code: 100,
            operation: &url,
            error_code: 0,
            error: "",
            metadata: operation.view(),
        };
        let mut body = Vec::with_capacity(1024);
        json::write(&mut body, &accepted).map_err(|error| Error::internal(error.to_string()))?;
        body.push(b'\n');
        Ok(Reply::new(StatusCode::ACCEPTED, Content::Json(body.into())).header(LOCATION, &url))
    }

    /// 200 with these bytes.
    pub fn bytes(bytes: impl Into<Bytes>, content_type: &str) -> Reply {
        Reply::new(StatusCode::OK, Content::Bytes(bytes.into())).header(CONTENT_TYPE, content_type)
    }

    /// 200 with what `source` yields, read by a thread of its own; `length` where it is known.
    pub fn stream(source: impl Read + Send + 'static, length: Option<u64>) -> Reply {
        Reply::new(StatusCode::OK, Content::Stream(Box::new(source), length))
            .header(CONTENT_TYPE, "application/octet-stream")
    }

    /// 200 with a form of several files (RFC 7578), `length` bytes in all.
    pub fn form(source: Box<dyn Read + Send>, length: u64, content_type: &str) -> Reply {
        Reply::new(StatusCode::OK, Content::Stream(source, Some(length))).header(CONTENT_TYPE, content_type)
    }

    /// 200 with the rest of an open file, named for a browser that saves it.
    ///
    /// # Errors
    /// When the file's size cannot be asked.
    pub fn file(file: File, name: &str) -> Result<Reply> {
        let length = file.metadata().map_err(|error| Error::internal(format!("Failed to look at {name}: {error}")))?;
        Ok(Reply::stream(file, Some(length.len())).header(CONTENT_DISPOSITION, &format!("inline;filename={name}")))
    }

    /// 200 with texts as they come, each a line, until their queue ends or the client goes.
    pub fn lines(mut texts: mpsc::Receiver<Utf8Bytes>) -> Reply {
        let (sender, chunks) = mpsc::channel(4);
        tokio::spawn(async move {
            loop {
                let text = tokio::select! {
                    text = texts.recv() => text,
                    () = sender.closed() => None,
                };
                let Some(text) = text else { break };
                if sender.send(Ok(Bytes::from(format!("{text}\n")))).await.is_err() {
                    break;
                }
            }
        });
        Reply::new(StatusCode::OK, Content::Chunks(chunks)).header(CONTENT_TYPE, "application/json")
    }

    /// An answer that waits for something without holding a thread.
    pub fn later(wait: impl Future<Output = Result<Reply>> + Send + 'static) -> Reply {
        Reply::new(StatusCode::OK, Content::Later(Box::pin(wait)))
    }

    /// 101: the connection becomes a websocket, which `task` then has.
    ///
    /// # Errors
    /// 400 when the call does not ask for a websocket.
    pub fn websocket<A, F>(call: &Call<A>, task: impl FnOnce(Socket) -> F + Send + 'static) -> Result<Reply>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let accept = websocket::accept(&call.headers)?;
        let reply = Reply::upgrade(call, "websocket", move |upgraded| async move {
            task(websocket::from_upgraded(upgraded).await).await;
        })?;
        Ok(reply.header(HeaderName::from_static("sec-websocket-accept"), &accept))
    }

    /// 101: the connection speaks `protocol` from now on, and `task` has it.
    ///
    /// # Errors
    /// 400 when the call does not ask for another protocol.
    pub fn upgrade<A, F>(
        call: &Call<A>,
        protocol: &str,
        task: impl FnOnce(Upgraded) -> F + Send + 'static,
    ) -> Result<Reply>
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let upgrade = call.upgrade.lock().ok().and_then(|mut upgrade| upgrade.take());
        let upgrade = upgrade.ok_or_else(|| Error::invalid("Missing or invalid upgrade header"))?;
        let content = Content::Upgrade(upgrade, Box::new(move |upgraded| Box::pin(task(upgraded))));
        let reply = Reply::new(StatusCode::SWITCHING_PROTOCOLS, content);
        Ok(reply.header(CONNECTION, "Upgrade").header(UPGRADE, protocol))
    }

    /// Adds a header; a value that cannot be one is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Reply {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.headers.push((name, value));
        }
        self
    }

    /// Adds the ETag of `fields`.
    #[must_use]
    pub fn etag(self, fields: &(impl Serialize + ?Sized)) -> Reply {
        match etag::hash(fields) {
            Some(hash) => self.etag_hash(&hash),
            None => self,
        }
    }

    /// Adds an ETag made earlier by [`etag::hash`].
    #[must_use]
    pub fn etag_hash(self, hash: &str) -> Reply {
        self.header(ETAG, &format!("\"{hash}\""))
    }

    /// The whole answer, once everything that is waited for has come.
    pub(super) async fn respond(self) -> Response<Answer> {
        let mut reply = self;
        while let Content::Later(wait) = reply.content {
            reply = match wait.await {
                Ok(reply) => reply,
                Err(failed) => return error::respond(&failed),
            };
        }
        let mut json = false;
        let body = match reply.content {
            Content::Json(bytes) => {
                json = true;
                Answer::Whole(bytes)
            }
            Content::Bytes(bytes) => Answer::Whole(bytes),
            Content::Stream(source, length) => Answer::stream(source, length),
            Content::Chunks(chunks) => Answer::Stream { chunks, left: None },
            Content::Upgrade(upgrade, task) => {
                tokio::spawn(async move {
                    // A client that goes away before the switch leaves nothing to do.
                    if let Ok(upgraded) = upgrade.await {
                        task(upgraded).await;
                    }
                });
                Answer::Whole(Bytes::new())
            }
            Content::Later(_) => Answer::Whole(Bytes::new()),
        };
        let mut answer = Response::new(body);
        *answer.status_mut() = reply.status;
        if json {
            answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        answer.headers_mut().extend(reply.headers);
        answer
    }
}
