//! Messages as packets: JSON as it is, or in a memory file when it is larger than a socket's buffer may be.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use corten_host::fd;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// Packets up to this size are sent as they are: the smallest default of `net.core.wmem_max` leaves room for it.
const INLINE: usize = 32 * 1024;

/// What stands in the packet when the message is in the first descriptor. No JSON text begins so.
const IN_FILE: &[u8] = b"@";

/// Larger messages are refused.
const LIMIT: u64 = 4 << 20;

/// Sends `message` with `fds`.
///
/// # Errors
/// What the kernel says; see [`fd::send`].
pub fn send<T: Serialize>(socket: impl AsFd, message: &T, fds: &[BorrowedFd<'_>]) -> io::Result<()> {
    let text = serde_json::to_vec(message)?;
    if text.len() <= INLINE {
        return fd::send(socket, &text, fds);
    }
    let file = fd::memory_file("corten-message", &text)?;
    let mut all = vec![file.as_fd()];
    all.extend_from_slice(fds);
    fd::send(socket, IN_FILE, &all)
}

/// Receives a message; `None` when the other end is closed.
///
/// # Errors
/// What the kernel says; `InvalidData` when the packet is no message.
pub fn receive<T: DeserializeOwned>(socket: impl AsFd) -> io::Result<Option<(T, Vec<OwnedFd>)>> {
    let Some((packet, mut fds)) = fd::receive(socket)? else { return Ok(None) };
    if packet != IN_FILE {
        return Ok(Some((serde_json::from_slice(&packet)?, fds)));
    }
    if fds.is_empty() {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "a message's file is missing"));
    }
    let text = read_whole(fds.remove(0))?;
    Ok(Some((serde_json::from_slice(&text)?, fds)))
}

fn read_whole(file: OwnedFd) -> io::Result<Vec<u8>> {
    use std::os::unix::fs::FileExt;
    let file = std::fs::File::from(file);
    let length = file.metadata()?.len();
    if length > LIMIT {
        return Err(io::Error::new(io::ErrorKind::InvalidData, format!("a message of {length} bytes, over {LIMIT}")));
    }
    let mut text = vec![0; usize::try_from(length).unwrap_or(0)];
    // From its start, wherever the sender left its position.
    file.read_exact_at(&mut text, 0)?;
    Ok(text)
}
