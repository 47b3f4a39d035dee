//! One entry that gets another owner, with what a change of owner takes away: whole, or, where a kill parted it, ended by
//! whoever comes next.
//!
//! The kernel takes the set-user-id bit and file capabilities from a file that gets another owner, and leaves its ACL as it
//! is. What has any of them is noted on the file itself before anything changes, in an attribute that only root of the host
//! can write: a container could else have itself given what it likes.

use std::ffi::{OsStr, OsString};
use std::io;

use rustix::fs::Mode;
use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use crate::rooted::directory::Directory;
use crate::undo::reach;
use crate::xattr;

/// The attribute of the note. Archives must neither bring it nor take it along.
pub const NOTE: &str = "trusted.corten.shift";

/// What an entry is to be.
#[derive(Debug, Serialize, Deserialize)]
pub struct Wanted {
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// Its permissions, where the change of owner takes some away.
    pub mode: Option<u32>,
    /// Attributes with ids, or that the change of owner takes away.
    pub attributes: Vec<(OsString, Vec<u8>)>,
}

impl Wanted {
    /// Brings the entry to this. It is at any moment as it was, as it is to be, or [noted](end).
    ///
    /// # Errors
    /// What the kernel says.
    pub fn bring(&self, dir: &Directory, name: &OsStr) -> io::Result<()> {
        if self.mode.is_none() && self.attributes.is_empty() {
            return dir.chown(name, self.uid, self.gid);
        }
        let noted = self.note(dir, name)?;
        self.write(dir, name)?;
        if noted {
            reached("forget what a file is to be")?;
            xattr::remove(dir, name, NOTE.as_ref())?;
        }
        Ok(())
    }

    /// Writes the note; where there is no room or no way for it the file is changed without.
    fn note(&self, dir: &Directory, name: &OsStr) -> io::Result<bool> {
        const NOT_TO_BE_HAD: [Errno; 5] = [Errno::PERM, Errno::OPNOTSUPP, Errno::NOSPC, Errno::TOOBIG, Errno::RANGE];
        reached("note what a file is to be")?;
        match xattr::set(dir, name, NOTE.as_ref(), &serde_json::to_vec(self)?) {
            Err(error) if NOT_TO_BE_HAD.iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error())) => {
                Ok(false)
            }
            written => written.map(|()| true),
        }
    }

    fn write(&self, dir: &Directory, name: &OsStr) -> io::Result<()> {
        reached("change the owner of a file")?;
        dir.chown(name, self.uid, self.gid)?;
        if let Some(mode) = self.mode {
            reached("give a file its permissions back")?;
            dir.chmod(name, Mode::from_raw_mode(mode))?;
        }
        for (attribute, value) in &self.attributes {
            reached("give a file an attribute")?;
            xattr::set(dir, name, attribute, value)?;
        }
        Ok(())
    }
}

/// Ends what is noted on an entry that is no link. Whether there was a note.
///
/// # Errors
/// What the kernel says; `EINVAL` for a note that is none.
pub fn end(dir: &Directory, name: &OsStr) -> io::Result<bool> {
    let Some(note) = xattr::get(dir, name, NOTE.as_ref())? else { return Ok(false) };
    let wanted: Wanted =
        serde_json::from_slice(&note).map_err(|error| io::Error::new(io::ErrorKind::InvalidInput, error))?;
    wanted.write(dir, name)?;
    xattr::remove(dir, name, NOTE.as_ref())?;
    Ok(true)
}

fn reached(step: &'static str) -> io::Result<()> {
    reach(step).map_err(io::Error::other)
}
