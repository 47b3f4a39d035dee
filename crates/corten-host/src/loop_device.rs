//! A file as a block device, without a program: the device lets go of the file with its last user.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, makedev};
use rustix::io::Errno;

use crate::file::Error;
use crate::syscall::loop_control;

/// The major number of loop devices, devices.txt.
const MAJOR: u32 = 7;

/// A loop device with a file bound to it. When this is dropped and the device is mounted nowhere, the file is let go.
#[derive(Debug)]
pub struct LoopDevice {
    path: PathBuf,
    _device: File,
}

impl LoopDevice {
    /// Binds the file at `path` to a free loop device.
    ///
    /// # Errors
    /// [`Error`] naming the file or the device, also when the kernel has no loop devices.
    pub fn attach(path: &Path, read_only: bool) -> Result<LoopDevice, Error> {
        let open = |path: &Path, write| OpenOptions::new().read(true).write(write).open(path);
        let file = open(path, !read_only).map_err(|source| Error::new("opening", path, source))?;
        let control_path = Path::new("/dev/loop-control");
        let control = open(control_path, true).map_err(|source| Error::new("opening", control_path, source))?;
        loop {
            let asking = |source| Error::new("asking for a free loop device from", control_path, source);
            let number = loop_control::free_device(&control).map_err(asking)?;
            let device_path = PathBuf::from(format!("/dev/loop{number}"));
            let device = node(&device_path, number).and_then(|()| open(&device_path, !read_only));
            let device = device.map_err(|source| Error::new("opening", &device_path, source))?;
            match loop_control::configure(&device, &file, path.as_os_str().as_bytes(), read_only) {
                Ok(()) => return Ok(LoopDevice { path: device_path, _device: device }),
                // Another process was quicker: the next free one, then.
                Err(error) if error.raw_os_error() == Some(Errno::BUSY.raw_os_error()) => {}
                Err(source) => return Err(Error::new(format!("binding {} to", path.display()), device_path, source)),
            }
        }
    }

    /// The device, `/dev/loopN`.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// Makes the device's node where nothing makes it by itself (a /dev that is no devtmpfs).
fn node(path: &Path, number: u32) -> io::Result<()> {
    if path.exists() {
        return Ok(());
    }
    match rustix::fs::mknodat(CWD, path, FileType::BlockDevice, Mode::from_raw_mode(0o660), makedev(MAJOR, number)) {
        Ok(()) | Err(Errno::EXIST) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}
