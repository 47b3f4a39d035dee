//! Writing a compressed stream, as the keys `images.compression_algorithm` and `backups.compression_algorithm` say.

mod gzip;

use std::io::{self, Write};
use std::ops::Range;

use crate::error::{Error, Result};

/// How to compress: a value of the two keys, understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Algorithm {
    kind: Kind,
    level: Option<u32>,
    /// gzip only: small changes of the input change little of the output.
    rsyncable: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    None,
    Gzip,
    Bzip2,
    Lzma,
    Xz,
    Zstd,
    Squashfs,
}

/// What a program can be called in the keys, the algorithm, the ending of file names, and its levels.
const NAMES: [(&str, Kind, &str, Range<u32>); 9] = [
    ("none", Kind::None, "", 1..1),
    ("gzip", Kind::Gzip, ".gz", 1..10),
    ("pigz", Kind::Gzip, ".gz", 1..10),
    ("bzip2", Kind::Bzip2, ".bz2", 1..10),
    ("lzma", Kind::Lzma, ".lzma", 0..10),
    ("xz", Kind::Xz, ".xz", 0..10),
    ("zstd", Kind::Zstd, ".zst", 1..20),
    ("pzstd", Kind::Zstd, ".zst", 1..20),
    ("squashfs", Kind::Squashfs, ".squashfs", 1..1),
];

impl Algorithm {
    /// Understands a value of the keys: a name, perhaps with a level (`gzip -9`). How many threads to use is decided
    /// here, so that options about that (`-T4`, `-p 2`) are accepted and passed over.
    ///
    /// # Errors
    /// LXD's words for an unknown name; the same for an unknown option.
    pub fn parse(value: &str) -> Result<Algorithm> {
        let invalid = || Error::InvalidAlgorithm(value.to_string());
        let mut words = value.split_whitespace();
        let name = words.next().ok_or_else(invalid)?;
        let (_, kind, _, levels) =
            NAMES.iter().find(|row| row.0 == name).ok_or_else(|| Error::InvalidAlgorithm(name.to_string()))?;
        let (mut level, mut rsyncable) = (None, false);
        while let Some(word) = words.next() {
            match word {
                "--fast" => level = Some(1),
                "--best" => level = levels.end.checked_sub(1),
                "--rsyncable" if *kind == Kind::Gzip => rsyncable = true,
                "-p" | "-T" | "--threads" => drop(words.next()),
                _ if word.starts_with("-T") || word.starts_with("--threads=") || word == "-n" => {}
                _ => {
                    let number: u32 =
                        word.strip_prefix('-').and_then(|digits| digits.parse().ok()).ok_or_else(invalid)?;
                    level = Some(number).filter(|number| levels.contains(number));
                    level.ok_or_else(invalid)?;
                }
            }
        }
        Ok(Algorithm { kind: *kind, level, rsyncable })
    }

    /// Whether the result is a filesystem and no stream: then an archive is packed with
    /// [`squashfs::pack_stream`](crate::squashfs::pack_stream).
    pub fn is_squashfs(self) -> bool {
        self.kind == Kind::Squashfs
    }

    /// The ending of a tar archive's file name: `.tar.gz`, `.tar`, …; `.squashfs`.
    pub fn extension(self) -> String {
        let ending = NAMES.iter().find(|row| row.1 == self.kind).map_or("", |row| row.2);
        if self.is_squashfs() { ending.to_string() } else { format!(".tar{ending}") }
    }

