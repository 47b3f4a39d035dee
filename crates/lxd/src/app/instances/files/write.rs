//! Making and removing files of an instance.

use std::ffi::OsStr;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use corten_api::error::{Error, Result};
use corten_files::attributes::Attributes;
use corten_files::transfer::{self, Cut};
use corten_files::wire::open;
use corten_files::{Client, Failure};
use corten_instance::instance::Instance;

use rustix::fs::FileType;

use super::{door, refused};
use crate::app::App;

/// What is to be made, as the `X-LXD-` headers say it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// `file`, `directory` or `symlink`.
    pub kind: String,
    /// Whether the content goes behind what is there.
    pub append: bool,
    /// Owner; `None` leaves it as it comes.
    pub uid: Option<u32>,
    /// Group.
    pub gid: Option<u32>,
    /// The nine bits of permissions.
    pub mode: Option<u32>,
}

impl Wanted {
    /// Reads the headers, as far as they make sense.
    ///
    /// # Errors
    /// 400 for a way of writing, or a type, that there is not.
    pub fn read<'a>(header: impl Fn(&str) -> &'a str) -> Result<Wanted> {
        let id = |name| header(name).parse::<u32>().ok();
        let or = |name, default: &'static str| match header(name) {
            "" => default.to_string(),
            value => value.to_string(),
        };
        let (kind, write) = (or("x-lxd-type", "file"), or("x-lxd-write", "overwrite"));
        if !matches!(write.as_str(), "overwrite" | "append") {
            return Err(Error::invalid(format!("Bad file write mode: {write}")));
        }
        if !matches!(kind.as_str(), "file" | "directory" | "symlink") {
            return Err(Error::invalid(format!("Bad file type: {kind}")));
        }
        let (uid, gid) = (id("x-lxd-uid"), id("x-lxd-gid"));
        Ok(Wanted { kind, append: write == "append", uid, gid, mode: mode(header("x-lxd-mode")) })
    }

    fn attributes(&self, mode: Option<u32>) -> Option<Attributes> {
        // The largest number leaves an id as it is.
        let owned = self.uid.is_some() || self.gid.is_some();
        let owner = owned.then(|| (self.uid.unwrap_or(u32::MAX), self.gid.unwrap_or(u32::MAX)));
        (owner.is_some() || mode.is_some()).then(|| Attributes { owner, mode, ..Attributes::default() })
    }
}

/// Permissions as LXD reads them: octal with a zero in front, else decimal; only digits.
fn mode(text: &str) -> Option<u32> {
    text.parse::<u32>().ok()?;
    let number = match text.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => u32::from_str_radix(octal, 8).ok()?,
        _ => text.parse().ok()?,
    };
    Some(number & 0o777)
}

/// Permissions of a directory for which none are wanted.
const FOLDER_MODE: u32 = 0o750;

/// Makes what is wanted at `path`, with what comes in `body`. Gives whether anything was done.
///
/// # Errors
/// 404 when the directory is not there; when the body is cut off, and then a new file goes again.
pub fn make(app: &App, instance: &Instance, path: &Path, wanted: &Wanted, body: &mut impl Read) -> Result<bool> {
    let door = door::open(app, instance)?;
    let mut client = door.client()?;
    let doing = format!("Failed to write {}", path.display());
    let wrong = |failure: Failure| refused(&doing, &failure);
    match wanted.kind.as_str() {
        "file" => file(&mut client, path, wanted, body, &doing).map(|()| true),
        "symlink" => {
            let mut target = Vec::new();
            body.take(LONGEST_TARGET).read_to_end(&mut target).map_err(|error| cut_off(&doing, &error))?;
            let target = Path::new(OsStr::from_bytes(&target));
            if client.read_link(path).is_ok_and(|current| current.as_os_str() == target.as_os_str()) {
                return Ok(false);
            }
            client.symlink(target, path).map_err(wrong).map(|()| true)
        }
        _ => {
            if client.stat(path).is_ok() {
                return Ok(false);
            }
            client.mkdir(path).map_err(wrong)?;
            let attributes = wanted.attributes(Some(wanted.mode.unwrap_or(FOLDER_MODE)));
            attributes.map_or(Ok(()), |attributes| client.change_at(path, &attributes)).map_err(wrong).map(|()| true)
        }
    }
}

