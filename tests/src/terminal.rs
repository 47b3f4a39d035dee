//! A client on a terminal of its own, as a person has it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal, kill_process};
use rustix::termios::{Winsize, tcsetwinsize};

use crate::Daemon;

/// A running client and its screen.
pub struct Terminal {
    master: File,
    child: Child,
    seen: String,
}

impl Terminal {
    /// Starts `lxc` with these arguments on a terminal of 80 columns and 24 rows.
    ///
    /// # Panics
    /// When the kernel gives no terminal.
    pub fn open(daemon: &Daemon, args: &[&str]) -> Terminal {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there are terminals");
        grantpt(&master).expect("it is ours");
        unlockpt(&master).expect("it is ours");
        let name = ptsname(&master, Vec::new()).expect("it has a name").into_string().expect("plain text");
        let slave = File::options().read(true).write(true).open(name).expect("it is ours");
        size(&master.as_fd(), 80, 24);
        let stdio = || Stdio::from(slave.try_clone().expect("a descriptor"));
        let mut lxc = daemon.lxc_command(args);
        let child = lxc.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().expect("lxc was built");
        Terminal { master: File::from(master), child, seen: String::new() }
    }

    /// Types something.
    ///
    /// # Panics
    /// When the terminal is closed.
    pub fn kind(&mut self, text: &str) {
        self.master.write_all(text.as_bytes()).expect("the terminal takes it");
    }

    /// Leaves a console: LXD's own client sees the two keys only when they come one by one, as from a person.
    ///
    /// # Panics
    /// When the terminal is closed.
    pub fn kind_escape(&mut self) {
        self.kind("\u{1}");
        std::thread::sleep(std::time::Duration::from_millis(200));
        self.kind("q");
    }

    /// Waits until `text` has been shown, and forgets what was shown up to its end.
    ///
    /// # Panics
    /// When it is not within 90 seconds, or the terminal is closed before.
    #[track_caller]
    pub fn until(&mut self, text: &str) {
        let mut buffer = [0; 4096];
        while !self.seen.contains(text) {
            let mut fds = [PollFd::from_borrowed_fd(self.master.as_fd(), PollFlags::IN)];
            let patience = Timespec { tv_sec: 90, tv_nsec: 0 };
            let ready = poll(&mut fds, Some(&patience)).expect("poll(2)");
            let read = if ready == 0 { 0 } else { self.master.read(&mut buffer).unwrap_or(0) };
            assert_ne!(read, 0, "{text:?} was not shown, but:\n{}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        let end = self.seen.find(text).expect("it was shown") + text.len();
        self.seen.drain(..end);
    }

    /// Makes the terminal larger or smaller, and tells the client, as a window does.
    ///
    /// # Panics
    /// When the client has ended.
    pub fn resize(&self, columns: u16, rows: u16) {
        size(&self.master.as_fd(), columns, rows);
        self.signal(Signal::WINCH);
    }

    /// Sends the client a signal.
    ///
    /// # Panics
    /// When the client has ended.
    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).expect("the client runs");
    }

    /// Kills the client.
    ///
    /// # Panics
    /// When it has ended.
    pub fn vanished(mut self) {
        self.signal(Signal::KILL);
        self.child.wait().expect("it is our child");
    }

    /// The client's exit status, when it has ended.
    ///
    /// # Panics
    /// When a signal ended it.
    pub fn ended(mut self) -> i32 {
        self.child.wait().expect("it is our child").code().expect("no signal ended it")
    }
}

fn size(terminal: &impl AsFd, columns: u16, rows: u16) {
    let size = Winsize { ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0 };
    tcsetwinsize(terminal, size).expect("it is a terminal");
}
