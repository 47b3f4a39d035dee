//! Single files of an archive, without unpacking the rest.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::compression::Compression;
use crate::decompress;
use crate::error::{Error, Result};
use crate::squashfs;
use crate::tar::Kind;
use crate::tar::reader::Reader;
use crate::watch::{Watch, Watched};

/// What was found in an archive.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// Content of the file asked for.
    pub content: Option<Vec<u8>>,
    /// The first of the other names that is there.
    pub other: Option<String>,
}

/// Looks for the file `name` and reads it, at most `limit` bytes, and for one of `others` (names at the archive's
/// top). Stops reading when both are found.
///
/// # Errors
/// [`Error::TooLarge`] for a larger file; [`Error::UnsupportedCompression`]; why the archive cannot be read.
pub fn find(path: &Path, name: &str, limit: u64, others: &[&str], watch: Watch) -> Result<Found> {
    let compression = Compression::of_file(path)?;
    if compression == Compression::Squashfs {
        let top = squashfs::list_top(path)?;
        let other = others.iter().find(|other| top.iter().any(|each| each == *other));
        let content = if top.iter().any(|each| each == name) { Some(squashfs::read(path, name, limit)?) } else { None };
        return Ok(Found { content, other: other.map(ToString::to_string) });
    }
    let opening = |source| Error::Io { doing: format!("Failed to read \"{}\"", path.display()), source };
    let file = File::open(path).map_err(opening)?;
    let size = file.metadata().map_err(opening)?.len();
    let mut reader = Reader::new(decompress::reader(Watched::new(file, size, watch), compression)?);
    let mut found = Found::default();
    while (found.content.is_none() || (found.other.is_none() && !others.is_empty()))
        && let Some(entry) = reader.next_entry()?
    {
        watch.check()?;
        let entry_path = entry.path.strip_prefix(".").unwrap_or(&entry.path);
        if entry_path == Path::new(name) && entry.kind == Kind::File && entry.sparse.is_none() {
            found.content = Some(content(&mut reader, entry.size, limit)?);
        }
        if found.other.is_none() {
            found.other = others.iter().find(|other| entry_path.starts_with(other)).map(ToString::to_string);
        }
    }
    Ok(found)
}

fn content(reader: &mut impl Read, size: u64, limit: u64) -> Result<Vec<u8>> {
    if size > limit {
        return Err(Error::TooLarge { what: "bytes in one file", limit });
    }
    let mut content = Vec::new();
    reader.read_to_end(&mut content).map_err(Error::reading)?;
    Ok(content)
}
