//! Whole files: several requests are on their way at once, so that both ends work at the same time.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

use crate::client::{Client, Failure, Handle, Outcome, check_status, expect, read_exact};
use crate::wire::{PIECE, kind, status};

/// How many requests are on their way.
const AHEAD: usize = 4;

/// A file that is being read from its start; the connection goes with it.
pub struct Reading {
    client: Client,
    handle: Handle,
    /// Where the next request begins.
    next: u64,
    asked: VecDeque<u32>,
    /// How much of the answer that is being read is still in the stream.
    left: usize,
    ended: bool,
}

impl Reading {
    /// Reads the open file `handle`.
    pub fn new(client: Client, handle: Handle) -> Reading {
        Reading { client, handle, next: 0, asked: VecDeque::new(), left: 0, ended: false }
    }

    fn ask_ahead(&mut self) -> Outcome<()> {
        while !self.ended && self.asked.len() < AHEAD {
            let id = self.client.number();
            let packet = crate::wire::Packet::new(kind::READ)
                .number(id)
                .string(&self.handle.0)
                .large(self.next)
                .number(PIECE as u32)
                .done();
            self.client.stream.write_all(&packet)?;
            self.asked.push_back(id);
            self.next += PIECE as u64;
        }
        Ok(())
    }

    /// Reads the head of the next answer.
    fn next_answer(&mut self) -> Outcome<()> {
        self.ask_ahead()?;
        let Some(id) = self.asked.pop_front() else { return Ok(()) };
        // The head is read alone, so that the data go straight to where they are wanted.
        let mut head = [0; 9];
        read_exact(&mut self.client.stream, &mut head)?;
        let number = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
        if number(5) != id {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "an answer to another question").into());
        }
        if head[4] != kind::DATA {
            let length = (number(0) as usize).saturating_sub(5).min(crate::wire::LONGEST);
            let mut rest = vec![0; length];
            read_exact(&mut self.client.stream, &mut rest)?;
            return match expect(head[4], kind::DATA, &mut crate::wire::Rest(&rest)) {
                // Whatever else was asked for is behind the end as well, and only its answers are waited for.
                Err(Failure::Refused(status::EOF, _)) => {
                    self.ended = true;
                    Ok(())
                }
                outcome => outcome,
            };
        }
        let mut length = [0; 4];
        read_exact(&mut self.client.stream, &mut length)?;
        self.left = u32::from_be_bytes(length) as usize;
        // Only the end of the file makes the server give less than it was asked for.
        self.ended |= self.left < PIECE;
        Ok(())
    }
}

impl Read for Reading {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.left == 0 {
            if self.ended && self.asked.is_empty() {
                return Ok(0);
            }
            self.next_answer().map_err(io::Error::other)?;
        }
        // The whole of what is wanted, as far as this answer has it: fewer and larger pieces for who is behind us.
        let wanted = into.len().min(self.left);
        read_exact(&mut self.client.stream, &mut into[..wanted]).map_err(io::Error::other)?;
        self.left -= wanted;
        Ok(wanted)
    }
}

/// Why an upload came to its end too early.
#[derive(Debug)]
pub enum Cut {
    /// The instance's side.
    Files(Failure),
    /// Where the content comes from.
    Source(io::Error),
}

/// Writes all of `source` to the open file `handle`, from `offset` on; gives the number of bytes.
///
/// # Errors
/// Which side failed, and why; what has been written stays.
pub fn write(client: &mut Client, handle: &Handle, mut offset: u64, source: &mut impl Read) -> Result<u64, Cut> {
    let mut waiting = VecDeque::new();
    let mut total = 0;
    // The head of a packet with room for the data behind it.
    let head_length = 4 + 1 + 4 + 4 + handle.0.len() + 8 + 4;
    let mut packet = vec![0; head_length + PIECE];
    loop {
        let had = match fill(source, &mut packet[head_length..]) {
            Ok(0) => break,
            Ok(had) => had,
            Err(error) => {
                return Err(settle_all(client, waiting).map_or_else(Cut::Files, |()| Cut::Source(error)));
            }
        };
        let id = client.number();
        let number = |number: usize| u32::try_from(number).unwrap_or(u32::MAX).to_be_bytes();
        let mut head = Vec::with_capacity(head_length);
        head.extend_from_slice(&number(head_length - 4 + had));
        head.push(kind::WRITE);
        head.extend_from_slice(&id.to_be_bytes());
        head.extend_from_slice(&number(handle.0.len()));
        head.extend_from_slice(&handle.0);
        head.extend_from_slice(&offset.to_be_bytes());
        head.extend_from_slice(&number(had));
        packet[..head_length].copy_from_slice(&head);
        client.stream.write_all(&packet[..head_length + had]).map_err(|error| Cut::Files(error.into()))?;
        waiting.push_back(id);
        offset += had as u64;
        total += had as u64;
        if waiting.len() > AHEAD
            && let Some(id) = waiting.pop_front()
            && let Err(failure) = settle(client, id)
        {
            let _ = settle_all(client, waiting);
            return Err(Cut::Files(failure));
        }
    }
    settle_all(client, waiting).map_err(Cut::Files)?;
    Ok(total)
}

/// Hears how all the pieces were taken, so that the connection is ready for the next request; the first refusal counts.
fn settle_all(client: &mut Client, waiting: VecDeque<u32>) -> Outcome<()> {
    let mut outcome = Ok(());
    for id in waiting {
        match settle(client, id) {
            Err(failure @ Failure::Broken(_)) => return Err(failure),
            settled => outcome = outcome.and(settled),
        }
    }
    outcome
}

/// Hears how a piece was taken.
fn settle(client: &mut Client, id: u32) -> Outcome<()> {
    let (kind, mut rest) = client.answer(id)?;
    check_status(kind, &mut rest)
}

/// Reads until `into` is full or the source ends.
fn fill(source: &mut impl Read, into: &mut [u8]) -> io::Result<usize> {
    let mut had = 0;
    while had < into.len() {
        match source.read(&mut into[had..]) {
            Ok(0) => break,
            Ok(count) => had += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(had)
}
