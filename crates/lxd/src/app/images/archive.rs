//! What an image file says of itself: its `metadata.yaml`, read without unpacking anything.

use std::fs::File;
use std::io::Read;
use std::path::{Component, Path};

use corten_api::error::{Context, Error, Result};
use corten_api::image::ImageMetadata;
use corten_api::yaml;
use corten_archive::compression::Compression;
use corten_archive::decompress;
use corten_archive::squashfs;
use corten_archive::tar::Kind;
use corten_archive::tar::reader::Reader;
use corten_db::table::architecture;

use crate::app::archive_file::in_words;

/// Name of the file that describes an image.
const METADATA: &str = "metadata.yaml";

/// The largest `metadata.yaml` that is read, in bytes, as in LXD.
const LARGEST_METADATA: u64 = 1 << 20;

/// How far into the unpacked archive the description is looked for, in bytes. Where a small file unpacks to more
/// than this it is meant to do harm.
const LARGEST_SEARCH: u64 = 64 << 30;

/// As [`LARGEST_SEARCH`], for the first file of an image in two, which holds metadata and templates only.
const LARGEST_METADATA_ARCHIVE: u64 = 1 << 30;

/// What an image file says of itself.
#[derive(Debug)]
pub struct Described {
    /// Its `metadata.yaml`.
    pub metadata: ImageMetadata,
    /// `container` or `virtual-machine`, by the root that is in the file; `None` when there is none.
    pub kind: Option<&'static str>,
}

/// Reads what the image file `path` says. `whole` means that the image has no second file.
///
/// # Errors
/// In LXD's words: no archive, no `metadata.yaml`, an unknown architecture, no creation date.
pub fn describe(path: &Path, whole: bool) -> Result<Described> {
    let found = match Compression::of_file(path).map_err(in_words)? {
        Compression::Squashfs => in_squashfs(path)?,
        Compression::Qcow2 => return Err(Error::invalid("Unsupported compression")),
        compression => in_tar(path, compression, if whole { LARGEST_SEARCH } else { LARGEST_METADATA_ARCHIVE })?,
    };
    let text = found.text.ok_or_else(|| Error::invalid("Metadata tarball is missing metadata.yaml"))?;
    Ok(Described { metadata: parse(&text)?, kind: found.kind })
}

#[derive(Default)]
struct Found {
    text: Option<String>,
    kind: Option<&'static str>,
}

impl Found {
    /// Takes note of a path in the archive, without a leading `./`.
    fn see(&mut self, path: &Path) {
        match path.iter().next().and_then(|first| first.to_str()) {
            Some("rootfs") => self.kind = self.kind.or(Some("container")),
            Some("rootfs.img") => self.kind = Some("virtual-machine"),
            _ => {}
        }
    }
}

fn in_tar(path: &Path, compression: Compression, limit: u64) -> Result<Found> {
    let file = File::open(path).with_context(|| format!("Failed to read {}", path.display()))?;
    // One byte more than allowed shows that there is more.
    let stream = decompress::reader(file, compression).map_err(in_words)?.take(limit + 1);
    let mut stream = Counted { input: stream, left: limit };
    let mut reader = Reader::new(&mut stream);
    let mut found = Found::default();
    while let Some(entry) = reader.next_entry().map_err(in_words)? {
        let path = checked(&entry.path)?;
        found.see(path);
        if path == Path::new(METADATA) {
            if entry.kind != Kind::File {
                return Err(Error::invalid("metadata.yaml is not a regular file"));
            }
            found.text = Some(limited(&mut reader)?);
        }
        if found.text.is_some() && found.kind.is_some() {
            return Ok(found);
        }
    }
    // The archive's end is before the compressed stream's, which may be cut off or damaged there.
    std::io::copy(&mut stream, &mut std::io::sink())
        .map_err(|error| Error::invalid(format!("Archive is damaged: {error}")))?;
    Ok(found)
}

