//! Makes a running monitor look like one of an older version: stands between it and the daemon, says the older number,
//! and lets no message pass that came later.

use std::io::{IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::sync::Arc;

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags, Shutdown, SocketAddrUnix, SocketFlags, SocketType, accept_with, bind, connect, listen, recvmsg, sendmsg,
    shutdown, socket_with,
};

/// More than any message has.
const LARGEST: usize = 1 << 20;

/// Takes the place of the socket of a monitor, which then speaks version 1. Daemons that are connected stay so.
///
/// # Panics
/// When the socket cannot be replaced.
pub fn speak_version_1(socket: &Path) {
    let real = socket.with_extension("real");
    std::fs::rename(socket, &real).expect("the monitor has a socket");
    let listener = new_socket();
    bind(&listener, &SocketAddrUnix::new(socket).expect("a short path")).expect("its place is free");
    listen(&listener, 16).expect("a socket");
    std::thread::spawn(move || {
        while let Ok(daemon) = accept_with(&listener, SocketFlags::CLOEXEC) {
            let monitor = new_socket();
            if connect(&monitor, &SocketAddrUnix::new(&real).expect("a short path")).is_err() {
                return;
            }
            let (daemon, monitor) = (Arc::new(daemon), Arc::new(monitor));
            let ends = (daemon.clone(), monitor.clone());
            std::thread::spawn(move || {
                pass(&ends.0, &ends.1, |asked| {
                    if asked == b"\"files\"" { b"\"of version 2\"".to_vec() } else { asked.to_vec() }
                })
            });
            std::thread::spawn(move || {
                pass(&monitor, &daemon, |said| {
                    String::from_utf8_lossy(said)
                        .replace("{\"hello\":{\"version\":2,", "{\"hello\":{\"version\":1,")
                        .into_bytes()
                })
            });
        }
    });
}

fn new_socket() -> OwnedFd {
    socket_with(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).expect("a socket")
}

/// Hands messages on, with their descriptors, until one side is gone.
fn pass(from: &OwnedFd, to: &OwnedFd, change: impl Fn(&[u8]) -> Vec<u8>) {
    let mut bytes = vec![0; LARGEST];
    loop {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
        let mut with = RecvAncillaryBuffer::new(&mut space);
        let received = recvmsg(from, &mut [IoSliceMut::new(&mut bytes)], &mut with, RecvFlags::CMSG_CLOEXEC);
        let Ok(count @ 1..) = received.map(|message| message.bytes) else { break };
        let mut fds: Vec<OwnedFd> = Vec::new();
        for message in with.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                fds.extend(rights);
            }
        }
        let borrowed: Vec<_> = fds.iter().map(AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(16))];
        let mut with = SendAncillaryBuffer::new(&mut space);
        if !borrowed.is_empty() {
            with.push(SendAncillaryMessage::ScmRights(&borrowed));
        }
        let changed = change(&bytes[..count]);
        if sendmsg(to, &[IoSlice::new(&changed)], &mut with, SendFlags::NOSIGNAL).is_err() {
            break;
        }
    }
    // The other direction ends as well.
    let _ = shutdown(from, Shutdown::Both);
    let _ = shutdown(to, Shutdown::Both);
}
