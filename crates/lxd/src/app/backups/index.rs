//! `backup/index.yaml`: what a backup says of itself.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use corten_api::backup_config::BackupConfig;
use corten_api::error::{Context, Error, Result};
use corten_api::yaml;
use corten_archive::compression::Compression;
use corten_archive::decompress;
use corten_archive::squashfs;
use corten_archive::tar::Kind;
use corten_archive::tar::reader::Reader;
use serde::{Deserialize, Serialize};

use crate::app::archive_file::in_words;

/// Where it is in the archive.
pub const PATH: &str = "backup/index.yaml";
/// Where the instance's own description is, for archives of old servers whose index has none.
const OLD: &str = "backup/container/backup.yaml";

/// The largest one that is read, in bytes, as in LXD.
const LARGEST: u64 = 1 << 20;

/// How far into the unpacked archive it is looked for, in bytes.
const LARGEST_SEARCH: u64 = 1 << 40;

/// What a backup says of itself.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Index {
    /// Name of the instance or volume.
    pub name: String,
    /// Driver of the pool that it was on.
    pub backend: String,
    /// Name of that pool.
    pub pool: String,
    /// Names of the snapshots that are in it, oldest first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub snapshots: Vec<String>,
    /// Whether it is in that driver's own format.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optimized: Option<bool>,
    /// Whether a header of that driver is in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub optimized_header: Option<bool>,
    /// `container`, `virtual-machine` or `custom`; a container when it is not said.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub r#type: String,
    /// All that is remembered of the instance or volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub config: Option<BackupConfig>,
}

/// Reads the index of the backup in `file`. One without a description of the instance gets that from the instance's
/// own files.
///
/// # Errors
/// 400 for what is no backup, or one that cannot be used here.
pub fn read(file: &Path) -> Result<Index> {
    let mut index = match Compression::of_file(file).map_err(in_words)? {
        Compression::Squashfs => in_squashfs(file)?,
        Compression::Qcow2 => return Err(Error::invalid("Unsupported backup compression")),
        compression => in_tar(file, compression)?,
    };
    if index.r#type.is_empty() {
        index.r#type = "container".to_string();
    }
    Ok(index)
}

fn in_squashfs(file: &Path) -> Result<Index> {
    let text = squashfs::read(file, PATH, LARGEST).map_err(in_words)?.ok_or_else(missing)?;
    parse(&text)
}

fn missing() -> Error {
    Error::invalid("Backup is missing index.yaml")
}

fn in_tar(path: &Path, compression: Compression) -> Result<Index> {
    let file = File::open(path).context("Failed to read the backup")?;
    let stream = decompress::reader(file, compression).map_err(in_words)?.take(LARGEST_SEARCH);
    let mut reader = Reader::new(stream);
    let (mut index, mut old) = (None, None);
    while let Some(entry) = reader.next_entry().map_err(in_words)? {
        let name = entry.path.strip_prefix(".").unwrap_or(&entry.path);
        if name == Path::new(PATH) {
            index = Some(parse(&text(&mut reader, entry.kind)?)?);
        } else if name == Path::new(OLD) && entry.kind == Kind::File {
            old = Some(text(&mut reader, entry.kind)?);
        }
        match (&mut index, &old) {
            (Some(index), _) if index.config.is_some() => break,
            (Some(index), Some(old)) => {
                index.config = Some(parse_config(old)?);
                break;
            }
            _ => {}
        }
    }
    index.ok_or_else(missing)
}

fn text(input: &mut impl Read, kind: Kind) -> Result<Vec<u8>> {
    if kind != Kind::File {
        return Err(Error::invalid("index.yaml is not a regular file"));
    }
    let mut text = Vec::new();
    let read = input.take(LARGEST + 1).read_to_end(&mut text);
    read.map_err(|error| Error::invalid(format!("Error reading backup file info: {error}")))?;
    if text.len() as u64 > LARGEST {
        return Err(Error::invalid(format!("index.yaml is larger than {LARGEST} bytes")));
    }
    Ok(text)
}

fn parse(text: &[u8]) -> Result<Index> {
    let text = std::str::from_utf8(text).map_err(|_| Error::invalid("index.yaml is not UTF-8 text"))?;
    yaml::from_str(text).map_err(|error| error.context("Invalid index.yaml"))
}

/// Reads the text of a `backup.yaml`.
///
/// # Errors
/// 400 when it is none.
pub fn parse_config(text: &[u8]) -> Result<BackupConfig> {
    let text = std::str::from_utf8(text).map_err(|_| Error::invalid("backup.yaml is not UTF-8 text"))?;
    yaml::from_str(text).map_err(|error| error.context("Invalid backup.yaml"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_is_written_as_lxd_writes_it_and_read_again() {
        let index = Index {
            name: "c1".into(),
            backend: "dir".into(),
            pool: "default".into(),
            snapshots: vec!["s0".into()],
            optimized: Some(false),
            optimized_header: Some(false),
            r#type: "container".into(),
            config: None,
        };
        let text = yaml::to_string(&index).expect("text");
        let wanted = "name: c1\nbackend: dir\npool: default\nsnapshots:\n- s0\noptimized: false\noptimized_header: false\n\
                      type: container\n";
        assert_eq!(text, wanted);
        assert_eq!(parse(text.as_bytes()).expect("an index"), index);
        let old = parse(b"name: c1\nbackend: zfs\npool: p\n").expect("an index of an old server");
        assert_eq!((old.optimized, old.config), (None, None));
        parse(b"name: [").expect_err("no index");
    }
}
