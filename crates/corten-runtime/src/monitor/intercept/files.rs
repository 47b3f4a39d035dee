//! Device nodes that harm nobody, and the mark by which overlayfs knows that a folder hides what is below it.

use rustix::fs::{FileType, Mode, StatVfsMountFlags, XattrFlags, fsetxattr, fstatvfs, makedev, mknodat};
use rustix::io::Errno;
use rustix::thread::CapabilitySet;

use super::caller::{Caller, split};
use super::{Asked, Refused, stand_in};

/// Character devices that every container has, and overlayfs' whiteout, by major and minor number.
const HARMLESS: [(u32, u32); 8] = [(0, 0), (5, 1), (1, 7), (1, 3), (1, 8), (5, 0), (1, 9), (1, 5)];

/// The kernel's packing of both numbers into 32 bits.
fn device(packed: u32) -> (u32, u32) {
    ((packed >> 8) & 0xfff, (packed & 0xff) | ((packed >> 12) & 0xf_ff00))
}

fn is_harmless(mode: u32, packed: u32) -> bool {
    FileType::from_raw_mode(mode) == FileType::CharacterDevice && HARMLESS.contains(&device(packed))
}

/// mknod(2) and mknodat(2): `base` says which argument is the folder's descriptor, `at` where path, mode and device are.
pub fn mknod(asked: &Asked<'_>, caller: &Caller, base: Option<usize>, at: [usize; 3]) -> Result<(), Refused> {
    let (mode, packed) = (asked.short(at[1]), asked.short(at[2]));
    if !is_harmless(mode, packed) || !caller.has(CapabilitySet::MKNOD) {
        return Err(Refused::NotOurs);
    }
    let path = caller.text(asked.argument(at[0]))?;
    let (folder, name) = split(&path).ok_or(Refused::NotOurs)?;
    let base = base.map(|index| asked.short(index).cast_signed()).filter(|base| *base != working_directory());
    let folder = stand_in::folder(caller, base, &folder)?;
    if !asked.is_valid() {
        return Err(Refused::NotOurs);
    }
    if fstatvfs(&folder)?.f_flag.contains(StatVfsMountFlags::NODEV) {
        return Err(Refused::By(Errno::PERM));
    }
    stand_in::become_user(&caller.status)?;
    // That the caller may write there is known; it need not be so for its user alone.
    stand_in::keep(CapabilitySet::MKNOD | CapabilitySet::DAC_OVERRIDE)?;
    rustix::process::umask(Mode::from_raw_mode(caller.status.umask));
    let (major, minor) = device(packed);
    let mode = Mode::from_raw_mode(mode & 0o7777);
    Ok(mknodat(&folder, &name, FileType::CharacterDevice, mode, makedev(major, minor))?)
}

/// `AT_FDCWD`: the working directory in the place of a descriptor.
fn working_directory() -> i32 {
    use std::os::fd::AsRawFd;
    rustix::fs::CWD.as_raw_fd()
}

/// The one attribute that is set for a container, and its value.
const OPAQUE: (&[u8], &[u8]) = (b"trusted.overlay.opaque", b"y");

/// setxattr(2) of [`OPAQUE`] on a folder.
pub fn setxattr(asked: &Asked<'_>, caller: &Caller) -> Result<(), Refused> {
    let name = caller.text(asked.argument(1))?;
    let mut buffer = [0; 1];
    if name.as_bytes() != OPAQUE.0
        || asked.argument(3) != 1
        || caller.bytes(asked.argument(2), &mut buffer)? != OPAQUE.1
        || !caller.has(CapabilitySet::SYS_ADMIN)
    {
        return Err(Refused::NotOurs);
    }
    let path = caller.text(asked.argument(0))?;
    let folder = match stand_in::folder(caller, None, &path) {
        Err(Errno::NOTDIR) => return Err(Refused::NotOurs),
        opened => opened?,
    };
    if !asked.is_valid() {
        return Err(Refused::NotOurs);
    }
    let flags = XattrFlags::from_bits_retain(asked.short(4));
    Ok(fsetxattr(&folder, &name, OPAQUE.1, flags)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_harms_nobody_is_made() {
        const CHARACTER: u32 = 0o020_644;
        const BLOCK: u32 = 0o060_644;
        let packed = |major: u32, minor: u32| (minor & 0xff) | (major << 8) | ((minor & !0xff) << 12);
        for (major, minor) in HARMLESS {
            assert!(is_harmless(CHARACTER, packed(major, minor)), "{major}:{minor}");
            assert!(!is_harmless(BLOCK, packed(major, minor)), "{major}:{minor}");
        }
        for (major, minor) in [(1, 1), (1, 2), (1, 4), (1, 11), (8, 0), (10, 200), (1, 0x103), (0, 1)] {
            assert!(!is_harmless(CHARACTER, packed(major, minor)), "{major}:{minor}");
        }
        assert_eq!(device(packed(0xabc, 0xf_fedc)), (0xabc, 0xf_fedc));
    }
}
