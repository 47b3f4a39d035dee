//! Requests over connections that the server closes between them, and operations that end well and badly.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use corten_api::error::Kind;
use corten_client::body::Body;
use corten_client::endpoint::Endpoint;
use corten_client::http::Ask;
use corten_client::server::Server;
use hyper::Method;
use serde_json::{Value, json};

/// A server on a socket of its own; `per_connection` requests are answered before it hangs up without a word.
struct Fake {
    socket: PathBuf,
    connections: Arc<AtomicUsize>,
}

impl Fake {
    fn new(name: &str, per_connection: usize, reply: fn(&str, &str) -> (u16, Value)) -> Fake {
        let socket = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.socket", std::process::id()));
        let listener = UnixListener::bind(&socket).unwrap();
        let connections = Arc::new(AtomicUsize::new(0));
        let count = connections.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                count.fetch_add(1, Ordering::SeqCst);
                let stream = stream.unwrap();
                std::thread::spawn(move || answer(stream, per_connection, reply));
            }
        });
        Fake { socket, connections }
    }

    fn client(&self) -> Server {
        Server::new(Endpoint::Unix(self.socket.clone()))
    }
}

impl Drop for Fake {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.socket);
    }
}

fn answer(mut stream: UnixStream, requests: usize, reply: fn(&str, &str) -> (u16, Value)) {
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    for _ in 0..requests {
        let (mut first, mut length) = (String::new(), 0);
        if lines.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        loop {
            let mut line = String::new();
            lines.read_line(&mut line).unwrap();
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        lines.read_exact(&mut vec![0; length]).unwrap();
        let mut words = first.split_whitespace();
        let (status, body) = reply(words.next().unwrap(), words.next().unwrap());
        let body = body.to_string();
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all((head + &body).as_bytes()).unwrap();
    }
}

fn good(metadata: Value) -> (u16, Value) {
    (200, json!({ "type": "sync", "status": "Success", "status_code": 200, "metadata": metadata }))
}

fn respond(method: &str, path: &str) -> (u16, Value) {
    let operation = |id: &str, code: i64, error: &str| json!({ "id": id, "status_code": code, "err": error });
    match (method, path) {
        ("GET", "/1.0/count") => good(json!(7)),
        ("POST", "/1.0/good") => (202, json!({ "type": "async", "metadata": operation("g", 103, "") })),
        ("POST", "/1.0/bad") => (202, json!({ "type": "async", "metadata": operation("b", 103, "") })),
        ("GET", "/1.0/operations/g/wait") => good(operation("g", 200, "")),
        ("GET", "/1.0/operations/b/wait") => good(operation("b", 400, "It broke")),
        _ => (404, json!({ "type": "error", "error_code": 404, "error": "Not here", "metadata": null })),
    }
}

#[tokio::test(flavor = "current_thread")]
async fn one_connection_serves_many_requests() {
    let fake = Fake::new("many", usize::MAX, respond);
    let client = fake.client();
    for _ in 0..5 {
        assert_eq!(client.get::<i64>("/1.0/count").await.unwrap(), 7);
    }
    assert_eq!(fake.connections.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "current_thread")]
async fn a_connection_that_was_closed_meanwhile_is_replaced() {
    let fake = Fake::new("one", 1, respond);
    let client = fake.client();
    for _ in 0..5 {
        assert_eq!(client.get::<i64>("/1.0/count").await.unwrap(), 7);
    }
    assert_eq!(fake.connections.load(Ordering::SeqCst), 5);
}

#[tokio::test(flavor = "current_thread")]
async fn operations_end_with_their_own_words() {
    let fake = Fake::new("operations", usize::MAX, respond);
    let client = fake.client();
    let running = client.start(Method::POST, "/1.0/good", &json!({}), "").await.unwrap();
    assert_eq!(running.wait().await.unwrap().id, "g");
    let running = client.start(Method::POST, "/1.0/bad", &json!({}), "").await.unwrap();
    assert_eq!(running.wait().await.unwrap_err().message, "It broke");
    let error = client.start(Method::POST, "/1.0/none", &json!({}), "").await.err().unwrap();
    assert_eq!((error.kind, error.message.as_str()), (Kind::NotFound, "Not here"));
    // A reply that is no operation is not waited for.
    assert!(client.start(Method::GET, "/1.0/count", &(), "").await.is_err());
}

/// Answers from the head of a request alone and hangs up with the body unread, as servers do that refuse an upload.
fn hasty(name: &str) -> PathBuf {
    let socket = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}.socket", std::process::id()));
    let listener = UnixListener::bind(&socket).unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            stream.read_exact(&mut [0; 64]).unwrap();
            let body = respond("POST", "/1.0/none").1.to_string();
            let head = format!("HTTP/1.1 404 X\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", body.len());
            stream.write_all((head + &body).as_bytes()).unwrap();
        }
    });
    socket
}

#[tokio::test(flavor = "multi_thread")]
async fn what_refuses_an_upload_is_heard_though_the_rest_of_it_finds_nobody() {
    let socket = hasty("hasty");
    let client = Server::new(Endpoint::Unix(socket.clone()));
    for _ in 0..200 {
        let body = Body::reader(std::io::repeat(b'x').take(4 << 20), Some(4 << 20), |_| {});
        let ask = Ask::new(Method::POST, "/1.0/none").body("application/octet-stream", body);
        let error = client.ask(ask).await.err().unwrap();
        assert_eq!((error.kind, error.message.as_str()), (Kind::NotFound, "Not here"));
    }
    std::fs::remove_file(socket).unwrap();
}
