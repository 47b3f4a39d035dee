//! The other end: one request after the other, or several on their way when a file is transferred.

use std::ffi::{OsStr, OsString};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::attributes::Attributes;
use crate::wire::{self, Packet, Rest, kind, status};

/// Why something could not be done.
#[derive(Debug)]
pub enum Failure {
    /// The server says so: its code and its words.
    Refused(u32, String),
    /// The connection broke.
    Broken(io::Error),
}

impl Failure {
    /// Whether it is that nothing is there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Failure::Refused(status::NO_SUCH_FILE, _))
    }

    /// Whether it is that it is not permitted.
    pub fn is_denied(&self) -> bool {
        matches!(self, Failure::Refused(status::PERMISSION_DENIED, _))
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Refused(_, words) => out.write_str(words),
            Failure::Broken(error) => write!(out, "the connection to the files of the instance broke: {error}"),
        }
    }
}

impl std::error::Error for Failure {}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Failure {
        Failure::Broken(error)
    }
}

/// What was asked for, or why not.
pub type Outcome<T> = Result<T, Failure>;

/// An open file or directory of the server's.
#[derive(Clone, Debug)]
pub struct Handle(pub(crate) Vec<u8>);

/// A connection.
#[derive(Debug)]
pub struct Client {
    pub(crate) stream: UnixStream,
    next: u32,
    packet: Vec<u8>,
}

impl Client {
    /// Greets the server behind `socket`. An answer that does not come within `patience` breaks the connection.
    ///
    /// # Errors
    /// When it does not answer, or not in this protocol.
    pub fn greet(socket: OwnedFd, patience: Duration) -> io::Result<Client> {
        let mut stream = UnixStream::from(socket);
        stream.set_read_timeout(Some(patience))?;
        stream.set_write_timeout(Some(patience))?;
        stream.write_all(&Packet::new(kind::INIT).number(wire::VERSION).done())?;
        let mut packet = Vec::new();
        if !wire::read_packet(&mut stream, &mut packet)? || packet[0] != kind::VERSION {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server of the files did not greet back"));
        }
        Ok(Client { stream, next: 0, packet })
    }

    /// A number for the next request.
    pub(crate) fn number(&mut self) -> u32 {
        self.next = self.next.wrapping_add(1);
        self.next
    }

