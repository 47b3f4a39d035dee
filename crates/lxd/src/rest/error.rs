//! Errors as LXD's envelope carries them.

use super::body::Answer;
use super::json;
use corten_api::error::Error;
use hyper::header::{CONTENT_TYPE, HeaderValue, X_CONTENT_TYPE_OPTIONS};
use hyper::{Response, StatusCode};
use serde::Serialize;

/// The error envelope, its fields in LXD's order.
#[derive(Serialize)]
struct Envelope<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    status: &'static str,
    status_code: u16,
    operation: &'static str,
    error_code: u16,
    error: &'a str,
    metadata: Option<()>,
}

/// The answer for a failed call.
pub fn respond(error: &Error) -> Response<Answer> {
    let code = error.kind.status();
    let envelope = Envelope {
        kind: "error",
        status: "",
        status_code: 0,
        operation: "",
        error_code: code,
        error: &error.message,
        metadata: None,
    };
    let mut body = Vec::with_capacity(128 + error.message.len());
    // The envelope holds only strings and numbers, which always can be written.
    let _ = json::write_for_pages(&mut body, &envelope);
    body.extend_from_slice(b"\n\n");
    let mut answer = Response::new(Answer::from(body));
    *answer.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer.headers_mut().insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    answer
}

/// 404 «not found», for paths without an endpoint.
pub fn no_such_path() -> Error {
    Error::not_found("not found")
}

/// 403 «not authorized».
pub fn not_authorized() -> Error {
    Error::forbidden("not authorized")
}

/// 501 «not implemented», for verbs that an endpoint does not have.
pub fn not_implemented() -> Error {
    Error::not_implemented("not implemented")
}
