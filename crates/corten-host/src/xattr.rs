//! Extended attributes of a directory's entries, never through a link, and the ids that some of them carry.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use rustix::fs::XattrFlags;
use rustix::io::Errno;

/// The kernel's limits on a list of names and on one value (`XATTR_LIST_MAX` and `XATTR_SIZE_MAX`), in bytes.
const LARGEST: usize = 65_536;

/// The path under which the kernel shows the entry `name` of the open directory `dir`; with an empty name, `dir` itself.
///
/// The calls below take paths only (the `*xattrat` family is Linux 6.13's), and this path cannot be led elsewhere.
fn path_of(dir: impl AsFd, name: &OsStr) -> PathBuf {
    let mut path = PathBuf::from(format!("/proc/self/fd/{}", dir.as_fd().as_raw_fd()));
    // A trailing "." makes the calls that do not follow links reach the directory behind the descriptor's own link.
    path.push(if name.is_empty() { OsStr::new(".") } else { name });
    path
}

/// Calls one of the kernel's reading functions with a buffer that is large enough; `None` where the filesystem has no
/// attributes or not this one.
fn read(start: usize, call: impl Fn(&mut [u8]) -> rustix::io::Result<usize>) -> io::Result<Option<Vec<u8>>> {
    let mut buffer = vec![0; start];
    loop {
        match call(&mut buffer) {
            Ok(length) => {
                buffer.truncate(length);
                return Ok(Some(buffer));
            }
            Err(Errno::RANGE) if buffer.len() < LARGEST => buffer.resize(LARGEST, 0),
            Err(Errno::NODATA | Errno::OPNOTSUPP) => return Ok(None),
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Names one after the other, each with a zero byte behind it.
fn split(names: Option<Vec<u8>>) -> Vec<OsString> {
    let names = names.unwrap_or_default();
    let names = names.split(|byte| *byte == 0).filter(|name| !name.is_empty());
    names.map(|name| OsString::from_vec(name.to_vec())).collect()
}

/// Names of all attributes of `name` in `dir`; empty where the filesystem has no attributes.
///
/// # Errors
/// What listxattr(2) says.
pub fn list(dir: impl AsFd, name: &OsStr) -> io::Result<Vec<OsString>> {
    let path = path_of(dir, name);
    read(1024, |buffer| rustix::fs::llistxattr(&path, buffer)).map(split)
}

/// As [`list()`](fn@list), of an open file or directory.
///
/// # Errors
/// What flistxattr(2) says.
pub fn list_of(file: impl AsFd) -> io::Result<Vec<OsString>> {
    read(1024, |buffer| rustix::fs::flistxattr(&file, buffer)).map(split)
}

/// The value of one attribute; `None` when it is not set or the filesystem has no attributes.
///
/// # Errors
/// What getxattr(2) says.
pub fn get(dir: impl AsFd, name: &OsStr, attribute: &OsStr) -> io::Result<Option<Vec<u8>>> {
    let path = path_of(dir, name);
    read(256, |buffer| rustix::fs::lgetxattr(&path, attribute, buffer))
}

/// As [`get`], of an open file or directory.
///
/// # Errors
/// What fgetxattr(2) says.
pub fn get_of(file: impl AsFd, attribute: &OsStr) -> io::Result<Option<Vec<u8>>> {
    read(256, |buffer| rustix::fs::fgetxattr(&file, attribute, buffer))
}

/// As [`set`], of an open file or directory.
///
/// # Errors
/// What fsetxattr(2) says.
pub fn set_of(file: impl AsFd, attribute: &OsStr, value: &[u8]) -> io::Result<()> {
    Ok(rustix::fs::fsetxattr(&file, attribute, value, XattrFlags::empty())?)
}

/// Sets one attribute, replacing an older value.
///
/// # Errors
/// What setxattr(2) says.
pub fn set(dir: impl AsFd, name: &OsStr, attribute: &OsStr, value: &[u8]) -> io::Result<()> {
    Ok(rustix::fs::lsetxattr(path_of(dir, name), attribute, value, XattrFlags::empty())?)
}

/// Removes one attribute; it is no failure when it is not set.
///
/// # Errors
/// What removexattr(2) says.
pub fn remove(dir: impl AsFd, name: &OsStr, attribute: &OsStr) -> io::Result<()> {
    match rustix::fs::lremovexattr(path_of(dir, name), attribute) {
        Ok(()) | Err(Errno::NODATA | Errno::OPNOTSUPP) => Ok(()),
        Err(errno) => Err(errno.into()),
    }
}

/// Where ids are turned into others, as between a container's view and the disk's.
pub trait IdShift: Sync {
    /// The user id that stands for `uid`; `None` when there is none.
    fn uid(&self, uid: u32) -> Option<u32>;
    /// The group id that stands for `gid`; `None` when there is none.
    fn gid(&self, gid: u32) -> Option<u32>;
}

/// Rewrites the ids in an attribute's value: POSIX ACLs and file capabilities carry some, all others pass unchanged.
/// `None` when an id has no counterpart or the value is malformed: such an attribute must be left out.
pub fn shift(attribute: &OsStr, value: &[u8], ids: &dyn IdShift) -> Option<Vec<u8>> {
    match attribute.as_bytes() {
        b"system.posix_acl_access" | b"system.posix_acl_default" => shift_acl(value, ids),
        b"security.capability" => shift_capability(value, ids),
        _ => Some(value.to_vec()),
    }
}

/// `struct posix_acl_xattr_header`, then entries of tag (u16), permissions (u16) and id (u32), all little-endian;
/// include/uapi/linux/posix_acl_xattr.h.
fn shift_acl(value: &[u8], ids: &dyn IdShift) -> Option<Vec<u8>> {
    const VERSION: [u8; 4] = 2u32.to_le_bytes();
    const USER: u16 = 0x02;
    const GROUP: u16 = 0x08;
    let entries = value.strip_prefix(&VERSION)?;
    let mut out = VERSION.to_vec();
    if entries.len() % 8 != 0 {
        return None;
    }
    for entry in entries.chunks_exact(8) {
        let id = u32::from_le_bytes(entry[4..8].try_into().ok()?);
        let id = match u16::from_le_bytes([entry[0], entry[1]]) {
            USER => ids.uid(id)?,
            GROUP => ids.gid(id)?,
            _ => id,
        };
        out.extend_from_slice(&entry[..4]);
        out.extend_from_slice(&id.to_le_bytes());
    }
    Some(out)
}

/// `struct vfs_ns_cap_data` of include/uapi/linux/capability.h: revision 3 ends with the user namespace's root id.
fn shift_capability(value: &[u8], ids: &dyn IdShift) -> Option<Vec<u8>> {
    const REVISION_MASK: u32 = 0xff00_0000;
    const REVISION_2: u32 = 0x0200_0000;
    const REVISION_3: u32 = 0x0300_0000;
    let magic = u32::from_le_bytes(value.get(..4)?.try_into().ok()?);
    let (body, root) = match (magic & REVISION_MASK, value.len()) {
        (REVISION_2, 20) => (&value[4..20], 0),
        (REVISION_3, 24) => (&value[4..20], u32::from_le_bytes(value[20..24].try_into().ok()?)),
        _ => return None,
    };
    let root = ids.uid(root)?;
    let revision = if root == 0 { REVISION_2 } else { REVISION_3 };
    let mut out = ((magic & !REVISION_MASK) | revision).to_le_bytes().to_vec();
    out.extend_from_slice(body);
    if root != 0 {
        out.extend_from_slice(&root.to_le_bytes());
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Plus(u32);

    impl IdShift for Plus {
        fn uid(&self, uid: u32) -> Option<u32> {
            uid.checked_add(self.0)
        }
        fn gid(&self, gid: u32) -> Option<u32> {
            (gid < 65_536).then_some(gid + self.0)
        }
    }

    #[test]
    fn ids_in_an_acl_are_shifted_and_those_without_counterpart_refuse_it() {
        let entry = |tag: u16, id: u32| [&tag.to_le_bytes()[..], &7u16.to_le_bytes(), &id.to_le_bytes()].concat();
        let acl = |entries: &[(u16, u32)]| {
            let mut value = 2u32.to_le_bytes().to_vec();
            entries.iter().for_each(|(tag, id)| value.extend(entry(*tag, *id)));
            value
        };
        let name = OsStr::new("system.posix_acl_access");
        let before = acl(&[(1, u32::MAX), (2, 1000), (8, 50), (0x20, u32::MAX)]);
        let after = acl(&[(1, u32::MAX), (2, 101_000), (8, 100_050), (0x20, u32::MAX)]);
        assert_eq!(shift(name, &before, &Plus(100_000)), Some(after));
        assert_eq!(shift(name, &acl(&[(8, 70_000)]), &Plus(100_000)), None);
        assert_eq!(shift(name, b"\x02\0\0\0xyz", &Plus(1)), None);
    }

    #[test]
    fn a_file_capability_gets_its_namespaces_root() {
        let v2 = [&0x0200_0001u32.to_le_bytes()[..], &[9; 16]].concat();
        let v3 = [&0x0300_0001u32.to_le_bytes()[..], &[9; 16], &100_000u32.to_le_bytes()].concat();
        let name = OsStr::new("security.capability");
        assert_eq!(shift(name, &v2, &Plus(100_000)).as_ref(), Some(&v3));
        assert_eq!(shift(name, &v2, &Plus(0)).as_ref(), Some(&v2));
        assert_eq!(shift(name, &v2[..19], &Plus(0)), None);
        assert_eq!(shift(OsStr::new("user.x"), b"any", &Plus(5)).as_deref(), Some(&b"any"[..]));
    }
}
