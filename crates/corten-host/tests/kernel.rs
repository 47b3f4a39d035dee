//! Tests against the running kernel. They need root, and say so where they do not have it.

#![allow(missing_docs, reason = "tests are described by their names")]

use std::io::Write;

#[path = "kernel/cgroup.rs"]
mod cgroup;
#[path = "kernel/features.rs"]
mod features;
#[path = "kernel/idmap.rs"]
mod idmap;
#[path = "kernel/seccomp.rs"]
mod seccomp;

/// Whether the test can run; prints a line that says why not.
pub fn is_root(test: &str) -> bool {
    let root = rustix::process::geteuid().is_root();
    if !root {
        // Written past the capture of the test harness: a skipped test must not look like one that passed.
        let _ = writeln!(std::io::stderr(), "skipped {test}: it needs root");
    }
    root
}

/// A name that no other test uses.
pub fn unique(what: &str) -> String {
    format!("corten.test.{}.{what}", std::process::id())
}
