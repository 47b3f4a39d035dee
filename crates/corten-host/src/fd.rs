//! Descriptors passed over unix sockets: one packet with its descriptors is one message.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::{Errno, IoSlice, IoSliceMut};
use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, SocketFlags, SocketType,
};

/// How many descriptors one packet may carry. The kernel's own limit is 253 (`SCM_MAX_FD`).
pub const MAX_FDS: usize = 64;

const SPACE: usize = rustix::cmsg_space!(ScmRights(MAX_FDS));

/// Two connected ends of a packet socket (unix(7), `SOCK_SEQPACKET`), both closed at exec.
///
/// # Errors
/// When the process has too many descriptors.
pub fn packet_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::net::socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?)
}

/// Two connected ends of a byte stream socket, both closed at exec.
///
/// # Errors
/// When the process has too many descriptors.
pub fn stream_pair() -> io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::net::socketpair(AddressFamily::UNIX, SocketType::STREAM, SocketFlags::CLOEXEC, None)?)
}

/// An unlinked file in memory with this content, positioned at its start.
///
/// # Errors
/// When memory or descriptors run out.
pub fn memory_file(name: &str, content: &[u8]) -> io::Result<OwnedFd> {
    use std::io::{Seek, Write};
    let fd = rustix::fs::memfd_create(name, rustix::fs::MemfdFlags::CLOEXEC)?;
    let mut file = std::fs::File::from(fd);
    file.write_all(content)?;
    file.rewind()?;
    Ok(file.into())
}

/// Sends one packet. An absent reader is an error (`EPIPE`), never a signal.
///
/// # Errors
/// What the kernel says: `EMSGSIZE` when the packet is larger than the socket's buffer, `EAGAIN` on a full
/// non-blocking socket.
pub fn send(socket: impl AsFd, packet: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); SPACE];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, format!("more than {MAX_FDS} descriptors at once")));
    }
    let sent =
        retry(|| rustix::net::sendmsg(socket.as_fd(), &[IoSlice::new(packet)], &mut control, SendFlags::NOSIGNAL))?;
    if sent != packet.len() {
        return Err(io::Error::new(io::ErrorKind::WriteZero, "the socket took a part of a packet"));
    }
    Ok(())
}

/// Receives one packet with its descriptors, which are closed at exec; `None` when the other end is closed.
///
/// # Errors
/// What the kernel says; or that descriptors were lost since there were too many of them.
pub fn receive(socket: impl AsFd) -> io::Result<Option<(Vec<u8>, Vec<OwnedFd>)>> {
    // The length first, so that the buffer is as large as this packet and no larger: the monitor lives in few pages.
    let mut probe = [0u8; 1];
    let length = retry(|| {
        rustix::net::recv(socket.as_fd(), &mut probe[..], RecvFlags::PEEK | RecvFlags::TRUNC).map(|(_, length)| length)
    })?;
    if length == 0 {
        return Ok(None);
    }
    let mut packet = vec![0u8; length];
    let mut space = [MaybeUninit::uninit(); SPACE];
    let mut control = RecvAncillaryBuffer::new(&mut space);
    let received = retry(|| {
        rustix::net::recvmsg(socket.as_fd(), &mut [IoSliceMut::new(&mut packet)], &mut control, RecvFlags::CMSG_CLOEXEC)
    })?;
    packet.truncate(received.bytes);
    let mut fds = Vec::new();
    for message in control.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = message {
            fds.extend(rights);
        }
    }
    if received.flags.contains(ReturnFlags::CTRUNC) {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "descriptors sent with a packet were lost"));
    }
    Ok(Some((packet, fds)))
}

fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(Errno::INTR) => {}
            outcome => return outcome.map_err(io::Error::from),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn packets_keep_their_bounds_and_their_descriptors() {
        let (a, b) = packet_pair().expect("a pair");
        let file = memory_file("note", b"hello").expect("memory");
        send(&a, b"first", &[file.as_fd()]).expect("sent");
        send(&a, b"second", &[]).expect("sent");
        let (packet, mut fds) = receive(&b).expect("received").expect("open");
        assert_eq!((packet.as_slice(), fds.len()), (&b"first"[..], 1));
        let mut text = String::new();
        std::fs::File::from(fds.remove(0)).read_to_string(&mut text).expect("readable");
        assert_eq!(text, "hello");
        let (packet, fds) = receive(&b).expect("received").expect("open");
        assert_eq!((packet.as_slice(), fds.len()), (&b"second"[..], 0));
        drop(a);
        assert!(receive(&b).expect("received").is_none());
    }

    #[test]
    fn a_reader_that_is_gone_is_an_error_and_no_signal() {
        let (a, b) = packet_pair().expect("a pair");
        drop(b);
        assert_eq!(send(&a, b"x", &[]).unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        let (mut one, mut other) = {
            let (a, b) = stream_pair().expect("a pair");
            (std::fs::File::from(a), std::fs::File::from(b))
        };
        one.write_all(b"bytes").expect("written");
        drop(one);
        let mut text = String::new();
        other.read_to_string(&mut text).expect("readable");
        assert_eq!(text, "bytes");
    }
}
