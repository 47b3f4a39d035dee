//! A server that says what it hears, at addresses that change.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};

use super::*;

/// A server that says what it heard, from whom, and how; on connections twice.
fn echo(runtime: &Handle) -> Dns {
    Dns::new(
        runtime.clone(),
        Arc::new(|from, way, message| match way {
            Way::Udp => vec![[message, from.to_string().into_bytes()].concat()],
            Way::Tcp => vec![message.clone(), message],
        }),
    )
}

fn free_port() -> u16 {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    taken.local_addr().expect("an address").port()
}

fn at(text: &str, port: u16) -> Option<SocketAddr> {
    Some(SocketAddr::new(text.parse().expect("an address"), port))
}

fn answers_on(port: u16) -> bool {
    let Ok(mut stream) = TcpStream::connect(("127.0.0.1", port)) else { return false };
    stream.write_all(&[0, 2, 7, 8]).expect("a question");
    let mut answer = [0; 8];
    stream.read_exact(&mut answer).expect("two answers");
    answer == [0, 2, 7, 8, 0, 2, 7, 8]
}

#[test]
fn both_ways_are_answered_and_the_address_can_change() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().expect("a runtime");
    let (dns, port) = (echo(runtime.handle()), free_port());
    assert!(!answers_on(port));
    dns.listen_on(at("127.0.0.1", port)).expect("it listens");
    assert!(answers_on(port));

    let client = UdpSocket::bind("127.0.0.1:0").expect("a socket");
    client.send_to(b"who ", ("127.0.0.1", port)).expect("sent");
    let mut buffer = [0; 64];
    let (length, _) = client.recv_from(&mut buffer).expect("an answer");
    assert_eq!(&buffer[..length], b"who 127.0.0.1");

    // All addresses of the port, one of which it has already.
    dns.listen_on(at("0.0.0.0", port)).expect("it listens");
    assert!(answers_on(port));

    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let other = taken.local_addr().expect("an address");
    let error = dns.listen_on(Some(other)).expect_err("it is taken");
    assert!(error.message.starts_with("Failed to bind DNS address"), "{error}");
    assert!(answers_on(port), "it listens where it did");

    dns.listen_on(None).expect("it stops");
    assert!(!answers_on(port));
}