/// A stream that fails, rather than ends, when there is more than allowed.
struct Counted<R> {
    input: R,
    left: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.input.read(buffer)?;
        self.left = self.left.checked_sub(length as u64).ok_or_else(|| {
            std::io::Error::new(
                std::io::ErrorKind::InvalidData,
                "no metadata.yaml and root in it within the limit of size",
            )
        })?;
        Ok(length)
    }
}

/// A path of the archive without a leading `/` or `./`; those that lead elsewhere are refused here already.
fn checked(path: &Path) -> Result<&Path> {
    if path.components().any(|part| matches!(part, Component::ParentDir)) {
        let path = path.display();
        return Err(Error::invalid(format!("Archive entry \"{path}\" refused: it leads out of the image")));
    }
    // The archive's root, as unpacking takes it.
    let path = path.strip_prefix("/").unwrap_or(path);
    Ok(path.strip_prefix(".").unwrap_or(path))
}

fn limited(input: impl Read) -> Result<String> {
    let mut text = Vec::new();
    input
        .take(LARGEST_METADATA + 1)
        .read_to_end(&mut text)
        .map_err(|error| Error::invalid(format!("Failed to read metadata.yaml: {error}")))?;
    if text.len() as u64 > LARGEST_METADATA {
        return Err(Error::invalid(format!("metadata.yaml is larger than {LARGEST_METADATA} bytes")));
    }
    String::from_utf8(text).map_err(|_| Error::invalid("metadata.yaml is not UTF-8 text"))
}

fn in_squashfs(path: &Path) -> Result<Found> {
    let mut found = Found::default();
    for entry in squashfs::top(path).map_err(in_words)? {
        found.see(Path::new(&entry.name));
        if entry.name == METADATA {
            if !entry.is_file || entry.size > LARGEST_METADATA {
                let refused = format!("metadata.yaml is no regular file of at most {LARGEST_METADATA} bytes");
                return Err(Error::invalid(refused));
            }
            let text = squashfs::read(path, METADATA, LARGEST_METADATA).map_err(in_words)?;
            found.text = text.map(|text| limited(text.as_slice())).transpose()?;
        }
    }
    Ok(found)
}

/// Reads the text of `metadata.yaml` and refuses what LXD refuses.
fn parse(text: &str) -> Result<ImageMetadata> {
    let metadata: ImageMetadata = yaml::from_str(text).map_err(|error| error.context("Invalid metadata.yaml"))?;
    if architecture::id(&metadata.architecture).is_none() {
        return Err(Error::invalid(format!("Architecture isn't supported: {}", metadata.architecture)));
    }
    if metadata.creation_date == 0 {
        return Err(Error::invalid("Missing creation date"));
    }
    Ok(metadata)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_is_read_as_lxd_reads_it() {
        let good = parse("architecture: amd64\ncreation_date: 1424284563\nproperties:\n  release: 12\n").expect("good");
        assert_eq!((good.creation_date, good.properties["release"].as_str()), (1_424_284_563, "12"));
        for (text, wanted) in [
            ("architecture: nothing\ncreation_date: 1\n", "Architecture isn't supported: nothing"),
            ("architecture: x86_64\n", "Missing creation date"),
            ("creation_date: 1\n", "Architecture isn't supported: "),
            ("", "Architecture isn't supported: "),
            ("architecture: [\n", "Invalid metadata.yaml: "),
            ("creation_date: tomorrow\n", "Invalid metadata.yaml: "),
        ] {
            let refused = parse(text).expect_err(text).message;
            assert!(refused.starts_with(wanted), "{refused} is not {wanted}");
        }
    }

    #[test]
    fn paths_that_lead_elsewhere_are_refused() {
        for good in ["metadata.yaml", "./metadata.yaml", "/rootfs/etc/inittab", "rootfs/a..b", "./"] {
            assert!(checked(Path::new(good)).is_ok(), "{good}");
        }
        for bad in ["/../metadata.yaml", "../x", "rootfs/../../x"] {
            assert!(checked(Path::new(bad)).is_err(), "{bad}");
        }
    }
}
