//! The host's own view of a volume: an overlay mounted on its `rootfs`.

use std::os::fd::{AsRawFd, OwnedFd};
use std::path::Path;

use corten_host::rooted::remove;
use corten_host::xattr;
use rustix::fs::{Mode, OFlags};
use rustix::mount::{FsMountFlags, FsOpenFlags, MountAttrFlags, MountFlags};

use super::layers::{self, LAYERS, Layer};
use super::upper;
use crate::error::{Doing, Error, Result};
use crate::generic::names;
use crate::mounts;
use crate::pool::Pool;
use crate::volume::Volume;

/// Whether the kernel has overlayfs and lets us use it.
pub fn is_supported() -> bool {
    rustix::mount::fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC).is_ok()
}

/// Directories of an overlay, open: named through their descriptors, the options stay short and need no escaping.
struct Parts {
    lower: Vec<OwnedFd>,
    /// The writable layer and the overlay's own directory; a snapshot has none.
    upper: Option<(OwnedFd, OwnedFd)>,
}

impl Parts {
    fn open(pool: &Pool, layers: &[Layer], writable: bool) -> Result<Parts> {
        let upper = match layers {
            [top @ Layer::Own(_), ..] if writable => {
                let path = top.directory(pool);
                Some((open(&path.join("upper"))?, open(&path.join("work"))?))
            }
            _ => None,
        };
        let below = &layers[usize::from(upper.is_some())..];
        let lower = below.iter().map(|layer| open(&layer.tree(pool)?)).collect::<Result<_>>()?;
        Ok(Parts { lower, upper })
    }

    /// The options for mount(2). `userxattr` is what containers mount with, so that both see the same marks.
    /// `volatile` spares what unmounting does else: writing all that is dirty on the pool's whole filesystem to disk.
    /// Who writes through the view syncs what has to be.
    fn options(&self) -> String {
        let path = |fd: &OwnedFd| format!("/proc/self/fd/{}", fd.as_raw_fd());
        let lower: Vec<String> = self.lower.iter().map(path).collect();
        let mut options = format!("userxattr,lowerdir={}", lower.join(":"));
        if let Some((upper, work)) = &self.upper {
            options += &format!(",upperdir={},workdir={},volatile", path(upper), path(work));
        }
        options
    }
}

fn open(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).doing(|| format!("Failed to open layer \"{}\"", path.display()))
}

/// Mounts the view of a volume; of a snapshot, a read-only one.
///
/// # Errors
/// What mount(2) says.
pub fn mount(pool: &Pool, volume: &Volume) -> Result<()> {
    let path = pool.path(volume);
    let rootfs = path.join("rootfs");
    // Left by a daemon that was killed; its layers may be others than today's.
    unmount(pool, volume)?;
    let layers = layers::read(&path)?;
    mount_at(pool, &layers, !volume.is_snapshot(), &rootfs)
}

/// Takes [`mount`] back, also for a daemon that was killed.
///
/// # Errors
/// What umount2(2) says.
pub fn unmount(pool: &Pool, volume: &Volume) -> Result<()> {
    let path = pool.path(volume);
    mounts::unmount_all(&path.join("rootfs"))?;
    match layers::read(&path)?.first() {
        Some(top) if !volume.is_snapshot() => upper::clear_mark(&top.directory(pool)),
        _ => Ok(()),
    }
}

/// Mounts an overlay of these layers on `point`.
fn mount_at(pool: &Pool, layers: &[Layer], writable: bool, point: &Path) -> Result<()> {
    let parts = Parts::open(pool, layers, writable)?;
    let mut flags = MountFlags::NOSUID | MountFlags::NODEV;
    if parts.upper.is_none() {
        flags |= MountFlags::RDONLY;
        // An overlay of one layer and nothing to write to is that layer.
        if let ([_], [layer]) = (parts.lower.as_slice(), layers) {
            return mounts::bind_read_only(&layer.tree(pool)?, point);
        }
    }
    let options = std::ffi::CString::new(parts.options()).map_err(|_| Error::internal("a path has a zero byte"))?;
    let mounted = rustix::mount::mount("overlay", point, "overlay", flags, options.as_c_str());
    mounted.doing(|| format!("Failed to mount \"overlay\" on \"{}\" using \"overlay\"", point.display()))
}

/// Tries an overlay on the pool's filesystem, and whether it keeps the attributes that overlays are marked with.
///
/// # Errors
/// What is missing.
pub fn probe(pool: &Pool) -> Result<()> {
    let path = names::beside(&pool.directory().join(LAYERS).join("probe"));
    let refused = |what: String| {
        let directory = pool.directory().display();
        Error::invalid(format!("The filesystem of \"{directory}\" cannot hold an overlay pool: {what}"))
    };
    let tried = || -> Result<()> {
        for name in ["", "lower", "upper", "work"] {
            let one = path.join(name);
            std::fs::create_dir(&one).doing(|| format!("Failed to create \"{}\"", one.display()))?;
        }
        let directory = open_readable(&path)?;
        xattr::set(&directory, "upper".as_ref(), "user.overlay.probe".as_ref(), b"y")
            .map_err(|error| refused(format!("it has no extended attributes of users ({error})")))?;
        let parts = Parts {
            lower: vec![open(&path.join("lower"))?],
            upper: Some((open(&path.join("upper"))?, open(&path.join("work"))?)),
        };
        detached(&parts).map_err(|error| refused(error.to_string()))
    };
    let outcome = tried();
    remove::tree(&path).doing(|| format!("Failed to remove '{}'", path.display()))?;
    outcome
}

fn open_readable(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).doing(|| format!("Failed to open \"{}\"", path.display()))
}

/// Mounts an overlay nowhere; it goes with its descriptor.
fn detached(parts: &Parts) -> std::io::Result<()> {
    let context = rustix::mount::fsopen("overlay", FsOpenFlags::FSOPEN_CLOEXEC)?;
    for option in parts.options().split(',') {
        match option.split_once('=') {
            Some((key, value)) => rustix::mount::fsconfig_set_string(&context, key, value)?,
            None => rustix::mount::fsconfig_set_flag(&context, option)?,
        }
    }
    rustix::mount::fsconfig_create(&context)?;
    rustix::mount::fsmount(&context, FsMountFlags::FSMOUNT_CLOEXEC, MountAttrFlags::empty())?;
    Ok(())
}
