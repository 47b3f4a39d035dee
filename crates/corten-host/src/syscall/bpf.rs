//! bpf(2), as far as filters of device access need it: load a program, attach it to a group, detach older ones.

use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

const PROG_LOAD: libc::c_long = 5;
const PROG_ATTACH: libc::c_long = 8;
const PROG_DETACH: libc::c_long = 9;
const PROG_GET_FD_BY_ID: libc::c_long = 13;
const PROG_QUERY: libc::c_long = 16;

/// `BPF_PROG_TYPE_CGROUP_DEVICE`
const TYPE_CGROUP_DEVICE: u32 = 15;
/// `BPF_CGROUP_DEVICE`
const ATTACH_DEVICE: u32 = 6;
/// `BPF_F_ALLOW_MULTI`: programs of this group, of groups above and below all have to agree.
const ALLOW_MULTI: u32 = 2;

/// How many programs one group may have (`BPF_CGROUP_MAX_PROGS`).
const MOST_PROGRAMS: usize = 64;

/// The beginning of `union bpf_attr` for `BPF_PROG_LOAD`.
#[repr(C)]
#[derive(Default)]
struct Load {
    prog_type: u32,
    insn_cnt: u32,
    insns: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log_buf: u64,
    kern_version: u32,
    prog_flags: u32,
    prog_name: [u8; 16],
    prog_ifindex: u32,
    expected_attach_type: u32,
}

/// The same for `BPF_PROG_ATTACH` and `BPF_PROG_DETACH`.
#[repr(C)]
#[derive(Default)]
struct Attach {
    target_fd: u32,
    attach_bpf_fd: u32,
    attach_type: u32,
    attach_flags: u32,
    replace_bpf_fd: u32,
}

/// The same for `BPF_PROG_QUERY`.
#[repr(C)]
#[derive(Default)]
struct Query {
    target_fd: u32,
    attach_type: u32,
    query_flags: u32,
    attach_flags: u32,
    prog_ids: u64,
    prog_cnt: u32,
    padding: u32,
}

/// The same for `BPF_PROG_GET_FD_BY_ID`.
#[repr(C)]
#[derive(Default)]
struct ById {
    prog_id: u32,
    next_id: u32,
    open_flags: u32,
}

/// Calls the kernel with one of the structures above.
fn bpf<T>(command: libc::c_long, attributes: &mut T) -> io::Result<i32> {
    // SAFETY: needed because no safe wrapper exists. Sound because each caller passes the structure that its command
    // reads and writes, with its true size, so the kernel stays within it; pointers inside lead to buffers that the
    // caller keeps alive during the call and whose lengths it states.
    let answer = unsafe { libc::syscall(libc::SYS_bpf, command, std::ptr::from_mut(attributes), size_of::<T>()) };
    if answer < 0 { Err(io::Error::last_os_error()) } else { i32::try_from(answer).map_err(io::Error::other) }
}

fn owned(descriptor: i32) -> OwnedFd {
    // SAFETY: needed to take ownership of a descriptor that came from a raw call. Sound because the kernel has just
    // made it for us and nobody else knows its number.
    unsafe { OwnedFd::from_raw_fd(descriptor) }
}

fn number(descriptor: &impl AsFd) -> u32 {
    descriptor.as_fd().as_raw_fd().cast_unsigned()
}

/// A program that decides about devices.
#[derive(Clone, Copy, Debug)]
pub struct DeviceProgram<'a> {
    /// Its instructions.
    pub instructions: &'a [u64],
    /// Its license, for functions of the kernel that ask for one.
    pub license: &'a std::ffi::CStr,
    /// Its name, ending with a zero byte; all zero for none.
    pub name: [u8; 16],
    /// `BPF_F_STRICT_ALIGNMENT`, `BPF_F_ANY_ALIGNMENT`.
    pub flags: u32,
    /// What it will be attached to: 0 or `BPF_CGROUP_DEVICE`.
    pub attached_to: u32,
}

/// Loads a program.
///
/// # Errors
/// What the kernel says: `EPERM` without `CAP_BPF`, `EINVAL` and `EACCES` for a program that it does not accept.
pub fn load_device_program(program: &DeviceProgram<'_>) -> io::Result<OwnedFd> {
    let mut attributes = Load {
        prog_type: TYPE_CGROUP_DEVICE,
        insn_cnt: u32::try_from(program.instructions.len()).map_err(io::Error::other)?,
        insns: program.instructions.as_ptr().addr() as u64,
        license: program.license.as_ptr().addr() as u64,
        prog_flags: program.flags,
        prog_name: program.name,
        expected_attach_type: program.attached_to,
        ..Load::default()
    };
    bpf(PROG_LOAD, &mut attributes).map(owned)
}

/// Attaches a program to the group of version 2 that `group` is open on, with `BPF_F_*` in `flags`; in the place of
/// `replaced` where they say so.
///
/// # Errors
/// What the kernel says, also when groups above or below, or others at this one, do not allow it.
pub fn attach_device_program(
    group: &impl AsFd,
    program: &OwnedFd,
    flags: u32,
    replaced: Option<&OwnedFd>,
) -> io::Result<()> {
    let replace_bpf_fd = replaced.map_or(0, number);
    bpf(PROG_ATTACH, &mut Attach { attach_flags: flags, replace_bpf_fd, ..of(group, program) }).map(drop)
}

/// Detaches a program from a group.
///
/// # Errors
/// What the kernel says: `ENOENT` when it is not attached there.
pub fn detach_device_program(group: &impl AsFd, program: &OwnedFd) -> io::Result<()> {
    bpf(PROG_DETACH, &mut of(group, program)).map(drop)
}

fn of(group: &impl AsFd, program: &OwnedFd) -> Attach {
    Attach { target_fd: number(group), attach_bpf_fd: number(program), attach_type: ATTACH_DEVICE, ..Attach::default() }
}

/// Loads `program` and attaches it to the group of version 2 that `group` is open on; then detaches the programs for
/// devices that were attached to this very group before. In between both hold, so access is never wider than one of
/// them allows.
///
/// # Errors
/// What the kernel says: `EPERM` without `CAP_BPF` and `CAP_SYS_ADMIN`, `EINVAL` for a program it does not accept.
pub fn replace_device_filter(group: &impl AsFd, program: &[u64]) -> io::Result<()> {
    let old = attached(group)?;
    let loaded = load_device_program(&DeviceProgram {
        instructions: program,
        license: c"Apache-2.0",
        name: [0; 16],
        flags: 0,
        attached_to: 0,
    })?;
    attach_device_program(group, &loaded, ALLOW_MULTI, None)?;
    for id in old {
        let program = owned(bpf(PROG_GET_FD_BY_ID, &mut ById { prog_id: id, ..ById::default() })?);
        detach_device_program(group, &program)?;
    }
    Ok(())
}

/// Identifiers of the programs for devices attached to this very group.
///
/// # Errors
/// What the kernel says.
pub fn attached(group: &impl AsFd) -> io::Result<Vec<u32>> {
    let mut ids = [0u32; MOST_PROGRAMS];
    let mut query = Query {
        target_fd: number(group),
        attach_type: ATTACH_DEVICE,
        prog_ids: ids.as_mut_ptr().addr() as u64,
        prog_cnt: 64,
        ..Query::default()
    };
    bpf(PROG_QUERY, &mut query)?;
    let count = usize::try_from(query.prog_cnt).map_err(io::Error::other)?;
    Ok(ids[..count.min(MOST_PROGRAMS)].to_vec())
}