/// A link's target is a path, and no path is longer; one byte more to be refused by the kernel.
const LONGEST_TARGET: u64 = 4097;

fn cut_off(doing: &str, error: &std::io::Error) -> Error {
    Error::internal(format!("{doing}: the content was cut off: {error}"))
}

fn file(client: &mut Client, path: &Path, wanted: &Wanted, body: &mut impl Read, doing: &str) -> Result<()> {
    let wrong = |failure: Failure| refused(doing, &failure);
    let existed = client.stat(path).is_ok();
    let flags = if wanted.append { 0 } else { open::CREATE | open::TRUNCATE };
    let handle = client.open(path, open::READ | open::WRITE | flags).map_err(wrong)?;
    let mut outcome = Ok(());
    if !existed && let Some(attributes) = wanted.attributes(wanted.mode) {
        // Before the content, which may be a secret.
        outcome = client.change(&handle, &attributes).map_err(wrong);
    }
    let outcome = outcome.and_then(|()| {
        let end = client.fstat(&handle).map_err(wrong)?.size.unwrap_or(0);
        match transfer::write(client, &handle, end, body) {
            Ok(_) => client.close(&handle).map_err(wrong),
            Err(Cut::Files(failure)) => Err(wrong(failure)),
            Err(Cut::Source(error)) => Err(cut_off(doing, &error)),
        }
    });
    let is_file = |client: &mut Client| client.lstat(path).is_ok_and(|found| found.kind() == FileType::RegularFile);
    if outcome.is_err() && !existed && is_file(client) {
        // Half a file that was not there before is worse than none. A link that led nowhere stays, with what it leads to.
        let _ = client.remove(path, false);
    }
    outcome
}

/// Removes the file or the empty directory at `path`.
///
/// # Errors
/// 404 when nothing is there; when a directory is not empty.
pub fn remove(app: &App, instance: &Instance, path: &Path) -> Result<()> {
    let door = door::open(app, instance)?;
    let mut client = door.client()?;
    let wrong = |failure: Failure| refused(&format!("Failed to remove {}", path.display()), &failure);
    let directory = client.lstat(path).map_err(wrong)?.kind() == FileType::Directory;
    client.remove(path, directory).map_err(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_read_as_lxd_reads_them() {
        let read = |pairs: &[(&str, &'static str)]| {
            let pairs = pairs.to_vec();
            Wanted::read(move |name| pairs.iter().find(|(key, _)| *key == name).map_or("", |(_, value)| *value))
        };
        let plain = Wanted { kind: "file".into(), append: false, uid: None, gid: None, mode: None };
        assert_eq!(read(&[]).expect("a file"), plain);
        let all = [("x-lxd-type", "directory"), ("x-lxd-write", "append"), ("x-lxd-uid", "1"), ("x-lxd-gid", "2")];
        let full = Wanted { kind: "directory".into(), append: true, uid: Some(1), gid: Some(2), ..plain };
        assert_eq!(read(&all).expect("a directory"), full);
        for (text, wanted) in [
            ("0644", Some(0o644)),
            ("420", Some(0o644)),
            ("04755", Some(0o755)),
            ("0", Some(0)),
            ("rwx", None),
            ("-1", None),
        ] {
            assert_eq!(mode(text), wanted, "{text}");
        }
        assert_eq!(read(&[("x-lxd-write", "x")]).expect_err("no way").message, "Bad file write mode: x");
        assert_eq!(read(&[("x-lxd-type", "fifo")]).expect_err("no type").message, "Bad file type: fifo");
    }
}
