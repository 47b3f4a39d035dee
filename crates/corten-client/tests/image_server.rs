//! Fetching from image servers that behave well, badly, and maliciously.

use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};

use corten_client::simplestreams::fetch::Remote;
use corten_client::simplestreams::product::{File, Holds};
use sha2::{Digest, Sha256};

/// A server on loopback that answers each path by what `reply` gives: status line and headers, then the body.
fn server(reply: fn(&str) -> (String, Vec<u8>)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            std::thread::spawn(move || answer(stream, reply));
        }
    });
    format!("http://{address}")
}

fn answer(mut stream: TcpStream, reply: fn(&str) -> (String, Vec<u8>)) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let first = lines.next().unwrap().unwrap();
    while lines.next().is_some_and(|line| !line.unwrap().is_empty()) {}
    let (head, body) = reply(first.split_whitespace().nth(1).unwrap());
    // A client that refuses what it gets hangs up.
    let _ = stream.write_all(format!("HTTP/1.1 {head}\r\nConnection: close\r\n\r\n").as_bytes());
    let _ = stream.write_all(&body);
}

fn ok(body: &[u8]) -> (String, Vec<u8>) {
    (format!("200 OK\r\nContent-Length: {}", body.len()), body.to_vec())
}

fn respond(path: &str) -> (String, Vec<u8>) {
    let moved = |to: &str| (format!("302 Found\r\nLocation: {to}\r\nContent-Length: 0"), Vec::new());
    match path {
        "/good" => ok(b"content"),
        "/moved" => moved("/good"),
        "/circle" => moved("/circle"),
        "/short" => ("200 OK\r\nContent-Length: 100".to_owned(), b"content".to_vec()),
        "/endless" => ("200 OK\r\nContent-Length: 100000000".to_owned(), vec![0; 4 << 20]),
        "/streams/v1/index.json" => {
            ok(br#"{"index":{"i":{"datatype":"image-downloads","path":"p.json","products":["x"]}}}"#)
        }
        "/p.json" => ok(b"no json"),
        _ => ("404 Not Found\r\nContent-Length: 0".to_owned(), Vec::new()),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

async fn fetch(url: &str, path: &str, sha256: &str, size: i64) -> Result<Vec<u8>, String> {
    let file = File { path: path.to_owned(), sha256: sha256.to_owned(), size, holds: Holds::Root };
    let (mut to, mut all) = (Vec::new(), Sha256::new());
    let remote = Remote::new(url, None);
    remote.download(&file, &mut to, &mut all, |_, _| {}).await.map(|_| to).map_err(|error| error.message)
}

#[tokio::test(flavor = "current_thread")]
async fn files_are_taken_only_when_they_are_what_was_announced() {
    let url = server(respond);
    let hash = hex(&Sha256::digest(b"content"));
    assert_eq!(fetch(&url, "good", &hash, 7).await.unwrap(), b"content");
    assert_eq!(fetch(&url, "moved", &hash, 7).await.unwrap(), b"content");
    let wrong = "0".repeat(64);
    assert_eq!(
        fetch(&url, "good", &wrong, 7).await.unwrap_err(),
        format!("Hash mismatch for {url}/good: {hash} != {wrong}")
    );
    assert!(fetch(&url, "good", &hash, 5).await.unwrap_err().contains("longer than the 5 bytes announced"));
    assert!(fetch(&url, "short", &hash, 100).await.unwrap_err().contains("cut off"));
    assert!(fetch(&url, "endless", &hash, 1 << 20).await.unwrap_err().contains("longer than"));
    assert!(fetch(&url, "circle", &hash, 7).await.unwrap_err().contains("stopped after 10 redirects"));
    assert_eq!(fetch(&url, "none", &hash, 7).await.unwrap_err(), format!("Unable to fetch {url}/none: 404 Not Found"));
}

#[tokio::test(flavor = "current_thread")]
async fn documents_that_are_none_are_refused() {
    let url = server(respond);
    let error = Remote::new(&url, None).catalogue().await.unwrap_err();
    assert!(error.message.starts_with("Failed parsing products: Failed decoding products JSON from \"p.json\": "));
    let error = Remote::new(format!("{url}/elsewhere"), None).catalogue().await.unwrap_err();
    let want = format!("Failed parsing stream: Unable to fetch {url}/elsewhere/streams/v1/index.json: 404 Not Found");
    assert_eq!(error.message, want);
    let error = Remote::new("http://127.0.0.1:1", None).catalogue().await.unwrap_err();
    assert!(error.message.contains("connection refused"), "{error}");
}
