//! What the kernel and host tools offer; the only crate with unsafe code.

pub mod apparmor;
pub mod cgroup;
pub mod command;
pub mod confined;
pub mod device_node;
pub mod fd;
pub mod file;
pub mod idmap;
pub mod inventory;
pub mod kernel_features;
pub mod kernel_module;
pub mod loop_device;
pub mod mount;
pub mod namespace;
pub mod netlink;
pub mod pidfd;
pub mod proc;
pub mod pty;
pub mod quota;
pub mod rooted;
pub mod seccomp;
pub mod syscall;
pub mod sysctl;
pub mod undo;
pub mod xattr;
