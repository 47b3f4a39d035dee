//! Images on an overlay pool: unpacked once, or a squashfs mounted as it is.
//!
//! `images/FINGERPRINT/` has `metadata.yaml`, `templates/`, and the root: `rootfs/` unpacked; or `rootfs.squashfs`,
//! mounted on `rootfs/`; or `image.squashfs`, an image in one file with its root inside, mounted on `image/`.
//! An empty file `unwanted` says that the image was deleted while containers still needed it.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use corten_archive::compression::Compression;
use corten_archive::watch::Watch;
use corten_host::kernel_features;
use corten_host::loop_device::LoopDevice;
use corten_host::mount::{self, options::Options};
use corten_host::rooted::remove;
use corten_host::undo::Undo;
use rustix::fs::CWD;

use super::layers::{self, Layer};
use crate::error::{Doing, Error, Result};
use crate::fill::ImageFiles;
use crate::generic::image::{check_files, unpack, unpack_file, unpack_meta};
use crate::generic::names;
use crate::mounts;
use crate::pool::Pool;

/// The two squashfs files an image may have, and the directory that each is mounted on.
const SQUASHFS: [(&str, &str); 2] = [("rootfs.squashfs", "rootfs"), ("image.squashfs", "image")];

/// The mark of an image that was deleted.
const UNWANTED: &str = "unwanted";

/// The image's directory.
pub fn path(pool: &Pool, fingerprint: &str) -> PathBuf {
    pool.directory().join("images").join(fingerprint)
}

/// Whether the image is there and was not deleted.
pub fn is_ready(pool: &Pool, fingerprint: &str) -> bool {
    path(pool, fingerprint).is_dir() && !is_unwanted(pool, fingerprint)
}

/// Whether the image was deleted while containers needed it.
pub fn is_unwanted(pool: &Pool, fingerprint: &str) -> bool {
    path(pool, fingerprint).join(UNWANTED).exists()
}

/// Makes the image ready unless it is.
///
/// # Errors
/// Why it cannot be unpacked or mounted; nothing of it is left then.
pub fn ensure(pool: &Pool, fingerprint: &str, files: &ImageFiles, watch: &Watch) -> Result<()> {
    names::check(fingerprint)?;
    let place = path(pool, fingerprint);
    if is_ready(pool, fingerprint) {
        return Ok(());
    }
    pool.images().hold(&place, || {
        let _held = pool.hold_layers();
        match std::fs::remove_file(place.join(UNWANTED)) {
            // The same fingerprint is the same content: what is there is as good as new.
            Ok(()) => return Ok(()),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            removed => removed.doing(|| format!("Failed to bring back image \"{fingerprint}\""))?,
        }
        if place.is_dir() { Ok(()) } else { make(pool, fingerprint, files, watch) }
    })
}

/// Builds the image beside its place, then puts it there. A mount below comes along.
fn make(pool: &Pool, fingerprint: &str, files: &ImageFiles, watch: &Watch) -> Result<()> {
    let place = path(pool, fingerprint);
    let building = names::beside(&place);
    let mut undo = Undo::default();
    let gone = building.clone();
    let made = || std::fs::create_dir(&building).doing(|| format!("Failed to create \"{}\"", building.display()));
    undo.step("make the image's directory", made, |()| {
        move || {
            unmount_in(&gone).map_err(|error| error.to_string())?;
            remove::tree(&gone).map_err(|error| error.to_string())
        }
    })?;
    undo.step("fill the image", || fill(files, &building, watch), |()| || Ok(()))?;
    let put = || names::rename_new(&building, &place).doing(|| format!("Failed to create \"{}\"", place.display()));
    undo.step("put the image in its place", put, |()| || Ok(()))?;
    undo.keep();
    Ok(())
}

/// Puts the image's files into the directory `to`: a squashfs as it is where that will do, everything else unpacked.
fn fill(files: &ImageFiles, to: &Path, watch: &Watch) -> Result<()> {
    let is_squashfs = |file: &Path| Compression::of_file(file).is_ok_and(|format| format == Compression::Squashfs);
    match &files.rootfs {
        Some(rootfs) if is_squashfs(rootfs) => {
            unpack_meta(&files.meta, to, watch)?;
            if as_it_is(rootfs, to, SQUASHFS[0])? {
                return Ok(());
            }
            unpack_file(rootfs, &to.join("rootfs"), &[], watch)?;
        }
        None if is_squashfs(&files.meta) && as_it_is(&files.meta, to, SQUASHFS[1])? => {
            unpack_file(&files.meta, to, &["metadata.yaml", "templates"], watch)?;
            check_files(to)?;
            let root = to.join("image/rootfs");
            if root.symlink_metadata().is_ok_and(|metadata| metadata.is_dir()) {
                return Ok(());
            }
            return Err(Error::invalid(format!("Image is missing a rootfs: {}", files.meta.display())));
        }
        _ => unpack(files, to, watch)?,
    }
    sync(to)
}

