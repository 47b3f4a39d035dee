//! mount(2) of file systems that the container's keys name: by the kernel, or by a program inside that serves FUSE.
//!
//! All that the call says is read once, and only what was read is acted on. What is none of ours goes on to the kernel, to
//! which the caller may have lied meanwhile: it decides by the caller's own rights, as if nobody had been asked.

use std::ffi::{CStr, CString};
use std::os::fd::OwnedFd;

use rustix::fs::{FileType, Mode, OFlags, fstat, openat};
use rustix::io::Errno;
use rustix::mount::MountFlags;
use rustix::thread::CapabilitySet;

use super::caller::Caller;
use super::{Asked, Refused, fence, hugetlbfs, stand_in, superblock};
use crate::protocol::wire;
use crate::spec::{ExecSpec, InterceptedMounts};

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is mounted.
    Mounted,
    /// The monitor runs a program for it.
    HandedOn,
}

/// What a call asks for, from the caller's memory.
struct Wish {
    source: Option<CString>,
    target: CString,
    kind: CString,
    flags: MountFlags,
    data: CString,
}

/// How a file system is mounted.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    Kernel,
    /// By this program.
    Fuse(String),
}

/// Mounts it.
pub fn mount(asked: &Asked<'_>, caller: &Caller) -> Result<Outcome, Refused> {
    let flags = new_mount(asked.argument(3)).ok_or(Refused::NotOurs)?;
    let kind = caller.text(asked.argument(2)).map_err(|_| Refused::NotOurs)?;
    let way = way(&asked.security.mounts, &kind).ok_or(Refused::NotOurs)?;
    if !caller.has(CapabilitySet::SYS_ADMIN) {
        return Err(Refused::NotOurs);
    }
    let given = |index: usize| Some(asked.argument(index)).filter(|address| *address != 0);
    let wish = Wish {
        source: given(0).map(|address| caller.text(address)).transpose()?,
        target: caller.text(asked.argument(1))?,
        kind,
        flags,
        data: given(4).map(|address| caller.page(address)).transpose()?.unwrap_or_default(),
    };
    if !asked.is_valid() {
        return Err(Refused::NotOurs);
    }
    match way {
        Way::Kernel => by_kernel(asked, caller, &wish).map(|()| Outcome::Mounted),
        Way::Fuse(program) => by_program(asked, caller, &wish, &program).map(|()| Outcome::HandedOn),
    }
}

/// Flags that a new mount may have, with the words that programs know them by, where they have one.
const FLAGS: [(MountFlags, &str); 12] = [
    (MountFlags::RDONLY, "ro"),
    (MountFlags::NOSUID, "nosuid"),
    (MountFlags::NODEV, "nodev"),
    (MountFlags::NOEXEC, "noexec"),
    (MountFlags::SYNCHRONOUS, "sync"),
    (MountFlags::PERMIT_MANDATORY_FILE_LOCKING, "mand"),
    (MountFlags::DIRSYNC, ""),
    (MountFlags::NOATIME, "noatime"),
    (MountFlags::NODIRATIME, "nodiratime"),
    (MountFlags::STRICTATIME, "strictatime"),
    (MountFlags::LAZYTIME, "lazytime"),
    (MountFlags::SILENT, ""),
];

/// The flags of a new mount; `None` where the call would change one that is there.
#[expect(clippy::cast_possible_truncation, reason = "the kernel knows no flags above")]
fn new_mount(flags: u64) -> Option<MountFlags> {
    /// `MS_MGC_VAL` and its mask: what programs of the last century mark their flags with.
    const OLD: (u32, u32) = (0xc0ed_0000, 0xffff_0000);
    /// `MS_REMOUNT`, `MS_BIND`, `MS_MOVE`, `MS_UNBINDABLE`, `MS_PRIVATE`, `MS_SLAVE`, `MS_SHARED`.
    const CHANGES: u32 = 0x20 | 0x1000 | 0x2000 | 0x2_0000 | 0x4_0000 | 0x8_0000 | 0x10_0000;
    let flags = flags as u32;
    let flags = if flags & OLD.1 == OLD.0 { flags & !OLD.1 } else { flags };
    let known = FLAGS.iter().fold(MountFlags::empty(), |all, (flag, _)| all | *flag);
    (flags & CHANGES == 0).then(|| MountFlags::from_bits_retain(flags) & known)
}

/// File systems that the kernel mounts for the root of a user namespace, held to what is his. Mounted by us they would be
/// the host's.
const FOR_EVERYBODY: [&str; 12] =
    ["binder", "bpf", "cgroup", "cgroup2", "devpts", "fuse", "mqueue", "overlay", "proc", "ramfs", "sysfs", "tmpfs"];

fn way(rules: &InterceptedMounts, kind: &CStr) -> Option<Way> {
    let kind = kind.to_str().ok()?;
    if let Some(program) = rules.fuse.get(kind) {
        return Some(Way::Fuse(program.clone()));
    }
    let allowed = rules.allowed.iter().any(|allowed| allowed == kind) && !FOR_EVERYBODY.contains(&kind);
    allowed.then_some(Way::Kernel)
}

