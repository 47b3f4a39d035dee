//! The mount table: lines of /proc/PID/mountinfo (proc_pid_mountinfo(5)).

use std::path::PathBuf;

use crate::file;

/// One mount, as the kernel lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mount {
    /// Identifier of the mount; used again after it is gone.
    pub id: u64,
    /// Identifier of the mount it is mounted on.
    pub parent: u64,
    /// Major and minor number of the filesystem's device.
    pub device: (u32, u32),
    /// Which directory of the filesystem is seen at the mount point.
    pub root: PathBuf,
    /// Where it is mounted, seen from the reader's root.
    pub mount_point: PathBuf,
    /// Options of this mount, comma-separated (`rw,nosuid`).
    pub options: String,
    /// Propagation: `shared:7`, `master:3`, `unbindable`.
    pub propagation: Vec<String>,
    /// Kind of filesystem (`ext4`, `cgroup2`, `fuse.lxcfs`).
    pub fs_type: String,
    /// What is mounted: a device, or anything the filesystem likes.
    pub source: String,
    /// Options of the filesystem, comma-separated.
    pub super_options: String,
}

/// The mounts that process `pid` sees (`None`: the calling process), oldest first.
///
/// # Errors
/// [`file::Error`] when the table cannot be read.
pub fn list(pid: Option<u32>) -> Result<Vec<Mount>, file::Error> {
    let who = pid.map_or_else(|| "self".to_string(), |pid| pid.to_string());
    Ok(parse(&file::read(format!("/proc/{who}/mountinfo"))?))
}

/// Reads the text of a mountinfo file; lines that are not of its form are left out.
pub fn parse(text: &str) -> Vec<Mount> {
    text.lines().filter_map(parse_line).collect()
}

fn parse_line(line: &str) -> Option<Mount> {
    let (before, after) = line.split_once(" - ")?;
    let mut fields = before.split(' ');
    let mut next = || fields.next();
    let (id, parent) = (next()?.parse().ok()?, next()?.parse().ok()?);
    let (major, minor) = next()?.split_once(':')?;
    let (root, mount_point, options) = (next()?, next()?, next()?);
    let propagation = fields.map(str::to_string).collect();
    let mut fields = after.splitn(3, ' ');
    Some(Mount {
        id,
        parent,
        device: (major.parse().ok()?, minor.parse().ok()?),
        root: unescape(root).into(),
        mount_point: unescape(mount_point).into(),
        options: options.to_string(),
        propagation,
        fs_type: unescape(fields.next()?),
        source: unescape(fields.next()?),
        super_options: fields.next().unwrap_or_default().to_string(),
    })
}

/// Takes back the kernel's octal escapes: `\040` for a blank, `\011`, `\012`, `\134`.
pub fn unescape(text: &str) -> String {
    if !text.contains('\\') {
        return text.to_string();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        match rest {
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', after @ ..] => {
                bytes.push((a - b'0') * 64 + (b - b'0') * 8 + (c - b'0'));
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_has_its_optional_fields_and_its_escapes() {
        let text =
            "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:2 - ext3 /dev/root rw,errors=continue\nbad\n";
        let mounts = parse(text);
        assert_eq!(mounts.len(), 1);
        let mount = &mounts[0];
        assert_eq!((mount.id, mount.parent, mount.device), (36, 35, (98, 0)));
        assert_eq!(mount.mount_point, PathBuf::from("/mnt 2"));
        assert_eq!(mount.propagation, ["master:1", "shared:2"]);
        assert_eq!((mount.fs_type.as_str(), mount.super_options.as_str()), ("ext3", "rw,errors=continue"));
    }

    #[test]
    fn the_own_table_can_be_read() {
        assert!(list(None).expect("/proc is mounted").iter().any(|mount| mount.mount_point.ends_with("proc")));
    }
}
