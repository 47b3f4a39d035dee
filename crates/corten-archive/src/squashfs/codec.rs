//! The compressors of squashfs, each used on one block after the other.

use liblzma::stream::{Action, Status, Stream};

use super::{lz4, lzo};
use crate::error::{Error, Result};

/// No block may need more memory than this, in bytes; blocks have 1 MiB at most.
const MEMORY_LIMIT: u64 = 64 << 20;

/// How blocks are compressed, with the numbers that the superblock has for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// zlib (RFC 1950), which squashfs calls gzip.
    Zlib = 1,
    /// The format before xz; the kernel cannot read it, squashfs-tools can.
    Lzma = 2,
    /// LZO1X.
    Lzo = 3,
    /// xz.
    Xz = 4,
    /// Blocks of LZ4.
    Lz4 = 5,
    /// Zstandard.
    Zstd = 6,
}

impl Algorithm {
    /// The algorithm with this number.
    ///
    /// # Errors
    /// [`Error::Damaged`].
    pub fn of(number: u16) -> Result<Algorithm> {
        use Algorithm::{Lz4, Lzma, Lzo, Xz, Zlib, Zstd};
        let known = [Zlib, Lzma, Lzo, Xz, Lz4, Zstd];
        let found = known.into_iter().find(|each| *each as u16 == number);
        found.ok_or_else(|| Error::Damaged(format!("its compressor has the number {number}, which is not known")))
    }
}

/// A decompressor with what it keeps from one block to the next.
pub enum Codec {
    /// zlib.
    Zlib(libdeflater::Decompressor),
    /// Zstandard.
    Zstd(zstd::bulk::Decompressor<'static>),
    /// One that keeps nothing.
    Plain(Algorithm),
}

impl Codec {
    /// One for this algorithm.
    ///
    /// # Errors
    /// When there is no memory for it.
    pub fn new(algorithm: Algorithm) -> Result<Codec> {
        Ok(match algorithm {
            Algorithm::Zlib => Codec::Zlib(libdeflater::Decompressor::new()),
            Algorithm::Zstd => Codec::Zstd(zstd::bulk::Decompressor::new().map_err(Error::reading)?),
            other => Codec::Plain(other),
        })
    }

    /// Unpacks one block, and says how many bytes of `output` it filled.
    ///
    /// # Errors
    /// [`Error::Damaged`] for a block that is none, or has more in it than `output` holds.
    pub fn unpack(&mut self, input: &[u8], output: &mut [u8]) -> Result<usize> {
        let unpacked = match self {
            Codec::Zlib(zlib) => zlib.zlib_decompress(input, output).ok(),
            Codec::Zstd(zstd) => zstd.decompress_to_buffer(input, output).ok(),
            Codec::Plain(Algorithm::Lz4) => lz4::unpack(input, output),
            Codec::Plain(Algorithm::Lzo) => lzo::unpack(input, output),
            Codec::Plain(Algorithm::Lzma) => {
                Stream::new_lzma_decoder(MEMORY_LIMIT).ok().and_then(|stream| lzma(stream, input, output))
            }
            Codec::Plain(_) => {
                Stream::new_stream_decoder(MEMORY_LIMIT, 0).ok().and_then(|stream| lzma(stream, input, output))
            }
        };
        unpacked.ok_or_else(|| Error::Damaged("a block of it cannot be unpacked".to_string()))
    }
}

fn lzma(mut stream: Stream, input: &[u8], output: &mut [u8]) -> Option<usize> {
    loop {
        let before = (stream.total_in(), stream.total_out());
        let (read, written) = (usize::try_from(before.0).ok()?, usize::try_from(before.1).ok()?);
        match stream.process(input.get(read..)?, output.get_mut(written..)?, Action::Finish).ok()? {
            Status::StreamEnd => return usize::try_from(stream.total_out()).ok(),
            // The old format may say no length and have no mark at its end: a full block is one.
            _ if stream.total_out() == output.len() as u64 => return Some(output.len()),
            _ if (stream.total_in(), stream.total_out()) == before => return None,
            _ => {}
        }
    }
}
