//! bpf(2) for programs that decide about devices, on the container's own groups.
//!
//! Such a program can only take away: those of groups above have to agree as well. It is loaded with no capability that
//! would make the kernel trust it more than it must, and it can reach no maps: numbers of descriptors in it would be ours.
//! Newer kernels let whoever has a program attach it to every group that he can open, and ask for no rights: what is
//! handed on to them is no more than that.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};

use corten_host::syscall::bpf::{self, DeviceProgram};
use corten_host::syscall::notify;
use rustix::fs::{Mode, OFlags, fstat, fstatfs, openat};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, PidfdGetfdFlags, pidfd_getfd, pidfd_open};
use rustix::thread::CapabilitySet;

use super::caller::Caller;
use super::{Asked, Refused, stand_in};

/// Commands of bpf(2).
const LOAD: u32 = 5;
const ATTACH: u32 = 8;
const DETACH: u32 = 9;

/// `BPF_PROG_TYPE_CGROUP_DEVICE` and `BPF_CGROUP_DEVICE`.
const TYPE: u32 = 15;
const ATTACHED_TO: u32 = 6;

/// The longest program, as for all who have no rights (`BPF_MAXINSNS`).
const LONGEST: u32 = 4096;

/// How it went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// The caller has its descriptor, which was the answer.
    Answered,
}

/// Does it.
pub fn call(asked: &Asked<'_>, caller: &Caller) -> Result<Outcome, Refused> {
    if !asked.security.device_programs || !caller.has(CapabilitySet::SYS_ADMIN) {
        return Err(Refused::NotOurs);
    }
    let attributes = Attributes::read(asked, caller)?;
    match asked.short(0) {
        LOAD => load(asked, caller, &attributes).map(|()| Outcome::Answered),
        command @ (ATTACH | DETACH) => change(asked, caller, &attributes, command).map(|()| Outcome::Done),
        _ => Err(Refused::NotOurs),
    }
}

/// The kernel's `union bpf_attr`; what the caller left out is 0.
struct Attributes([u8; Attributes::SIZE]);

impl Attributes {
    /// More than any kernel of today has.
    const SIZE: usize = 256;

    fn read(asked: &Asked<'_>, caller: &Caller) -> Result<Attributes, Refused> {
        let size = asked.short(2) as usize;
        let mut all = [0; Attributes::SIZE];
        let own = all.get_mut(..size).ok_or(Refused::NotOurs)?;
        if caller.bytes(asked.argument(1), own)?.len() != size {
            return Err(Refused::By(Errno::FAULT));
        }
        Ok(Attributes(all))
    }

    fn bytes<const N: usize>(&self, at: usize) -> [u8; N] {
        std::array::from_fn(|index| self.0[at + index])
    }

    fn short(&self, at: usize) -> u32 {
        u32::from_ne_bytes(self.bytes(at))
    }

    fn long(&self, at: usize) -> u64 {
        u64::from_ne_bytes(self.bytes(at))
    }

    /// Whether nothing is asked for from there on: what is not known here could mean anything.
    fn end(&self, at: usize) -> bool {
        self.0[at..].iter().all(|byte| *byte == 0)
    }
}

/// `BPF_PROG_LOAD`. What the verifier has to say is not passed on.
fn load(asked: &Asked<'_>, caller: &Caller, attributes: &Attributes) -> Result<(), Refused> {
    let (kind, count) = (attributes.short(0), attributes.short(4));
    let (flags, device, expected) = (attributes.short(44), attributes.short(64), attributes.short(68));
    if kind != TYPE || count == 0 || count > LONGEST || flags > 3 || device != 0 || !attributes.end(72) {
        return Err(Refused::NotOurs);
    }
    let mut program = vec![0; count as usize * 8];
    if caller.bytes(attributes.long(8), &mut program)?.len() != program.len() {
        return Err(Refused::By(Errno::FAULT));
    }
    let license = caller.text(attributes.long(16))?;
    let instructions: Vec<[u8; 8]> = program.chunks_exact(8).map(|one| std::array::from_fn(|at| one[at])).collect();
    if instructions.iter().any(refers) || !asked.is_valid() {
        return Err(Refused::NotOurs);
    }
    trust_no_more(caller)?;
    let instructions: Vec<u64> = instructions.into_iter().map(u64::from_ne_bytes).collect();
    let program = DeviceProgram {
        instructions: &instructions,
        license: &license,
        name: attributes.bytes(48),
        flags,
        attached_to: expected,
    };
    let program = bpf::load_device_program(&program).map_err(errno)?;
    let given = notify::give(asked.listener.as_fd(), asked.notification.id, program.as_fd());
    Ok(given.map_err(errno)?)
}

/// Whether an instruction refers to something by a descriptor's number: one that loads 64 bits from a source.
fn refers(instruction: &[u8; 8]) -> bool {
    const LOAD_64: u8 = 0x18;
    let source = if cfg!(target_endian = "little") { instruction[1] >> 4 } else { instruction[1] & 0xf };
    instruction[0] == LOAD_64 && source != 0
}

