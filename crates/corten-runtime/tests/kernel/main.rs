//! Containers for real: each test starts its own from a busybox root, in a private network and mount namespace.
//!
//! They need root, busybox-static and a kernel with user namespaces and idmapped mounts; without root they say that they
//! are skipped.

mod console;
mod exec;
mod failing;
mod files;
mod harness;
mod lifecycle;
mod plug;
mod start;
mod systemd;
