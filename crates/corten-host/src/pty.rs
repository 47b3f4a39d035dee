//! Terminals from a given devpts, so that they belong to the container whose file system it is.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::fs::{Gid, Mode, OFlags, Uid};
use rustix::pty::{OpenptFlags, ioctl_tiocgptpeer, ptsname, unlockpt};
use rustix::termios::Winsize;

/// A pair of terminal ends, both closed at exec.
#[derive(Debug)]
pub struct Pty {
    /// The side of whoever types and reads.
    pub master: OwnedFd,
    /// The side of the process.
    pub slave: OwnedFd,
    /// Its number in the devpts.
    pub number: u32,
}

/// Opens a new terminal of the devpts whose root `devpts` is open on. Neither end becomes a controlling terminal.
///
/// # Errors
/// `ENOSPC` when the devpts has no more terminals, else what pty(7) says.
pub fn open_in(devpts: BorrowedFd<'_>) -> io::Result<Pty> {
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let master = rustix::fs::openat(devpts, "ptmx", flags, Mode::empty())?;
    unlockpt(&master)?;
    // By the terminal itself, not by its name: a name could have been covered by something else.
    let slave = ioctl_tiocgptpeer(&master, OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    let name = ptsname(&master, Vec::new())?;
    let number = name.to_str().ok().and_then(|name| name.rsplit('/').next()?.parse().ok());
    let number = number.ok_or_else(|| io::Error::other(format!("a terminal is named {name:?}")))?;
    Ok(Pty { master, slave, number })
}

/// Sets the size of a terminal by either end. Its processes get SIGWINCH when it has changed.
///
/// # Errors
/// When the descriptor is no terminal.
pub fn resize(terminal: impl AsFd, cols: u16, rows: u16) -> io::Result<()> {
    let size = Winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 };
    Ok(rustix::termios::tcsetwinsize(terminal, size)?)
}

/// Gives a terminal away. `None` leaves the group.
///
/// # Errors
/// What fchown(2) says.
pub fn give(slave: impl AsFd, uid: u32, gid: Option<u32>) -> io::Result<()> {
    Ok(rustix::fs::fchown(slave, Some(Uid::from_raw(uid)), gid.map(Gid::from_raw))?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_is_opened_sized_and_typed_into() {
        let Ok(devpts) = rustix::fs::open("/dev/pts", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()) else {
            return eprintln!("skipped: no /dev/pts here");
        };
        let pty = open_in(devpts.as_fd()).expect("a terminal");
        resize(&pty.master, 132, 50).expect("resized");
        let size = rustix::termios::tcgetwinsize(&pty.slave).expect("sized");
        assert_eq!((size.ws_col, size.ws_row), (132, 50));
        assert_eq!(rustix::io::write(&pty.slave, b"hello"), Ok(5));
        let mut text = [0u8; 16];
        assert_eq!(rustix::io::read(&pty.master, &mut text), Ok(5));
    }
}