    /// The next answer; it must be that of request `id`.
    pub(crate) fn answer(&mut self, id: u32) -> Outcome<(u8, Rest<'_>)> {
        if !wire::read_packet(&mut self.stream, &mut self.packet)? {
            return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
        }
        let mut rest = Rest(&self.packet);
        let (kind, number) = (rest.byte()?, rest.number()?);
        if number != id {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "an answer to another question").into());
        }
        Ok((kind, rest))
    }

    fn ask(&mut self, kind: u8, make: impl FnOnce(Packet) -> Packet) -> Outcome<(u8, Rest<'_>)> {
        let id = self.number();
        self.stream.write_all(&make(Packet::new(kind).number(id)).done())?;
        self.answer(id)
    }

    fn order(&mut self, kind: u8, make: impl FnOnce(Packet) -> Packet) -> Outcome<()> {
        let (kind, mut rest) = self.ask(kind, make)?;
        check_status(kind, &mut rest)
    }

    fn attributes(&mut self, kind: u8, path: &Path) -> Outcome<Attributes> {
        let (kind, mut rest) = self.ask(kind, |packet| packet.string(bytes(path)))?;
        expect(kind, kind::ATTRS, &mut rest)?;
        Ok(Attributes::read(&mut rest)?)
    }

    /// What is at `path`; a link itself.
    ///
    /// # Errors
    /// See [`Failure`]; so for all of these.
    pub fn lstat(&mut self, path: &Path) -> Outcome<Attributes> {
        self.attributes(kind::LSTAT, path)
    }

    /// What is at `path`, links followed.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn stat(&mut self, path: &Path) -> Outcome<Attributes> {
        self.attributes(kind::STAT, path)
    }

    /// Where a link leads.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn read_link(&mut self, path: &Path) -> Outcome<PathBuf> {
        let (kind, mut rest) = self.ask(kind::READLINK, |packet| packet.string(bytes(path)))?;
        expect(kind, kind::NAME, &mut rest)?;
        rest.number()?;
        Ok(PathBuf::from(OsStr::from_bytes(rest.string()?)))
    }

    /// The names in a directory, in no order.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn list(&mut self, path: &Path) -> Outcome<Vec<OsString>> {
        let handle = self.handle(kind::OPENDIR, |packet| packet.string(bytes(path)))?;
        let mut all = Vec::new();
        loop {
            let (kind, mut rest) = self.ask(kind::READDIR, |packet| packet.string(&handle.0))?;
            match expect(kind, kind::NAME, &mut rest) {
                Err(Failure::Refused(status::EOF, _)) => break,
                outcome => outcome?,
            }
            for _ in 0..rest.number()? {
                all.push(OsString::from_vec(rest.string()?.to_vec()));
                rest.string()?;
                Attributes::read(&mut rest)?;
            }
        }
        self.close(&handle)?;
        Ok(all)
    }

    fn handle(&mut self, kind: u8, make: impl FnOnce(Packet) -> Packet) -> Outcome<Handle> {
        let (kind, mut rest) = self.ask(kind, make)?;
        expect(kind, kind::HANDLE, &mut rest)?;
        Ok(Handle(rest.string()?.to_vec()))
    }

    /// Opens a file; `flags` are those of [`wire::open`].
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn open(&mut self, path: &Path, flags: u32) -> Outcome<Handle> {
        let none = Attributes::default().to_bytes();
        self.handle(kind::OPEN, |packet| packet.string(bytes(path)).number(flags).raw(&none))
    }

    /// Closes it.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn close(&mut self, handle: &Handle) -> Outcome<()> {
        self.order(kind::CLOSE, |packet| packet.string(&handle.0))
    }

    /// What an open file is.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn fstat(&mut self, handle: &Handle) -> Outcome<Attributes> {
        let (kind, mut rest) = self.ask(kind::FSTAT, |packet| packet.string(&handle.0))?;
        expect(kind, kind::ATTRS, &mut rest)?;
        Ok(Attributes::read(&mut rest)?)
    }

    /// Changes what `wanted` names of an open file.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn change(&mut self, handle: &Handle, wanted: &Attributes) -> Outcome<()> {
        self.order(kind::FSETSTAT, |packet| packet.string(&handle.0).raw(&wanted.to_bytes()))
    }

    /// Changes what `wanted` names of what is at `path`, following links.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn change_at(&mut self, path: &Path, wanted: &Attributes) -> Outcome<()> {
        self.order(kind::SETSTAT, |packet| packet.string(bytes(path)).raw(&wanted.to_bytes()))
    }

    /// Makes a directory.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn mkdir(&mut self, path: &Path) -> Outcome<()> {
        self.order(kind::MKDIR, |packet| packet.string(bytes(path)).raw(&Attributes::default().to_bytes()))
    }

    /// Makes a symbolic link.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn symlink(&mut self, target: &Path, path: &Path) -> Outcome<()> {
        self.order(kind::SYMLINK, |packet| packet.string(bytes(target)).string(bytes(path)))
    }

    /// Removes a file, or an empty directory.
    ///
    /// # Errors
    /// See [`Failure`].
    pub fn remove(&mut self, path: &Path, directory: bool) -> Outcome<()> {
        let kind = if directory { kind::RMDIR } else { kind::REMOVE };
        self.order(kind, |packet| packet.string(bytes(path)))
    }
}

/// Gives the stream of a connection that was greeted by nobody: for passing it on as it is.
pub fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

/// The answer must be of this kind; a status in its place is the refusal that it tells.
pub(crate) fn expect(kind: u8, wanted: u8, rest: &mut Rest<'_>) -> Outcome<()> {
    if kind == wanted {
        return Ok(());
    }
    check_status(kind, rest)?;
    Err(io::Error::new(io::ErrorKind::InvalidData, "an answer of another kind").into())
}

pub(crate) fn check_status(kind: u8, rest: &mut Rest<'_>) -> Outcome<()> {
    if kind != kind::STATUS {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "an answer of another kind").into());
    }
    match rest.number()? {
        status::OK => Ok(()),
        code => {
            let words = String::from_utf8_lossy(rest.string().unwrap_or_default()).into_owned();
            Err(Failure::Refused(code, words))
        }
    }
}

/// Reads exactly as many bytes as `into` has.
pub(crate) fn read_exact(stream: &mut UnixStream, into: &mut [u8]) -> Outcome<()> {
    Ok(stream.read_exact(into)?)
}
