//! The thread that made a call, as the host's /proc shows it.

use std::ffi::{CString, OsStr, OsString};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use rustix::fs::{AtFlags, Mode, OFlags, fstat, open, openat, readlinkat, statat};
use rustix::io::Errno;
use rustix::thread::CapabilitySet;

/// The longest string that is read, with its end: the kernel's `PATH_MAX`.
const LONGEST: usize = 4096;

/// The thread.
#[derive(Debug)]
pub struct Caller {
    process: OwnedFd,
    /// What the kernel says of it.
    pub status: Status,
}

/// What of `/proc/PID/status` (proc_pid_status(5)) decides about rights. All ids are the host's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The mask of new files.
    pub umask: u32,
    /// The first thread of its process, in each pid namespace as well.
    pub leaders: Vec<i32>,
    /// Its number in each pid namespace, the host's first.
    pub pids: Vec<i32>,
    /// Effective user.
    pub uid: u32,
    /// User for access to files.
    pub fsuid: u32,
    /// Effective group.
    pub gid: u32,
    /// Group for access to files.
    pub fsgid: u32,
    /// Its other groups.
    pub groups: Vec<u32>,
    /// What it may do in its user namespace.
    pub capabilities: u64,
}

impl Status {
    fn parse(text: &str) -> Option<Status> {
        let field = |name: &str| fact(text, name).map(str::split_whitespace);
        let numbers = |name: &str| field(name)?.map(|word| word.parse().ok()).collect::<Option<Vec<u32>>>();
        let pids = |name: &str| field(name)?.map(|word| word.parse().ok()).collect::<Option<Vec<i32>>>();
        let [_, uid, _, fsuid] = numbers("Uid")?[..] else { return None };
        let [_, gid, _, fsgid] = numbers("Gid")?[..] else { return None };
        Some(Status {
            umask: u32::from_str_radix(field("Umask")?.next()?, 8).ok()?,
            leaders: pids("NStgid")?,
            pids: pids("NSpid")?,
            uid,
            fsuid,
            gid,
            fsgid,
            groups: numbers("Groups")?,
            capabilities: u64::from_str_radix(field("CapEff")?.next()?, 16).ok()?,
        })
    }
}

