//! What LXD mounts into every container beside its devices: pieces of the host's `/dev`, `/proc` and `/sys`.

use std::path::Path;

use corten_runtime::spec::{Create, Mount};

/// Paths of the host that are bound to the same place inside, where the host has them.
const FROM_HOST: [&str; 10] = [
    "/dev/fuse",
    "/dev/net/tun",
    "/proc/sys/fs/binfmt_misc",
    "/sys/firmware/efi/efivars",
    "/sys/fs/fuse/connections",
    "/sys/fs/pstore",
    "/sys/kernel/config",
    "/sys/kernel/debug",
    "/sys/kernel/security",
    "/sys/kernel/tracing",
];

/// The mounts, in order. `folder` is that of the socket at `/dev/lxd`, when the container gets one.
///
/// Their sources may be missing on the host, and targets are made where that is possible, so that each is optional.
pub fn mounts(privileged: bool, folder: Option<&Path>) -> Vec<Mount> {
    let mut mounts: Vec<Mount> = FROM_HOST.iter().map(|path| from_host(path)).collect();
    if privileged {
        mounts.push(Mount {
            source: "mqueue".into(),
            target: "dev/mqueue".into(),
            fstype: Some("mqueue".to_string()),
            options: vec!["rw".to_string(), "relatime".to_string()],
            idmapped: false,
            locked: false,
            within: None,
            optional: true,
            create: Create::Dir,
        });
    } else {
        mounts.push(from_host("/dev/mqueue"));
    }
    if let Some(folder) = folder {
        mounts.push(devlxd(folder));
    }
    mounts
}

/// The folder of the socket at `/dev/lxd`. It is read-only, so that root of a privileged container cannot put a socket of
/// its own in the place of the one that all containers use; connecting to a socket writes nothing.
pub fn devlxd(folder: &Path) -> Mount {
    Mount { options: vec!["bind".to_string(), "ro".to_string()], ..Mount::bind(folder, "dev/lxd", Create::Dir) }
}

fn from_host(path: &str) -> Mount {
    let is_file = path == "/dev/fuse" || path == "/dev/net/tun";
    let create = if is_file { Create::File } else { Create::Dir };
    let option = if is_file { "bind" } else { "rbind" };
    Mount {
        options: vec![option.to_string()],
        optional: true,
        ..Mount::bind(path, path.trim_start_matches('/'), create)
    }
}
