//! gzip on all processors: pieces of the stream become members of their own, which is the same stream to every reader
//! (RFC 1952, section 2.2). The pieces do not depend on the number of processors, so the result does not either.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;

use flate2::Compression;

/// Bytes in one piece: large enough that its own dictionary costs nothing to speak of.
const PIECE: usize = 1 << 20;

/// Where a piece of an rsyncable stream ends depends on the bytes before alone: on the sum of so many of them …
const WINDOW: usize = 4096;
/// … being a multiple of this, so that pieces are about as many bytes long.
const MODULUS: u64 = 1 << 16;

/// A stream that is compressed piece by piece on threads, and written in order.
pub struct ParallelGzip<W: Write> {
    output: W,
    level: Compression,
    piece: Vec<u8>,
    under_way: VecDeque<Receiver<io::Result<Vec<u8>>>>,
    most: usize,
    written: bool,
    /// The sum of the last bytes, when the pieces end where the content says.
    sum: Option<u64>,
}

impl<W: Write> ParallelGzip<W> {
    /// Begins a stream into `output`. The pieces of an `rsyncable` one end where the content says, so that after a
    /// change the later ones are as before.
    pub fn new(output: W, level: u32, rsyncable: bool) -> Self {
        let most = thread::available_parallelism().map_or(1, |count| count.get());
        let piece = Vec::with_capacity(PIECE);
        let (level, sum) = (Compression::new(level), rsyncable.then_some(0));
        ParallelGzip { output, level, piece, under_way: VecDeque::new(), most, written: false, sum }
    }

    /// Hands the piece to a thread, after the oldest one is written when all processors are busy.
    fn submit(&mut self) -> io::Result<()> {
        if self.under_way.len() >= self.most {
            self.collect()?;
        }
        self.sum = self.sum.map(|_| 0);
        let piece = std::mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        let (sender, receiver) = sync_channel(1);
        let level = self.level;
        let work = move || {
            // Nobody waits any more when the stream was dropped.
            let _ = sender.send(compress(&piece, level));
        };
        thread::Builder::new().name("gzip".to_string()).spawn(work)?;
        self.under_way.push_back(receiver);
        self.written = true;
        Ok(())
    }

    /// Writes the oldest piece.
    fn collect(&mut self) -> io::Result<()> {
        let Some(oldest) = self.under_way.pop_front() else { return Ok(()) };
        let piece = oldest.recv().map_err(|_| io::Error::other("a compressing thread died"))??;
        self.output.write_all(&piece)
    }

    /// Writes what is left.
    pub fn finish(mut self) -> io::Result<W> {
        // An empty stream is one empty member.
        if !self.piece.is_empty() || !self.written {
            self.submit()?;
        }
        while !self.under_way.is_empty() {
            self.collect()?;
        }
        self.output.flush()?;
        Ok(self.output)
    }
}

impl<W: Write> ParallelGzip<W> {
    /// Where the piece ends by its content, when that is behind `from`; `sum` is that of the bytes before it.
    fn end_of_piece(&mut self, from: usize, mut sum: u64) -> Option<usize> {
        for at in from..self.piece.len() {
            sum += u64::from(self.piece[at]);
            if let Some(gone) = at.checked_sub(WINDOW) {
                sum -= u64::from(self.piece[gone]);
                if sum.is_multiple_of(MODULUS) {
                    return Some(at + 1);
                }
            }
        }
        self.sum = Some(sum);
        None
    }
}

/// One member, without a time or name in its header: the same input gives the same bytes.
fn compress(piece: &[u8], level: Compression) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::GzBuilder::new().write(Vec::with_capacity(piece.len() / 2), level);
    encoder.write_all(piece)?;
    encoder.finish()
}

impl<W: Write> Write for ParallelGzip<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let before = self.piece.len();
        let length = buffer.len().min(PIECE - before);
        self.piece.extend_from_slice(&buffer[..length]);
        let end = self.sum.and_then(|sum| self.end_of_piece(before, sum));
        self.piece.truncate(end.unwrap_or(self.piece.len()));
        let taken = self.piece.len() - before;
        if end.is_some() || self.piece.len() == PIECE {
            self.submit()?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        // A piece that is not full yet stays: it would become a member of its own.
        self.output.flush()
    }
}
