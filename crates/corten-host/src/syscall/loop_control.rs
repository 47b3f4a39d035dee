//! The ioctls of loop devices, drivers/block/loop.c and include/uapi/linux/loop.h.

use std::io;
use std::os::fd::{AsFd, AsRawFd};

/// `LOOP_CTL_GET_FREE`, on `/dev/loop-control`.
const GET_FREE: libc::Ioctl = 0x4C82;
/// `LOOP_CONFIGURE`, since Linux 5.8.
const CONFIGURE: libc::Ioctl = 0x4C0A;
/// `LO_FLAGS_READ_ONLY`
const READ_ONLY: u32 = 1;
/// `LO_FLAGS_AUTOCLEAR`: the device lets go of its file when nobody has it open or mounted any more.
const AUTOCLEAR: u32 = 4;

/// `struct loop_info64`.
#[repr(C)]
struct Info {
    device: u64,
    inode: u64,
    rdevice: u64,
    offset: u64,
    size_limit: u64,
    number: u32,
    encrypt_type: u32,
    encrypt_key_size: u32,
    flags: u32,
    file_name: [u8; 64],
    crypt_name: [u8; 64],
    encrypt_key: [u8; 32],
    init: [u64; 2],
}

/// `struct loop_config`.
#[repr(C)]
struct Config {
    fd: u32,
    block_size: u32,
    info: Info,
    reserved: [u64; 8],
}

/// The number of a loop device that is free now, made if need be.
///
/// # Errors
/// What the ioctl says.
pub fn free_device(control: impl AsFd) -> io::Result<u32> {
    // SAFETY: no safe wrapper knows this ioctl. It takes no argument, so that it touches no memory of ours.
    let number = unsafe { libc::ioctl(control.as_fd().as_raw_fd(), GET_FREE) };
    u32::try_from(number).map_err(|_| io::Error::last_os_error())
}

/// Binds `file` to the open loop device `device` until the last user of the device is gone. `name` is what
/// `losetup --list` shows.
///
/// # Errors
/// `EBUSY` when somebody else has taken the device meanwhile; else what the ioctl says.
pub fn configure(device: impl AsFd, file: impl AsFd, name: &[u8], read_only: bool) -> io::Result<()> {
    let mut file_name = [0; 64];
    let length = name.len().min(63);
    file_name[..length].copy_from_slice(&name[..length]);
    let config = Config {
        fd: file.as_fd().as_raw_fd().cast_unsigned(),
        block_size: 0,
        info: Info {
            device: 0,
            inode: 0,
            rdevice: 0,
            offset: 0,
            size_limit: 0,
            number: 0,
            encrypt_type: 0,
            encrypt_key_size: 0,
            flags: AUTOCLEAR | if read_only { READ_ONLY } else { 0 },
            file_name,
            crypt_name: [0; 64],
            encrypt_key: [0; 32],
            init: [0; 2],
        },
        reserved: [0; 8],
    };
    // SAFETY: no safe wrapper knows this ioctl. It reads one `struct loop_config`, which `Config` mirrors field by
    // field (repr(C), all fields initialized), and which lives through the call; both descriptors are open.
    let done = unsafe { libc::ioctl(device.as_fd().as_raw_fd(), CONFIGURE, std::ptr::from_ref(&config)) };
    if done == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_structures_are_as_large_as_the_kernels() {
        assert_eq!((size_of::<Info>(), size_of::<Config>()), (232, 304));
    }
}
