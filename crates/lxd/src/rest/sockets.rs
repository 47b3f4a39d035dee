//! Listening sockets: made here, or inherited from systemd (sd_listen_fds(3)).

use corten_api::error::{Context, Error, Result};
use std::net::{IpAddr, Ipv6Addr, SocketAddr, ToSocketAddrs};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

/// The port of an HTTPS address that names none.
pub const DEFAULT_PORT: u16 = 8443;

/// Makes the unix socket at `path`, for root and the members of `group` (mode 0660).
///
/// # Errors
/// When another daemon answers there, or the group does not exist.
pub fn unix(path: &Path, group: Option<&str>) -> Result<UnixListener> {
    let shown = path.display();
    if UnixStream::connect(path).is_ok() {
        return Err(Error::conflict("LXD is already running"));
    }
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path).with_context(|| format!("Failed to listen on {shown}"))?;
    let gid = match group {
        Some(group) => group_id(group)?,
        None => rustix::process::getgid().as_raw(),
    };
    std::os::unix::fs::chown(path, None, Some(gid)).with_context(|| format!("Failed to give {shown} to its group"))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))
        .with_context(|| format!("Failed to set the mode of {shown}"))?;
    Ok(listener)
}

/// Makes the socket at `path` that every process may connect to which can see it, in place of an older one.
///
/// # Errors
/// When it cannot be made.
pub fn for_everyone(path: &Path) -> Result<UnixListener> {
    let shown = path.display();
    let _ = std::fs::remove_file(path);
    let listener = UnixListener::bind(path).with_context(|| format!("Failed to listen on {shown}"))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666))
        .with_context(|| format!("Failed to set the mode of {shown}"))?;
    Ok(listener)
}

/// The number of a local group, from `/etc/group`.
fn group_id(name: &str) -> Result<u32> {
    let groups = std::fs::read_to_string("/etc/group").context("Failed to read /etc/group")?;
    let found = groups.lines().find_map(|line| {
        let mut fields = line.split(':');
        (fields.next() == Some(name)).then(|| fields.nth(1)?.parse().ok()).flatten()
    });
    found.ok_or_else(|| Error::invalid(format!("The group \"{name}\" given with --group does not exist")))
}

/// Reads an address as LXD's configuration has it: `1.2.3.4`, `:8443`, `[::1]:9999`, `host`, `host:port`; without a host
/// it is every address of the machine.
///
/// # Errors
/// When it is none of these, or the host's name is not known.
pub fn parse_address(text: &str, default_port: u16) -> Result<SocketAddr> {
    let any = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
    if let Ok(address) = text.parse::<SocketAddr>() {
        return Ok(address);
    }
    if let Ok(host) = text.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>() {
        return Ok(SocketAddr::new(host, default_port));
    }
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) => {
            let port =
                port.parse().map_err(|_| Error::invalid(format!("Invalid port {port:?}: expected 0 to 65535")))?;
            (host, port)
        }
        None => (text, default_port),
    };
    match host {
        "" | "[::]" | "*" => Ok(SocketAddr::new(any, port)),
        host => {
            let unknown = || Error::invalid(format!("Couldn't resolve {host:?}"));
            (host, port).to_socket_addrs().ok().and_then(|mut found| found.next()).ok_or_else(unknown)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_lxds() {
        for (text, wanted) in [
            ("10.0.0.1", "10.0.0.1:8443"),
            ("10.0.0.1:99", "10.0.0.1:99"),
            (":443", "[::]:443"),
            ("[::]:443", "[::]:443"),
            ("[::1]", "[::1]:8443"),
            ("::1", "[::1]:8443"),
            ("[::1]:9", "[::1]:9"),
            ("", "[::]:8443"),
        ] {
            assert_eq!(
                parse_address(text, DEFAULT_PORT).map(|address| address.to_string()),
                Ok(wanted.into()),
                "{text}"
            );
        }
        for text in ["no.such.host.invalid", "10.0.0.1:x", "10.0.0.1:70000", ":"] {
            assert!(parse_address(text, DEFAULT_PORT).is_err(), "{text}");
        }
    }

    #[test]
    fn a_socket_left_behind_is_replaced_and_a_live_one_is_not() {
        let dir = std::env::temp_dir().join(format!("corten-sockets-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a directory");
        let path = dir.join("unix.socket");
        drop(UnixListener::bind(&path).expect("a socket"));
        let live = unix(&path, None).expect("it replaces the dead one");
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o660);
        assert_eq!(unix(&path, None).expect_err("it runs").message, "LXD is already running");
        drop(live);
        assert!(unix(&path, Some("no-such-group")).expect_err("no group").message.contains("no-such-group"));
        std::fs::remove_dir_all(&dir).expect("removed");
    }
}
