//! The server: one connection, one request after the other, on the calling thread.

mod handles;
mod requests;

use std::io::{self, BufReader, Read, Write};

use crate::attributes::Attributes;
use crate::tree::Tree;
use crate::wire::{self, Packet, kind, status};
use handles::Handles;

/// What we can do beyond version 3, with the version of each.
pub const EXTENSIONS: &[(&str, &str)] = &[
    ("posix-rename@openssh.com", "1"),
    ("hardlink@openssh.com", "1"),
    ("fsync@openssh.com", "1"),
    ("statvfs@openssh.com", "2"),
];

/// How many bytes are read ahead, so that small requests do not cost a system call each.
const READ_AHEAD: usize = 32 * 1024;

/// What a request is answered with.
enum Answer {
    /// How it went.
    Status(u32, String),
    /// A whole packet, but for the length in front.
    Packet(Packet),
    /// As many bytes of a file as are in the server's buffer, behind the head of the packet.
    Data(usize),
}

/// Answers requests for `tree` until the other end is closed.
///
/// # Errors
/// When the connection breaks, or what comes is no SFTP.
pub fn serve(tree: &Tree, input: impl Read, mut output: impl Write) -> io::Result<()> {
    let mut input = BufReader::with_capacity(READ_AHEAD, input);
    let mut server = Server { tree, handles: Handles::default(), data: Vec::new() };
    let mut packet = Vec::new();
    if !wire::read_packet(&mut input, &mut packet)? {
        return Ok(());
    }
    if packet[0] != kind::INIT {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "the connection does not begin with a greeting"));
    }
    let greeting = EXTENSIONS
        .iter()
        .fold(Packet::new(kind::VERSION).number(wire::VERSION), |packet, (name, version)| {
            packet.string(name.as_bytes()).string(version.as_bytes())
        })
        .done();
    output.write_all(&greeting)?;
    while wire::read_packet(&mut input, &mut packet)? {
        server.answer(&packet, &mut output)?;
    }
    Ok(())
}

struct Server<'a> {
    tree: &'a Tree,
    handles: Handles,
    /// Head and data of the packet that a READ is answered with.
    data: Vec<u8>,
}

/// Bytes in front of the data of a DATA packet: its length, kind, request and the data's length.
const DATA_HEAD: usize = 13;

impl Server<'_> {
    fn answer(&mut self, packet: &[u8], output: &mut impl Write) -> io::Result<()> {
        let mut rest = wire::Rest(packet);
        let (Ok(kind), Ok(id)) = (rest.byte(), rest.number()) else {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a request without a number"));
        };
        let answer = requests::answer(self, kind, rest).unwrap_or_else(|error| of_error(&error));
        match answer {
            Answer::Status(code, words) => {
                let packet = Packet::new(kind::STATUS).number(id).number(code).string(words.as_bytes()).string(b"");
                output.write_all(&packet.done())
            }
            Answer::Packet(packet) => output.write_all(&with_number(packet.done(), id)),
            Answer::Data(length) => {
                let length = u32::try_from(length).unwrap_or(0);
                self.data[..4].copy_from_slice(&(length + 9).to_be_bytes());
                self.data[4] = kind::DATA;
                self.data[5..9].copy_from_slice(&id.to_be_bytes());
                self.data[9..DATA_HEAD].copy_from_slice(&length.to_be_bytes());
                output.write_all(&self.data[..DATA_HEAD + length as usize])
            }
        }
    }
}

/// Puts the request's number into a finished packet that has 0 there.
fn with_number(mut packet: Vec<u8>, id: u32) -> Vec<u8> {
    packet[5..9].copy_from_slice(&id.to_be_bytes());
    packet
}

fn reply(kind: u8) -> Packet {
    Packet::new(kind).number(0)
}

fn names<'n>(names: impl IntoIterator<Item = (&'n [u8], Attributes)>) -> Answer {
    let (mut count, mut body) = (0, Vec::new());
    for (name, attributes) in names {
        let long = attributes.long_name(name);
        for text in [name, &long] {
            body.extend_from_slice(&u32::try_from(text.len()).unwrap_or(0).to_be_bytes());
            body.extend_from_slice(text);
        }
        attributes.write(&mut body);
        count += 1;
    }
    Answer::Packet(reply(kind::NAME).number(count).raw(&body))
}

/// An error in the words of the protocol, and those of the kernel beside it.
fn of_error(error: &io::Error) -> Answer {
    let code = match error.kind() {
        io::ErrorKind::NotFound => status::NO_SUCH_FILE,
        io::ErrorKind::PermissionDenied => status::PERMISSION_DENIED,
        io::ErrorKind::Unsupported => status::UNSUPPORTED,
        io::ErrorKind::InvalidData => status::BAD_MESSAGE,
        _ => status::FAILURE,
    };
    let text = error.to_string();
    Answer::Status(code, text.split(" (os error").next().unwrap_or_default().to_lowercase())
}

#[cfg(test)]
mod tests;
