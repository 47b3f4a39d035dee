//! Containers: from an instance and its started devices to the spec that the runtime carries out.

pub mod mounts;
pub mod raw_lxc;
pub mod seccomp;
pub mod security;
pub mod spec;