/// Takes a squashfs over and mounts it. False, with nothing done but the mount point made, where its mount could not
/// stand below a container: when this kernel cannot mount it (whether it is any good is seen when it is unpacked),
/// or cannot map ids of squashfs (before Linux 6.2).
fn as_it_is(from: &Path, to: &Path, (file, point): (&str, &str)) -> Result<bool> {
    let (file, point) = (to.join(file), to.join(point));
    match std::fs::create_dir(&point) {
        // The archive with the metadata may have brought an empty one.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => made.doing(|| "Error creating rootfs directory")?,
    }
    adopt(from, &file)?;
    if mount_squashfs(&file, &point).is_ok() && kernel_features::can_map_ids(&point) {
        return Ok(true);
    }
    mounts::unmount_all(&point)?;
    remove::tree(&file).doing(|| format!("Failed to remove '{}'", file.display()))?;
    Ok(false)
}

/// Gives the pool a name of its own for the file: a link where that is possible, else a copy (shared where possible).
/// The file is never changed, only removed, and the pool may need it longer than the one who imported it.
fn adopt(from: &Path, to: &Path) -> Result<()> {
    if std::fs::hard_link(from, to).is_ok() {
        return Ok(());
    }
    let copied = || -> std::io::Result<()> {
        let (source, target) = (std::fs::File::open(from)?, std::fs::File::create_new(to)?);
        if rustix::fs::ioctl_ficlone(&target, &source).is_err() {
            std::io::copy(&mut &source, &mut &target)?;
        }
        target.sync_all()
    };
    copied().map_err(|error| match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            Error::internal("Unable to unpack image, run out of disk space")
        }
        _ => Error::internal(format!("Failed to copy \"{}\" to \"{}\": {error}", from.display(), to.display())),
    })
}

/// Writes an unpacked image to disk: containers will trust it for as long as it is there, also after a power failure.
fn sync(path: &Path) -> Result<()> {
    let synced = std::fs::File::open(path).and_then(|directory| Ok(rustix::fs::syncfs(&directory)?));
    synced.doing(|| format!("Failed to sync \"{}\"", path.display()))
}

/// The root of an image that is there, mounted if it must be.
///
/// # Errors
/// Why its squashfs cannot be mounted.
pub fn root(pool: &Pool, fingerprint: &str) -> Result<PathBuf> {
    let path = path(pool, fingerprint);
    for (file, point) in SQUASHFS {
        let (file, point) = (path.join(file), path.join(point));
        if !file.exists() {
            continue;
        }
        let users = point.join(".mount");
        pool.images()
            .take(&users, || if mounts::is_mount_point(&point)? { Ok(()) } else { mount_squashfs(&file, &point) })?;
        pool.images().give_back(&users, || Ok(()))?;
        return Ok(if point.ends_with("image") { point.join("rootfs") } else { point });
    }
    Ok(path.join("rootfs"))
}

fn mount_squashfs(file: &Path, point: &Path) -> Result<()> {
    let device = LoopDevice::attach(file, true)?;
    // The options are those of the host's own view; an overlay on top takes none of them over.
    let options = Options::parse(&["ro", "nosuid", "nodev"]);
    let mounted = mount::new("squashfs", &device.path().to_string_lossy(), &options);
    let attached = mounted.and_then(|tree| mount::attach(tree, CWD, point));
    attached.doing(|| format!("Failed to mount \"{}\" on \"{}\" using \"squashfs\"", file.display(), point.display()))
}

/// Takes the image's mount away; whoever sees through it keeps it.
///
/// # Errors
/// What umount2(2) says.
pub fn unmount(pool: &Pool, fingerprint: &str) -> Result<()> {
    unmount_in(&path(pool, fingerprint))
}

/// As [`unmount`], of an image that may not be in its place.
pub fn unmount_in(image: &Path) -> Result<()> {
    SQUASHFS.iter().try_for_each(|(_, point)| mounts::unmount_all(&image.join(point)))
}

/// As [`unmount`], for all images.
///
/// # Errors
/// What umount2(2) says.
pub fn unmount_all(pool: &Pool) -> Result<()> {
    names::volumes(&pool.directory().join("images"))?.iter().try_for_each(|fingerprint| unmount(pool, fingerprint))
}

/// Removes the image when nobody needs it, else marks it to go with the last volume that does.
///
/// # Errors
/// What could not be removed or marked.
pub fn delete(pool: &Pool, fingerprint: &str) -> Result<()> {
    names::check(fingerprint)?;
    let path = path(pool, fingerprint);
    if !path.is_dir() {
        return Ok(());
    }
    let mark = path.join(UNWANTED);
    std::fs::write(&mark, "").doing(|| format!("Failed to write \"{}\"", mark.display()))?;
    layers::drop_unused(pool, None, &[Layer::Image(fingerprint.to_string())])
}
