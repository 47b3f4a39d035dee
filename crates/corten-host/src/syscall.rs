//! System calls that neither the standard library nor rustix offers: all of the program's unsafe code is here.
#![allow(unsafe_code, reason = "this is the one place for it; each block says why it is needed and why it holds")]

pub mod allocator;
pub mod bpf;
pub mod clone3;
pub mod keyring;
pub mod loop_control;
pub mod mount_api;
pub mod namespace;
pub mod notify;
pub mod peer;
pub mod process;
pub mod project_quota;
pub mod seccomp;
pub mod unused;
pub mod userns;
