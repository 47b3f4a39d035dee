//! The steps of a start, in their order: the names that a failure carries.

/// The daemon looks at the spec.
pub const CHECK: &str = "check";
/// The monitor comes into being.
pub const MONITOR: &str = "monitor";
/// It makes the container's groups, sets their limits and enters its own.
pub const GROUPS: &str = "groups";
/// It opens its socket.
pub const SOCKET: &str = "socket";
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
