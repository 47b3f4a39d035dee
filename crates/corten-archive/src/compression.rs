//! The formats an archive may come in, told by their first bytes as LXD tells them.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::{Error, Result};

/// A format of an archive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Compression {
    /// A tar archive as it is.
    None,
    /// gzip, RFC 1952.
    Gzip,
    /// bzip2.
    Bzip2,
    /// xz.
    Xz,
    /// The format before xz, without a real magic number.
    Lzma,
    /// Zstandard, RFC 8878.
    Zstd,
    /// A squashfs filesystem, which is no stream.
    Squashfs,
    /// A disk image of QEMU, which is no archive but the second file of a virtual machine's image.
    Qcow2,
}

/// Every format, the ending of its file names, and where which of its first bytes are. The first match counts.
const MAGIC: &[(Compression, &str, usize, &[u8])] = &[
    (Compression::Bzip2, ".tar.bz2", 0, b"BZ"),
    (Compression::Gzip, ".tar.gz", 0, &[0x1f, 0x8b]),
    (Compression::Xz, ".tar.xz", 0, &[0xfd, b'7', b'z', b'X', b'Z']),
    (Compression::Lzma, ".tar.lzma", 0, &[0x5d, 0, 0]),
    (Compression::None, ".tar", 257, b"ustar"),
    (Compression::Squashfs, ".squashfs", 0, b"hsqs"),
    (Compression::Qcow2, ".qcow2", 0, b"QFI"),
    (Compression::Zstd, ".tar.zst", 0, &[0x28, 0xb5, 0x2f, 0xfd]),
];

impl Compression {
    /// How many bytes of a file are enough to tell its format.
    pub const HEAD: usize = 263;

    /// The format of a file that begins with `head`.
    pub fn detect(head: &[u8]) -> Option<Compression> {
        let matches = |at: usize, magic: &[u8]| head.get(at..).is_some_and(|rest| rest.starts_with(magic));
        MAGIC.iter().find(|(_, _, at, magic)| matches(*at, magic)).map(|row| row.0)
    }

    /// The format of a file.
    ///
    /// # Errors
    /// [`Error::UnsupportedCompression`], or why the file cannot be read.
    pub fn of_file(path: &Path) -> Result<Compression> {
        let mut head = Vec::new();
        File::open(path)
            .and_then(|file| file.take(Compression::HEAD as u64).read_to_end(&mut head))
            .map_err(|source| Error::Io { doing: format!("Failed to read \"{}\"", path.display()), source })?;
        Compression::detect(&head).ok_or(Error::UnsupportedCompression)
    }

    /// The ending of file names in this format: `.tar.gz`, `.squashfs`, …
    pub fn extension(self) -> &'static str {
        MAGIC.iter().find(|row| row.0 == self).map_or("", |row| row.1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_told_by_its_magic() {
        for (compression, extension, at, magic) in MAGIC {
            let mut head = vec![0; *at];
            head.extend_from_slice(magic);
            assert_eq!(Compression::detect(&head), Some(*compression), "{extension}");
            assert_eq!(compression.extension(), *extension);
            assert_eq!(Compression::detect(&head[..head.len() - 1]), None, "{extension} cut short");
        }
        assert_eq!(Compression::detect(b"PK\x03\x04"), None);
        assert_eq!(Compression::detect(b""), None);
    }
}
