//! The steps of a start, in their order: the names that a failure carries.

use std::io;

use crate::failure::StartFailed;
use crate::spec::Spec;

/// All of them, as the parent and then the child come to them.
pub const ALL: &[&str] = &[
    CHECK, MONITOR, SOCKET, GROUPS, CLONE, ADMIT, LINKS, SOURCES, IDMAP, IDENTITY, ROOT, PIVOT, KERNEL, DEV, MOUNTS,
    LEAVE, CONSOLE, SETTINGS, SECURE, EXEC,
];

/// Begins a step, which fails when the spec says so: tests see that way that each failure leaves nothing behind.
///
/// # Errors
/// When it is [`Spec::fail_step`].
pub fn reach(spec: &Spec, step: &str) -> Result<(), StartFailed> {
    if spec.fail_step.as_deref() == Some(step) {
        let injected = corten_host::undo::Injected("of the start").to_string();
        return Err(StartFailed::new(step, format!("reaching the step {step}"), &io::Error::other(injected)));
    }
    Ok(())
}

/// The daemon looks at the spec.
pub const CHECK: &str = "check";
/// The monitor comes into being.
pub const MONITOR: &str = "monitor";
/// It opens its socket.
pub const SOCKET: &str = "socket";
/// It makes the container's groups, sets their limits and enters its own.
pub const GROUPS: &str = "groups";
/// It clones the container's first process into all new namespaces.
pub const CLONE: &str = "clone";
/// It writes the id maps, and puts the process into groups of version 1 and under its limits.
pub const ADMIT: &str = "admit";
/// It moves network interfaces in.
pub const LINKS: &str = "links";
/// It opens what is to be mounted, as detached trees.
pub const SOURCES: &str = "sources";
/// It maps the ids of a detached tree.
pub const IDMAP: &str = "idmap";
/// The child becomes root inside.
pub const IDENTITY: &str = "identity";
/// The child puts the root together.
pub const ROOT: &str = "root";
/// The child makes it its root.
pub const PIVOT: &str = "pivot";
/// The child mounts /proc, /sys and the cgroup tree.
pub const KERNEL: &str = "kernel";
/// The child fills /dev.
pub const DEV: &str = "dev";
/// The child makes the other mounts.
pub const MOUNTS: &str = "mounts";
/// The child leaves the host's root behind.
pub const LEAVE: &str = "leave";
/// The child opens its console.
pub const CONSOLE: &str = "console";
/// The child sets host name, kernel parameters, loopback interface.
pub const SETTINGS: &str = "settings";
/// The child gives up what it may not have.
pub const SECURE: &str = "secure";
/// The child runs its program.
pub const EXEC: &str = "exec";
