//! Looking at a file of an instance: what it is, and its content, target or entries.

use std::io::Read;
use std::path::Path;

use corten_api::error::{Error, Result};
use corten_api::time::Time;
use corten_files::attributes::Attributes;
use corten_files::transfer::Reading;
use corten_files::tree::clean;
use corten_files::wire::{PIECE, open};
use corten_instance::instance::Instance;
use rustix::fs::FileType;

use super::door::{self, Door};
use super::refused;
use crate::app::App;

/// What a file is, as the `X-LXD-` headers say it.
#[derive(Clone, Debug)]
pub struct Described {
    /// `file`, `directory` or `symlink`.
    pub kind: &'static str,
    /// The headers with their values.
    pub headers: Vec<(&'static str, String)>,
}

/// What was found.
pub enum Content {
    /// A file that fits into memory easily, or a link's target.
    Whole(Vec<u8>),
    /// A file of this many bytes, which comes as it is read.
    Stream(Box<dyn Read + Send>, u64),
    /// The names in a directory.
    Names(Vec<String>),
}

fn describe(attributes: &Attributes) -> Described {
    let kind = match attributes.kind() {
        FileType::Directory => "directory",
        FileType::Symlink => "symlink",
        _ => "file",
    };
    let (uid, gid) = attributes.owner.unwrap_or_default();
    let changed = attributes.times.map_or(0, |(_, changed)| changed);
    let changed = Time::from_unix(i64::from(changed), 0).timestamp();
    let headers = vec![
        ("x-lxd-uid", uid.to_string()),
        ("x-lxd-gid", gid.to_string()),
        ("x-lxd-mode", format!("{:04o}", attributes.mode.unwrap_or(0) & 0o777)),
        ("x-lxd-modified", changed.strftime("%Y-%m-%d %H:%M:%S +0000 UTC").to_string()),
        ("x-lxd-type", kind.to_string()),
    ];
    Described { kind, headers }
}

/// What is at `path`, links themselves.
///
/// # Errors
/// 404 when nothing is there.
pub fn look(app: &App, instance: &Instance, path: &Path) -> Result<Described> {
    let attributes = door::open(app, instance)?.client()?.lstat(path);
    Ok(describe(&attributes.map_err(|failure| refused(&format!("Failed to look at {}", path.display()), &failure))?))
}

/// What is at `path` with its content.
///
/// # Errors
/// 404 when nothing is there; when it is neither file, directory nor link.
pub fn read(app: &App, instance: &Instance, path: &Path) -> Result<(Described, Content)> {
    let door = door::open(app, instance)?;
    let mut client = door.client()?;
    let doing = format!("Failed to read {}", path.display());
    let wrong = |failure| refused(&doing, &failure);
    let attributes = client.lstat(path).map_err(wrong)?;
    let described = describe(&attributes);
    let content = match described.kind {
        "directory" => {
            let names = client.list(path).map_err(wrong)?;
            let mut names: Vec<String> = names.iter().map(|name| name.to_string_lossy().into_owned()).collect();
            names.sort();
            Content::Names(names)
        }
        "symlink" => {
            let target = client.read_link(path).map_err(wrong)?;
            // As LXD has it: an absolute path, as far as that can be told without following anything.
            let target = clean(&path.parent().unwrap_or(path).join(target));
            Content::Whole(target.into_os_string().into_encoded_bytes())
        }
        _ => {
            let handle = client.open(path, open::READ).map_err(wrong)?;
            let size = client.fstat(&handle).map_err(wrong)?.size.unwrap_or(0);
            stream(Reading::new(client, handle), door, size, &doing)?
        }
    };
    Ok((described, content))
}

/// The first piece is read at once: files of the kernel's say that they are empty, or larger than they are.
fn stream(mut reading: Reading, door: Door, size: u64, doing: &str) -> Result<Content> {
    let mut first = Vec::new();
    let mut failed = |source: &mut dyn Read| {
        source.read_to_end(&mut first).map_err(|error| Error::internal(format!("{doing}: {error}")))
    };
    if failed(&mut (&mut reading).take(PIECE as u64))? < PIECE {
        return Ok(Content::Whole(first));
    }
    if size < PIECE as u64 {
        // A file of the kernel's that is longer than it said.
        if failed(&mut (&mut reading).take(LARGEST_UNTOLD))? as u64 == LARGEST_UNTOLD {
            return Err(Error::internal(format!("{doing}: it does not say how long it is, and has no end")));
        }
        return Ok(Content::Whole(first));
    }
    let rest = Rest { reading, _door: door };
    // A file that grows meanwhile is as long as it was.
    Ok(Content::Stream(Box::new(std::io::Cursor::new(first).chain(rest).take(size)), size))
}

/// How much of a file is kept in memory whose length cannot be told, in bytes.
const LARGEST_UNTOLD: u64 = 64 << 20;

/// A file that is being read, with the door that it comes through.
struct Rest {
    reading: Reading,
    _door: Door,
}

impl Read for Rest {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        self.reading.read(into)
    }
}