impl Caller {
    /// Looks at a thread. `None` for one that is gone, or that is not in the user namespace of the container's process
    /// `init`: it may be root of a namespace of its own, in which anybody may be root.
    pub fn look(pid: u32, init: i32) -> Option<Caller> {
        let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let folder = |pid: String| open(format!("/proc/{pid}"), flags, Mode::empty()).ok();
        let process = folder(pid.to_string())?;
        let namespace = |of: &OwnedFd| {
            let file = openat(of, "ns/user", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
            fstat(&file).ok().map(|facts| (facts.st_dev, facts.st_ino))
        };
        if namespace(&process)? != namespace(&folder(init.to_string())?)? {
            return None;
        }
        let status = openat(&process, "status", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
        let text = std::io::read_to_string(std::fs::File::from(status)).ok()?;
        Some(Caller { process, status: Status::parse(&text)? })
    }

    /// Something in its folder of /proc, as a place that is not read: `root`, `cwd`, `fd/5`.
    pub fn place(&self, name: &str) -> Result<OwnedFd, Errno> {
        openat(&self.process, name, OFlags::PATH | OFlags::CLOEXEC, Mode::empty())
    }

    /// What a file of lines `NAME: VALUE` in its folder of /proc says of a name.
    pub fn facts(&self, file: &str, name: &str) -> Option<String> {
        let file = openat(&self.process, file, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).ok()?;
        let text = std::io::read_to_string(std::fs::File::from(file)).ok()?;
        fact(&text, name).map(str::to_string)
    }

    /// One of its namespaces: `mnt`, `user`, `pid`.
    pub fn namespace(&self, kind: &str) -> Result<OwnedFd, Errno> {
        openat(&self.process, format!("ns/{kind}"), OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())
    }

    /// Whether it may do this in its user namespace.
    pub fn has(&self, capability: CapabilitySet) -> bool {
        CapabilitySet::from_bits_retain(self.status.capabilities).contains(capability)
    }

    /// As many bytes of its memory as are there, up to the size of `buffer`.
    pub fn bytes<'a>(&self, address: u64, buffer: &'a mut [u8]) -> Result<&'a [u8], Errno> {
        let memory = openat(&self.process, "mem", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        let read = rustix::io::pread(&memory, &mut *buffer, address).map_err(|_| Errno::FAULT)?;
        Ok(&buffer[..read])
    }

    /// A string in its memory that may be cut off, as options of mount(2) are.
    pub fn page(&self, address: u64) -> Result<CString, Errno> {
        let mut buffer = [0; LONGEST];
        let bytes = self.bytes(address, &mut buffer)?;
        let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
        CString::new(&bytes[..end]).map_err(|_| Errno::INVAL)
    }

    /// Its working directory, as it sees it.
    pub fn folder(&self) -> Result<PathBuf, Errno> {
        let path = readlinkat(&self.process, "cwd", Vec::new())?;
        Ok(PathBuf::from(OsString::from_vec(path.into_bytes())))
    }

    /// Whether it has the root and the mount namespace of the process `init`.
    pub fn is_at_home(&self, init: i32) -> bool {
        let places = |of: &OwnedFd| {
            ["root", "ns/mnt"]
                .map(|name| statat(of, name, AtFlags::empty()).ok().map(|facts| (facts.st_dev, facts.st_ino)))
        };
        let folder = open(format!("/proc/{init}"), OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty());
        folder.is_ok_and(|folder| places(&folder) == places(&self.process) && !places(&folder).contains(&None))
    }

    /// A string in its memory.
    pub fn text(&self, address: u64) -> Result<CString, Errno> {
        let mut buffer = [0; LONGEST];
        let bytes = self.bytes(address, &mut buffer)?;
        let end = bytes.iter().position(|byte| *byte == 0).ok_or(Errno::NAMETOOLONG)?;
        CString::new(&bytes[..end]).map_err(|_| Errno::INVAL)
    }
}

/// The value of a line `NAME: VALUE`.
pub fn fact<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// A path as the folder that its last part is in, and that part; `None` when that is no name.
pub fn split(path: &CString) -> Option<(CString, CString)> {
    let bytes = path.as_bytes();
    let (folder, name) = match bytes.iter().rposition(|byte| *byte == b'/') {
        None => (&b"."[..], bytes),
        Some(0) => (&b"/"[..], &bytes[1..]),
        Some(at) => (&bytes[..at], &bytes[at + 1..]),
    };
    if name.is_empty() || [OsStr::new("."), OsStr::new("..")].contains(&OsStr::from_bytes(name)) {
        return None;
    }
    Some((CString::new(folder).ok()?, CString::new(name).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_words_are_read() {
        let text = "Name:\tsh\nUmask:\t0022\nTgid:\t70\nPid:\t71\nUid:\t1\t1000000\t3\t1000005\nGid:\t1\t1000001\t3\t4\n\
                    Groups:\t10 20 \nNStgid:\t70\t7\t1\nNSpid:\t71\t8\t2\nCapInh:\t0\nCapEff:\t000001ffffffffff\n";
        let status = Status::parse(text).expect("all of it is there");
        assert_eq!((status.umask, status.uid, status.fsuid, status.fsgid), (0o22, 1_000_000, 1_000_005, 4));
        assert_eq!(status.leaders, [70, 7, 1]);
        assert_eq!((status.pids, status.groups, status.capabilities), (vec![71, 8, 2], vec![10, 20], 0x1ff_ffff_ffff));
        assert_eq!(Status::parse("Name:\tsh\n"), None);
    }

    #[test]
    fn a_path_is_a_folder_and_a_name() {
        let split = |text: &str| {
            let parts = split(&CString::new(text).expect("no zero"));
            parts.map(|(folder, name)| format!("{} {}", folder.to_string_lossy(), name.to_string_lossy()))
        };
        for (path, parts) in [("a", ". a"), ("/a", "/ a"), ("a/b", "a b"), ("../x/y", "../x y"), ("/a//b", "/a/ b")] {
            assert_eq!(split(path).as_deref(), Some(parts), "{path}");
        }
        for path in ["", "/", "a/", "a/.", ".."] {
            assert_eq!(split(path), None, "{path}");
        }
    }
}
