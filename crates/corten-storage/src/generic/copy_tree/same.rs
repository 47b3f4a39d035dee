//! Files that need no copying: what the copy replaces has them already, just so.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};

use corten_host::rooted::directory::Directory;
use corten_host::xattr;
use rustix::fs::{Mode, OFlags, Stat};

use super::entry::Pair;

/// How much is compared at a time.
const PIECE: usize = 128 << 10;

/// Gives a regular file its name in the copy by a link to what is there already, if that is the same. False, with
/// nothing done, when it must be copied.
///
/// A file with several names is never linked: whether the same names belong together on both sides would have to be
/// known. That size and time of change are the same is not enough: a program may set the time back, and LXD's rsync
/// compares the data as well.
///
/// # Errors
/// What the kernel says to the file that is copied.
pub fn is_linked(pair: &Pair, name: &OsStr, stat: &Stat) -> io::Result<bool> {
    let Some(like) = pair.like.as_ref().filter(|_| stat.st_nlink == 1) else { return Ok(false) };
    let Ok(Some(there)) = like.find(name) else { return Ok(false) };
    // Holes are not read: a file of them may be of any size, and is copied quickly.
    let is_sparse = stat.st_blocks.cast_unsigned() * 512 < stat.st_size.cast_unsigned();
    if is_sparse || looks(&there) != looks(stat) {
        return Ok(false);
    }
    let (one, Ok(other)) = (open(&pair.from, name)?, open(like, name)) else { return Ok(false) };
    if attributes(&one)? != attributes(&other)? || !is_same_data(&one, &other)? {
        return Ok(false);
    }
    // Another filesystem or project quota, too many names: then it is copied.
    Ok(like.hardlink(name, &pair.to, name).is_ok())
}

/// All that a link brings along and that must be the same.
fn looks(stat: &Stat) -> (u32, u64, u32, u32, i64, i64, u64) {
    let names = u64::from(stat.st_nlink == 1);
    (stat.st_mode, names, stat.st_uid, stat.st_gid, stat.st_size, stat.st_mtime, stat.st_mtime_nsec)
}

/// Opens a file; should somebody put a FIFO there meanwhile, that must not wait.
fn open(directory: &Directory, name: &OsStr) -> io::Result<File> {
    Ok(File::from(directory.open_fd(name, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty())?))
}

/// Extended attributes, in the order of their names.
fn attributes(file: &File) -> io::Result<Vec<(std::ffi::OsString, Option<Vec<u8>>)>> {
    let mut names = xattr::list_of(file)?;
    names.sort_unstable();
    names.into_iter().map(|name| xattr::get_of(file, &name).map(|value| (name, value))).collect()
}

fn is_same_data(one: &File, other: &File) -> io::Result<bool> {
    let (mut left, mut right) = (vec![0; PIECE], vec![0; PIECE]);
    loop {
        let (mut one, mut other) = (one, other);
        let length = one.read(&mut left)?;
        if length == 0 {
            return Ok(other.read(&mut right[..1])? == 0);
        }
        match other.read_exact(&mut right[..length]) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            read => read?,
        }
        if left[..length] != right[..length] {
            return Ok(false);
        }
    }
}