fn by_kernel(asked: &Asked<'_>, caller: &Caller, wish: &Wish) -> Result<(), Refused> {
    let target = stand_in::opened(caller, None, |base| {
        openat(base, &wish.target, OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
    })?;
    let source = if superblock::needs_device(&wish.kind)? {
        let path = wish.source.as_deref().ok_or(Refused::By(Errno::INVAL))?;
        let device = device(caller, path, wish.flags.contains(MountFlags::RDONLY))?;
        superblock::Source::Device { shown: path, number: fstat(&device)?.st_rdev }
    } else {
        superblock::Source::Text(wish.source.as_deref())
    };
    let pages = hugetlbfs::is(&wish.kind);
    let own = if pages { Some(hugetlbfs::options(asked.map, &caller.status, &wish.data)?) } else { None };
    let data = own.as_deref().unwrap_or(&wish.data);
    let shift = asked.security.mounts.shift && !pages;
    let wanted = superblock::Wanted { source, kind: &wish.kind, flags: wish.flags, data, shift };
    let mount = || superblock::mount(asked, caller, &wanted, &target);
    match wanted.source {
        superblock::Source::Device { number, .. } => {
            fence::within(asked.own_group, asked.notification.id, number, mount)
        }
        superblock::Source::Text(_) => mount(),
    }
}

/// The block device at `path`, which the caller can open.
fn device(caller: &Caller, path: &CStr, readonly: bool) -> Result<OwnedFd, Errno> {
    let access = if readonly { OFlags::RDONLY } else { OFlags::RDWR };
    let flags = access | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let device = stand_in::opened(caller, None, |base| openat(base, path, flags, Mode::empty()))?;
    match FileType::from_raw_mode(fstat(&device)?.st_mode) {
        FileType::BlockDevice => Ok(device),
        _ => Err(Errno::NOTBLK),
    }
}

/// `mount.fuse` inside mounts it, as the caller's user. It resolves all paths again, which gives the caller nothing: it
/// could run the program itself.
fn by_program(asked: &Asked<'_>, caller: &Caller, wish: &Wish, program: &str) -> Result<(), Refused> {
    // The program runs in the place of the container's first process.
    if !caller.is_at_home(asked.init) {
        return Err(Refused::NotOurs);
    }
    let text = |text: &CStr| text.to_str().map(str::to_string).map_err(|_| Refused::NotOurs);
    let source = wish.source.as_deref().map(text).transpose()?.unwrap_or_default();
    let mut argv = vec!["mount.fuse".to_string(), format!("{program}#{source}"), text(&wish.target)?];
    let options = words(&text(&wish.data)?, wish.flags);
    if !options.is_empty() {
        argv.extend(["-o".to_string(), options]);
    }
    let inside = |id: Option<u32>| id.ok_or(Refused::NotOurs);
    let status = &caller.status;
    let groups = status.groups.iter().filter_map(|group| asked.map.inside_gid(*group)).collect();
    let spec = ExecSpec {
        argv,
        env: vec![PATH.to_string()],
        cwd: caller.folder().map_err(|_| Refused::NotOurs)?,
        uid: inside(asked.map.inside_uid(status.uid))?,
        gid: inside(asked.map.inside_gid(status.gid))?,
        groups,
        tty: false,
    };
    wire::send(asked.word, &spec, &[]).map_err(|_| Refused::NotOurs)
}

const PATH: &str = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Options as words: the file system's own, then the flags.
fn words(data: &str, flags: MountFlags) -> String {
    let flags = FLAGS.iter().filter(|(flag, word)| flags.contains(*flag) && !word.is_empty()).map(|(_, word)| *word);
    Some(data).filter(|data| !data.is_empty()).into_iter().chain(flags).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_mount_is_told_from_a_change() {
        assert_eq!(new_mount(0), Some(MountFlags::empty()));
        assert_eq!(new_mount(0xc0ed_0000 | 1), Some(MountFlags::RDONLY));
        assert_eq!(new_mount(0x8000 | 2 | (1 << 16) | (1 << 22)), Some(MountFlags::SILENT | MountFlags::NOSUID));
        for change in [0x20, 0x1000, 0x2000, 1 << 17, 1 << 18, 1 << 19, 1 << 20, 0x1000 | 0x4000 | 1] {
            assert_eq!(new_mount(change), None, "{change:#x}");
        }
    }

    #[test]
    fn the_keys_say_what_becomes_of_a_file_system() {
        let rules = InterceptedMounts {
            allowed: ["xfs", "tmpfs", "overlay"].map(str::to_string).to_vec(),
            fuse: [("ext4".to_string(), "fuse2fs".to_string())].into(),
            shift: false,
        };
        assert_eq!(way(&rules, c"xfs"), Some(Way::Kernel));
        assert_eq!(way(&rules, c"ext4"), Some(Way::Fuse("fuse2fs".into())));
        for kind in [c"ext3", c"", c"tmpfs", c"overlay", c"XFS", c"xfs "] {
            assert_eq!(way(&rules, kind), None, "{kind:?}");
        }
    }

    #[test]
    fn flags_become_words_for_programs() {
        assert_eq!(words("", MountFlags::empty()), "");
        assert_eq!(words("allow_other", MountFlags::empty()), "allow_other");
        assert_eq!(words("", MountFlags::RDONLY | MountFlags::SILENT), "ro");
        assert_eq!(words("uid=5", MountFlags::NOSUID | MountFlags::NODEV), "uid=5,nosuid,nodev");
    }
}
