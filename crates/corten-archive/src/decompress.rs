//! Reading a compressed stream, decompressing ahead of the reader on a thread of its own.

use std::io::{self, BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::Scope;

use liblzma::bufread::XzDecoder;

use crate::compression::Compression;
use crate::error::{Error, Result};

/// No decompressor may take more memory than this, in bytes: a header can ask for any amount.
const MEMORY_LIMIT: u64 = 512 << 20;

/// Gives the tar archive inside `input`.
///
/// # Errors
/// When the format is no stream (squashfs, qcow2), or its decompressor cannot begin.
pub fn reader<'a>(input: impl Read + Send + 'a, compression: Compression) -> Result<Box<dyn Read + Send + 'a>> {
    let input = BufReader::with_capacity(256 << 10, input);
    Ok(match compression {
        Compression::None => Box::new(input),
        Compression::Gzip => Box::new(flate2::bufread::MultiGzDecoder::new(input)),
        Compression::Bzip2 => Box::new(bzip2::bufread::MultiBzDecoder::new(input)),
        Compression::Xz => Box::new(XzStreams { decoder: Some(xz_decoder(input)?) }),
        Compression::Lzma => {
            let stream = liblzma::stream::Stream::new_lzma_decoder(MEMORY_LIMIT);
            let stream = stream.map_err(|error| Error::reading(error.into()))?;
            Box::new(XzDecoder::new_stream(input, stream))
        }
        Compression::Zstd => {
            let mut decoder = zstd::stream::read::Decoder::with_buffer(input).map_err(Error::reading)?;
            // Windows up to 128 MiB, what `zstd -d` itself accepts without being asked for more.
            decoder.window_log_max(27).map_err(Error::reading)?;
            Box::new(decoder)
        }
        Compression::Squashfs | Compression::Qcow2 => return Err(Error::UnsupportedCompression),
    })
}

/// A decoder of one xz stream on all processors (only streams of several blocks gain from it).
fn xz_decoder<R: BufRead>(input: R) -> Result<XzDecoder<R>> {
    let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u32);
    let mut builder = liblzma::stream::MtStreamBuilder::new();
    builder.threads(threads).memlimit_threading(MEMORY_LIMIT / 2).memlimit_stop(MEMORY_LIMIT);
    let stream = builder.decoder().map_err(|error| Error::reading(error.into()))?;
    Ok(XzDecoder::new_stream(input, stream))
}

/// An xz file: streams one after the other, with padding of zeros between and after them.
struct XzStreams<R: BufRead> {
    decoder: Option<XzDecoder<R>>,
}

impl<R: BufRead> Read for XzStreams<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(decoder) = &mut self.decoder {
            let length = decoder.read(buffer)?;
            if length > 0 || buffer.is_empty() {
                return Ok(length);
            }
            let Some(mut input) = self.decoder.take().map(XzDecoder::into_inner) else { break };
            loop {
                let ahead = input.fill_buf()?;
                let padding = ahead.iter().take_while(|byte| **byte == 0).count();
                match ahead.len() {
                    0 => return Ok(0),
                    length if length == padding => input.consume(padding),
                    _ => {
                        input.consume(padding);
                        break;
                    }
                }
            }
            self.decoder = Some(xz_decoder(input).map_err(io::Error::other)?);
        }
        Ok(0)
    }
}

/// Reads `input` on a thread of `scope`, so that decompressing and writing go on side by side. Dropping what this
/// gives ends the thread.
pub fn ahead<'scope>(scope: &'scope Scope<'scope, '_>, input: impl Read + Send + 'scope) -> Ahead {
    // A few large pieces: enough to even out the pace of both sides, and no more than 2 MiB of memory.
    let (sender, receiver) = sync_channel(8);
    scope.spawn(move || pump(input, &sender));
    Ahead { receiver, piece: Vec::new(), at: 0, ended: false }
}

fn pump(mut input: impl Read, sender: &SyncSender<io::Result<Vec<u8>>>) {
    const PIECE: usize = 256 << 10;
    loop {
        let mut piece = Vec::with_capacity(PIECE);
        let outcome = input.by_ref().take(PIECE as u64).read_to_end(&mut piece);
        let last = outcome.is_err() || piece.is_empty();
        // What was decompressed before the failure is good, and may hold the end of the archive already.
        if !piece.is_empty() && sender.send(Ok(piece)).is_err() {
            return;
        }
        if let Err(error) = outcome {
            // Nobody reads on: nobody needs to know.
            let _ = sender.send(Err(error));
        }
        if last {
            return;
        }
    }
}

/// The reading end of [`ahead`].
pub struct Ahead {
    receiver: Receiver<io::Result<Vec<u8>>>,
    piece: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Read for Ahead {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.piece.len() {
            if self.ended {
                return Ok(0);
            }
            match self.receiver.recv() {
                Ok(Ok(piece)) => (self.piece, self.at) = (piece, 0),
                Ok(Err(error)) => {
                    self.ended = true;
                    return Err(error);
                }
                Err(_) => self.ended = true,
            }
        }
        let length = buffer.len().min(self.piece.len() - self.at);
        buffer[..length].copy_from_slice(&self.piece[self.at..self.at + length]);
        self.at += length;
        Ok(length)
    }
}
