//! One request, as handlers see it.

use super::body::{Asked, Reader};
use super::peer::Requestor;
use super::query::Query;
use super::{etag, filter};
use corten_api::error::{Error, Result};
use corten_api::event::EventLifecycleRequestor;
use corten_api::json;
use corten_api::url::DEFAULT_PROJECT;
use hyper::upgrade::OnUpgrade;
use hyper::{HeaderMap, Method};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::io::Read;
use std::sync::{Arc, Mutex};

/// The largest JSON body that is read, in bytes; LXD itself has no bound.
pub const MAX_JSON: u64 = 16 << 20;

/// One request to the service `A`.
pub struct Call<A> {
    /// The service.
    pub app: Arc<A>,
    /// The method.
    pub method: Method,
    /// The path, still percent-encoded.
    pub path: String,
    /// The query.
    pub query: Query,
    /// The headers.
    pub headers: HeaderMap,
    /// Who asks.
    pub requestor: Arc<Requestor>,
    /// `container` or `virtual-machine` when the path says so (`/1.0/containers…`).
    pub instance_type: Option<&'static str>,
    pub(super) parts: Vec<(&'static str, String)>,
    pub(super) body: Mutex<Asked>,
    pub(super) upgrade: Mutex<Option<OnUpgrade>>,
}

impl<A> Call<A> {
    /// The part of the path that the endpoint calls `{name}`.
    ///
    /// # Panics
    /// When the endpoint's path has no such part: a defect of the table.
    pub fn part(&self, name: &str) -> &str {
        let part = self.parts.iter().find(|(key, _)| *key == name);
        &part.unwrap_or_else(|| panic!("{} has no part {{{name}}}", self.path)).1
    }

    /// The project that the client asked for; `default` when it named none.
    pub fn project(&self) -> &str {
        match self.query.get("project") {
            "" => DEFAULT_PROJECT,
            project => project,
        }
    }

    /// Whether things of all projects are asked for.
    ///
    /// # Errors
    /// When one project is named as well.
    pub fn all_projects(&self) -> Result<bool> {
        let all = self.query.flag("all-projects");
        if all && !self.query.get("project").is_empty() {
            return Err(Error::invalid("Cannot specify a project when requesting all projects"));
        }
        Ok(all)
    }

    /// How deep lists are to be filled: 0 is paths only. What is no number counts as 0.
    pub fn recursion(&self) -> u8 {
        self.query.get("recursion").parse().unwrap_or(0)
    }

    /// The filter that a list is to pass through; an empty one lets everything pass.
    ///
    /// # Errors
    /// When it cannot be read: 500, as LXD answers.
    pub fn filter(&self) -> Result<filter::Filter> {
        filter::Filter::parse(self.query.get("filter"))
            .map_err(|error| Error::internal(format!("Invalid filter: {error}")))
    }

    /// A header's text; empty when it is absent or no text.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
    }

    /// Who asks, for operations and lifecycle events.
    pub fn lifecycle_requestor(&self) -> EventLifecycleRequestor {
        self.requestor.lifecycle()
    }

    /// Compares `If-Match` with the hash of `fields`; see [`etag::check`].
    ///
    /// # Errors
    /// 412 when the client looked at another version.
    pub fn check_etag(&self, fields: &(impl Serialize + ?Sized)) -> Result<()> {
        etag::check(&self.headers, fields)
    }

    /// The body, to be read as it comes. There is only one: a second call gets an empty one.
    pub fn body(&self) -> Reader {
        let asked = self.body.lock().map_or(Asked::None, |mut body| std::mem::replace(&mut *body, Asked::None));
        Reader::new(asked)
    }

    /// Whether all of the body is here.
    pub fn is_whole(&self) -> bool {
        self.body.lock().is_ok_and(|body| !matches!(*body, Asked::Coming(_)))
    }

    /// The whole body, at most [`MAX_JSON`] bytes.
    ///
    /// # Errors
    /// 413 when it is larger, 400 when the connection breaks.
    pub fn bytes(&self) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut body = self.body().take(MAX_JSON + 1);
        body.read_to_end(&mut bytes).map_err(|error| Error::invalid(format!("Failed to read the body: {error}")))?;
        if bytes.len() as u64 > MAX_JSON {
            return Err(Error {
                kind: corten_api::error::Kind::TooLarge,
                message: format!("The request body is larger than {MAX_JSON} bytes"),
            });
        }
        Ok(bytes)
    }

    /// The body read as JSON. Unknown fields are ignored, as all of LXD's clients count on.
    ///
    /// # Errors
    /// 400 when it is no JSON or of the wrong shape, naming the field; 413 when it is too large.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T> {
        read_json(&self.bytes()?)
    }

    /// The body read as JSON, for handlers that look at its fields one by one.
    ///
    /// # Errors
    /// Those of [`Call::json`], and 400 when it is no object.
    pub fn json_object(&self) -> Result<serde_json::Map<String, Value>> {
        self.json()
    }
}

/// Reads `bytes` as JSON, with an error that names the field at fault.
///
/// # Errors
/// 400, in words.
pub fn read_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(Error::invalid("EOF"));
    }
    if bytes.trim_ascii() == b"null" {
        return Err(Error::invalid("Invalid request body: it is null"));
    }
    json::from_slice(bytes).map_err(|error| match error.classify() {
        serde_json::error::Category::Data => match culprit::<T>(bytes) {
            Some(field) => Error::invalid(format!("Invalid value for \"{field}\": {error}")),
            None => Error::invalid(format!("Invalid request body: {error}")),
        },
        _ => Error::invalid(format!("The request body is not JSON: {error}")),
    })
}

/// Which top-level field keeps `bytes` from being a `T`: the one without which it is one.
fn culprit<T: DeserializeOwned>(bytes: &[u8]) -> Option<String> {
    let fields: serde_json::Map<String, Value> = serde_json::from_slice(bytes).ok()?;
    fields
        .iter()
        .find(|(name, value)| {
            let alone = serde_json::Map::from_iter([((*name).clone(), (*value).clone())]);
            json::from_value::<T>(Value::Object(alone)).is_err()
        })
        .map(|(name, _)| name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[derive(Debug, Default, serde::Deserialize)]
    #[serde(default)]
    struct Body {
        name: String,
        config: BTreeMap<String, String>,
    }

    #[test]
    fn bad_bodies_name_the_field() {
        let cases: &[(&str, &str)] = &[
            ("", "EOF"),
            (" \n", "EOF"),
            ("{", "The request body is not JSON: EOF while parsing an object at line 1 column 1"),
            ("[1]", "Invalid request body: invalid type: sequence, expected struct Body at line 1 column 1"),
            (
                r#"{"name": "x", "config": {"a": 1}}"#,
                "Invalid value for \"config\": invalid type: integer `1`, expected a string at line 1 column 31",
            ),
            (
                r#"{"name": []}"#,
                "Invalid value for \"name\": invalid type: sequence, expected a string at line 1 column 9",
            ),
        ];
        for (text, wanted) in cases {
            let error = read_json::<Body>(text.as_bytes()).expect_err(text);
            assert_eq!(error.message, *wanted, "{text}");
        }
        let body: Body = read_json(br#"{"name": "x", "more": 1}"#).expect("unknown fields are ignored");
        assert_eq!((body.name.as_str(), body.config.len()), ("x", 0));
    }
}
