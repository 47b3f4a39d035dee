//! Limits on trees by project ids, where the filesystem has them (ext4, xfs with `prjquota`).

use std::ffi::OsStr;
use std::io;
use std::path::Path;

use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;

use crate::rooted::directory::Directory;
use crate::syscall::project_quota;

/// Whether the filesystem at `path` has project quotas switched on.
pub fn is_supported(path: &Path) -> bool {
    Directory::open(path).is_ok_and(|directory| project_quota::is_enabled(&directory))
}

/// Makes the directory `path` and all below it part of the project `id`; what is made there later will be, too. Doing
/// it while the directory is empty costs nothing.
///
/// # Errors
/// What the kernel says, of the first file that cannot be changed.
pub fn set_project(path: &Path, id: u32) -> io::Result<()> {
    let directory = Directory::open(path)?;
    set_directory(&directory, id)
}

fn set_directory(directory: &Directory, id: u32) -> io::Result<()> {
    project_quota::set_project(directory, id, true)?;
    for (name, kind) in directory.entries()? {
        let kind = match kind {
            FileType::Unknown => FileType::from_raw_mode(directory.stat(&name)?.st_mode),
            kind => kind,
        };
        match kind {
            FileType::Directory => set_directory(&directory.enter(&name)?, id)?,
            FileType::RegularFile => set_file(directory, &name, id)?,
            // Others take no space, and opening some of them waits for ever.
            _ => {}
        }
    }
    Ok(())
}

fn set_file(directory: &Directory, name: &OsStr, id: u32) -> io::Result<()> {
    match directory.open_fd(name, OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty()) {
        Ok(file) => project_quota::set_project(&file, id, false),
        // Gone or replaced by a link since it was listed: a running container may do so at any time.
        Err(error)
            if [Errno::NOENT, Errno::LOOP].iter().any(|errno| error.raw_os_error() == Some(errno.raw_os_error())) =>
        {
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// The project of the directory `path`; 0 for none.
///
/// # Errors
/// What the kernel says.
pub fn project(path: &Path) -> io::Result<u32> {
    project_quota::project(Directory::open(path)?)
}

/// Bytes that the project `id` uses on the filesystem at `path`.
///
/// # Errors
/// What the kernel says.
pub fn used(path: &Path, id: u32) -> io::Result<u64> {
    project_quota::used(Directory::open(path)?, id)
}

/// Limits the project `id` on the filesystem at `path` to so many bytes; `None` takes the limit away.
///
/// # Errors
/// What the kernel says.
pub fn set_limit(path: &Path, id: u32, bytes: Option<u64>) -> io::Result<()> {
    project_quota::set_limit(Directory::open(path)?, id, bytes.unwrap_or(0))
}