/// `BPF_PROG_ATTACH` and `BPF_PROG_DETACH`.
fn change(asked: &Asked<'_>, caller: &Caller, attributes: &Attributes, command: u32) -> Result<(), Refused> {
    /// `BPF_F_ALLOW_OVERRIDE`, `BPF_F_ALLOW_MULTI`, and `BPF_F_REPLACE`, which names another program.
    const FLAGS: u32 = 1 | 2 | REPLACE;
    const REPLACE: u32 = 4;
    let [group, program, kind, flags, replaced] = [0, 4, 8, 12, 16].map(|at| attributes.short(at));
    if kind != ATTACHED_TO || flags & !FLAGS != 0 || !attributes.end(20) {
        return Err(Refused::NotOurs);
    }
    let group = stand_in::folder(caller, Some(group.cast_signed()), c".")?;
    if !is_within(&group, asked.group)? {
        return Err(Errno::PERM.into());
    }
    let program = program_of(caller, program)?;
    let replaced = if flags & REPLACE == 0 { None } else { Some(program_of(caller, replaced)?) };
    if !asked.is_valid() {
        return Err(Refused::NotOurs);
    }
    trust_no_more(caller)?;
    Ok(match command {
        ATTACH => bpf::attach_device_program(&group, &program, flags, replaced.as_ref()),
        _ => bpf::detach_device_program(&group, &program),
    }
    .map_err(errno)?)
}

/// How deep below its container's a group may be.
const DEEPEST: usize = 64;

/// Whether a folder is a group of version 2: `payload`, or one below it.
fn is_within(group: &OwnedFd, payload: Option<BorrowedFd<'_>>) -> Result<bool, Errno> {
    /// `CGROUP2_SUPER_MAGIC`.
    const VERSION_2: u64 = 0x6367_7270;
    let Some(payload) = payload else { return Ok(false) };
    if u64::try_from(fstatfs(group)?.f_type) != Ok(VERSION_2) {
        return Ok(false);
    }
    let identity = |fd: BorrowedFd<'_>| fstat(fd).map(|facts| (facts.st_dev, facts.st_ino));
    let top = identity(payload)?;
    let mut at = group.try_clone().map_err(|_| Errno::MFILE)?;
    for _ in 0..DEEPEST {
        let here = identity(at.as_fd())?;
        if here == top {
            return Ok(true);
        }
        // Above the root of the mount that it was found by.
        if here.0 != top.0 {
            return Ok(false);
        }
        at = openat(&at, "..", OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
    }
    Ok(false)
}

/// A program by the caller's descriptor of it. A thread may have descriptors other than its process's first: then there is
/// no way to them, and the number could mean another program.
fn program_of(caller: &Caller, number: u32) -> Result<OwnedFd, Refused> {
    // This process is in the container's pid namespace, the second of those that the host's shows.
    let leader = caller.status.leaders.get(1).copied().and_then(Pid::from_raw).ok_or(Refused::NotOurs)?;
    let process = pidfd_open(leader, PidfdFlags::empty())?;
    let wanted = caller.facts(&format!("fdinfo/{number}"), "prog_id").ok_or(Errno::BADF)?;
    let program = pidfd_getfd(&process, number.cast_signed(), PidfdGetfdFlags::empty())?;
    let facts = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", program.as_raw_fd())).unwrap_or_default();
    if super::caller::fact(&facts, "prog_id") != Some(wanted.as_str()) {
        return Err(Refused::NotOurs);
    }
    Ok(program)
}

/// Without `CAP_PERFMON` and `CAP_SYS_ADMIN` the kernel takes a program for that of a stranger: it may not guess at
/// addresses, nor run ahead of its own checks.
fn trust_no_more(caller: &Caller) -> Result<(), Errno> {
    stand_in::become_user(&caller.status)?;
    stand_in::keep(CapabilitySet::BPF | CapabilitySet::NET_ADMIN)
}

fn errno(error: std::io::Error) -> Errno {
    Errno::from_io_error(&error).unwrap_or(Errno::IO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_endian = "little")]
    fn numbers_of_descriptors_are_found_in_programs() {
        // r1 = map of descriptor 5; r1 = 5; r0 = 1; exit.
        assert!(refers(&[0x18, 0x11, 0, 0, 5, 0, 0, 0]));
        for harmless in [
            [0x18, 0x01, 0, 0, 5, 0, 0, 0],
            [0xb7, 0, 0, 0, 1, 0, 0, 0],
            [0x95, 0, 0, 0, 0, 0, 0, 0],
            [0x85, 0x10, 0, 0, 1, 0, 0, 0],
        ] {
            assert!(!refers(&harmless), "{harmless:?}");
        }
    }

    #[test]
    fn attributes_are_read_where_the_kernel_has_them() {
        let mut all = [0; Attributes::SIZE];
        all[4..8].copy_from_slice(&7u32.to_ne_bytes());
        all[8..16].copy_from_slice(&(1u64 << 40).to_ne_bytes());
        let attributes = Attributes(all);
        assert_eq!((attributes.short(4), attributes.long(8)), (7, 1 << 40));
        assert!(attributes.end(16) && attributes.end(Attributes::SIZE) && !attributes.end(13));
    }

    #[test]
    fn a_folder_that_is_no_group_is_not_within_one() {
        let folder = rustix::fs::open("/", OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).expect("a root");
        assert_eq!(is_within(&folder, Some(folder.as_fd())), Ok(false));
        assert_eq!(is_within(&folder, None), Ok(false));
    }
}
