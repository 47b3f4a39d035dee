//! One request over a daemon's socket, without a client between: what the API itself answers.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::Value;

/// What a daemon answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The status code.
    pub code: u16,
    /// The whole envelope.
    pub body: Value,
    /// The ETag, with its quotes; empty when there is none.
    pub etag: String,
}

impl Answer {
    /// The words of an error; empty when it is none.
    pub fn error(&self) -> &str {
        self.body["error"].as_str().unwrap_or_default()
    }
}

/// Sends `body` as it is, which need not be JSON.
///
/// # Panics
/// When there is no daemon, or it does not answer in HTTP and JSON.
pub fn ask(socket: &Path, method: &str, path: &str, body: &str) -> Answer {
    ask_if(socket, method, path, "", body)
}

/// The same, if what is there still has the ETag `tag`; empty stands for any.
///
/// # Panics
/// As [`ask`] does.
pub fn ask_if(socket: &Path, method: &str, path: &str, tag: &str, body: &str) -> Answer {
    let mut stream = UnixStream::connect(socket).expect("the daemon listens");
    let length = body.len();
    let condition = if tag.is_empty() { String::new() } else { format!("If-Match: {tag}\r\n") };
    // At once: LXD may hang up on a body that it does not want before the last of it is sent.
    let request = format!(
        "{method} {path} HTTP/1.1\r\nHost: lxd\r\nConnection: close\r\n{condition}Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("the daemon reads");
    let mut answer = Vec::new();
    // LXD hangs up on a body that it has not read; what it said before is here.
    let ended = stream.read_to_end(&mut answer);
    assert!(ended.is_ok() || !answer.is_empty(), "{method} {path}: {ended:?}");
    let answer = String::from_utf8(answer).expect("the daemon answers in UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("an answer has a head");
    let code = head.split_whitespace().nth(1).and_then(|code| code.parse().ok()).expect("a status code");
    // What is sent in pieces has their lengths between; no answer here has more than one line.
    let body = body.lines().find(|line| line.starts_with('{')).unwrap_or("null");
    let headers = head.lines().filter_map(|line| line.split_once(": "));
    let etag = headers.filter(|(name, _)| name.eq_ignore_ascii_case("etag")).map(|(_, tag)| tag.to_string()).collect();
    Answer { code, body: serde_json::from_str(body).expect("JSON"), etag }
}