    /// A stream that writes what it is given to `output`, compressed. [`Compressor::finish`] writes the end of it.
    ///
    /// # Errors
    /// [`Error::InvalidAlgorithm`] for squashfs; a compressor that cannot begin.
    pub fn writer<W: Write>(self, output: W) -> Result<Compressor<W>> {
        let level = |usual: u32| self.level.unwrap_or(usual);
        let threads = std::thread::available_parallelism().map_or(1, |count| count.get() as u32);
        let failed = |source: io::Error| Error::Io { doing: "Failed to begin compressing".to_string(), source };
        Ok(Compressor(match self.kind {
            Kind::None => Inside::None(output),
            Kind::Gzip => Inside::Gzip(gzip::ParallelGzip::new(output, level(6), self.rsyncable)),
            Kind::Bzip2 => Inside::Bzip2(bzip2::write::BzEncoder::new(output, bzip2::Compression::new(level(9)))),
            Kind::Lzma => {
                let options = liblzma::stream::LzmaOptions::new_preset(level(6));
                let stream = options.and_then(|options| liblzma::stream::Stream::new_lzma_encoder(&options));
                let stream = stream.map_err(|error| failed(error.into()))?;
                Inside::Xz(liblzma::write::XzEncoder::new_stream(output, stream))
            }
            Kind::Xz => {
                let mut builder = liblzma::stream::MtStreamBuilder::new();
                builder.threads(threads).preset(level(6)).check(liblzma::stream::Check::Crc64);
                let stream = builder.encoder().map_err(|error| failed(error.into()))?;
                Inside::Xz(liblzma::write::XzEncoder::new_stream(output, stream))
            }
            Kind::Zstd => {
                let level = i32::try_from(level(3)).unwrap_or(3);
                let mut encoder = zstd::stream::write::Encoder::new(output, level).map_err(failed)?;
                encoder.multithread(threads).map_err(failed)?;
                Inside::Zstd(encoder)
            }
            Kind::Squashfs => return Err(Error::InvalidAlgorithm("squashfs".to_string())),
        }))
    }
}

/// A compressing stream.
pub struct Compressor<W: Write>(Inside<W>);

enum Inside<W: Write> {
    None(W),
    Gzip(gzip::ParallelGzip<W>),
    Bzip2(bzip2::write::BzEncoder<W>),
    Xz(liblzma::write::XzEncoder<W>),
    Zstd(zstd::stream::write::Encoder<'static, W>),
}

impl<W: Write> Compressor<W> {
    fn stream(&mut self) -> &mut dyn Write {
        match &mut self.0 {
            Inside::None(output) => output,
            Inside::Gzip(stream) => stream,
            Inside::Bzip2(stream) => stream,
            Inside::Xz(stream) => stream,
            Inside::Zstd(stream) => stream,
        }
    }

    /// Writes the end of the stream and gives back what it was written to.
    ///
    /// # Errors
    /// What writing it says.
    pub fn finish(self) -> io::Result<W> {
        match self.0 {
            Inside::None(output) => Ok(output),
            Inside::Gzip(stream) => stream.finish(),
            Inside::Bzip2(stream) => stream.finish(),
            Inside::Xz(stream) => stream.finish(),
            Inside::Zstd(stream) => stream.finish(),
        }
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream().write(buffer)
    }

    /// Does nothing to a compressed stream: what is gathered for the next block stays, since a block cut short costs
    /// bytes, and the lzma format has none. [`Compressor::finish`] writes everything.
    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Inside::None(output) => output.flush(),
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compression::Compression;
    use crate::decompress;
    use std::io::Read;

    #[test]
    fn every_stream_is_read_again_and_its_format_known() {
        let text: Vec<u8> = (0..3_000_000u32).flat_map(|n| (n / 7).to_le_bytes()).collect();
        for value in [
            "gzip",
            "gzip -1",
            "gzip --rsyncable",
            "bzip2 -1",
            "xz -T2 -0",
            "lzma -1",
            "zstd",
            "zstd -5 -T4",
            "pigz -p 2",
            "none",
        ] {
            let algorithm = Algorithm::parse(value).expect(value);
            let mut writer = algorithm.writer(Vec::new()).expect(value);
            writer.write_all(&text).expect(value);
            writer.flush().expect(value);
            let compressed = writer.finish().expect(value);
            let format = Compression::detect(&compressed).unwrap_or(Compression::None);
            assert_eq!(format.extension().replace(".tar", ""), algorithm.extension().replace(".tar", ""), "{value}");
            let mut back = Vec::new();
            decompress::reader(&compressed[..], format).expect(value).read_to_end(&mut back).expect(value);
            assert!(back == text, "{value}");
            if value != "none" {
                let cut = &compressed[..compressed.len() - 5];
                assert!(
                    decompress::reader(cut, format).expect(value).read_to_end(&mut Vec::new()).is_err(),
                    "{value} cut short"
                );
            }
        }
    }

    #[test]
    fn unknown_names_and_options_are_refused() {
        for bad in ["", "lz4", "gzip -0", "gzip -10", "gzip --x", "xz 6", "xz -10", "xz --rsyncable", "zip", "none -1"]
        {
            let error = Algorithm::parse(bad).expect_err(bad);
            assert!(error.to_string().starts_with("Invalid compression algorithm"), "{error}");
        }
        assert!(Algorithm::parse("squashfs").expect("known").is_squashfs());
    }
}
