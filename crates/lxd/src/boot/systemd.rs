//! What systemd hands to a service and wants to hear from it: sd_listen_fds(3), sd_notify(3).

use corten_api::error::{Context, Error, Result};
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, getpid, pidfd_getfd, pidfd_open};
use std::env;
use std::net::TcpListener;
use std::os::fd::OwnedFd;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram, UnixListener};
use std::path::Path;

/// Sockets that were open before we were.
#[derive(Debug, Default)]
pub struct Inherited {
    /// For local clients.
    pub unix: Option<UnixListener>,
    /// For HTTPS.
    pub tcp: Option<TcpListener>,
}

/// The first inherited descriptor.
const FIRST: i32 = 3;

/// How many sockets were handed to this process.
fn announced() -> i32 {
    let number = |name: &str| env::var(name).ok().and_then(|text| text.parse::<i32>().ok());
    let ours = number("LISTEN_PID") == Some(getpid().as_raw_nonzero().get());
    number("LISTEN_FDS").filter(|_| ours).unwrap_or(0)
}

/// Removes our unix socket at the end, unless systemd made it: that one listens on for us.
pub fn remove_socket(path: &Path) {
    if announced() == 0 {
        let _ = std::fs::remove_file(path);
    }
}

/// Takes over the sockets that `LISTEN_FDS` and `LISTEN_PID` announce.
///
/// # Errors
/// When a descriptor that was announced is not there, or is no socket.
pub fn sockets() -> Result<Inherited> {
    let mut inherited = Inherited::default();
    for index in 0..announced() {
        let socket = duplicate(getpid(), FIRST + index)?;
        let family = rustix::net::sockopt::socket_domain(&socket).context("Failed to look at an inherited socket")?;
        if family == rustix::net::AddressFamily::UNIX {
            inherited.unix = Some(UnixListener::from(socket));
        } else {
            inherited.tcp = Some(TcpListener::from(socket));
        }
    }
    Ok(inherited)
}

/// A descriptor of this process by its number, as an owned one (pidfd_getfd(2) needs no unsafe code for that).
fn duplicate(own: Pid, number: i32) -> Result<OwnedFd> {
    let failed = |error| Error::internal(format!("Failed to take over the inherited descriptor {number}: {error}"));
    let process = pidfd_open(own, PidfdFlags::empty()).map_err(failed)?;
    pidfd_getfd(&process, number, PidfdGetfdFlags::empty()).map_err(failed)
}

/// Tells systemd how the service stands; nobody may be listening.
pub fn notify(state: &str) {
    let Some(path) = env::var_os("NOTIFY_SOCKET") else { return };
    let text = path.to_string_lossy();
    let address = match text.strip_prefix('@') {
        Some(name) => SocketAddr::from_abstract_name(name),
        None => SocketAddr::from_pathname(&path),
    };
    let sent = address.and_then(|address| UnixDatagram::unbound()?.send_to_addr(state.as_bytes(), &address));
    if let Err(error) = sent {
        tracing::warn!("Failed to tell systemd {state:?}: {error}");
    }
}
