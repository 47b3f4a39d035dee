//! What the questions depend on: the daemon's answers, and the host.

use super::super::local::Local;
use crate::app::dirs::Dirs;
use corten_api::server::Server;
use rustix::fs::statfs;
use std::net::TcpListener;
use std::path::Path;

/// What is there already.
pub trait Facts {
    /// The drivers that a new pool could use, by name.
    fn drivers(&self) -> Vec<String>;
    /// The driver of the file system that holds LXD's folder: `btrfs`, `zfs`, or else `dir`.
    fn backing(&self) -> &'static str;
    /// LXD's folder, ending in a slash.
    fn var(&self) -> String;
    /// How many GiB the file system of LXD's folder has.
    fn gigabytes(&self) -> u64;
    /// Whether a pool has this name.
    fn has_pool(&mut self, name: &str) -> bool;
    /// Whether a network has this name.
    fn has_network(&mut self, name: &str) -> bool;
    /// Whether the host has this interface.
    fn has_interface(&self, name: &str) -> bool;
    /// Whether the interface is a bridge.
    fn is_bridge(&self, name: &str) -> bool;
    /// Whether a block device is there.
    fn is_block_device(&self, path: &str) -> bool;
    /// Why an address cannot be listened on, if so.
    fn cannot_bind(&self, address: &str) -> Option<String>;
    /// Whether the host's own user namespace leaves too few ids for containers.
    fn lacks_ids(&self) -> bool;
}

/// The real answers.
pub struct Known<'a> {
    local: &'a mut Local,
    server: &'a Server,
}

impl<'a> Known<'a> {
    /// Asks that daemon.
    pub fn new(local: &'a mut Local, server: &'a Server) -> Self {
        Known { local, server }
    }
}

/// `BTRFS_SUPER_MAGIC` of linux/magic.h.
const BTRFS: u64 = 0x9123_683e;
/// The number that OpenZFS gives.
const ZFS: u64 = 0x2fc1_2fc1;

/// The driver that suits the file system of LXD's folder.
pub fn backing() -> &'static str {
    let kind = statfs(&Dirs::from_env().var).map(|facts| u64::try_from(facts.f_type).unwrap_or(0));
    match kind {
        Ok(BTRFS) => "btrfs",
        Ok(ZFS) => "zfs",
        _ => "dir",
    }
}

/// Whether this process is root only inside of a user namespace, which maps few ids: user_namespaces(7).
fn mapped_ids() -> Option<u64> {
    let map = std::fs::read_to_string("/proc/self/uid_map").ok()?;
    let counts = map.lines().filter_map(|line| line.split_whitespace().nth(2)?.parse::<u64>().ok());
    let count: u64 = counts.sum();
    (count < u64::from(u32::MAX)).then_some(count)
}

/// Drivers that can be used from inside of a user namespace: only those that need no mount of a device.
fn works_in_namespace(driver: &str, backing: &str) -> bool {
    driver == "dir" || driver == "overlay" || (driver == "btrfs" && backing == "btrfs")
}

/// The drivers that a new pool could use on this host.
pub fn drivers(server: &Server) -> Vec<String> {
    let (nested, backing) = (mapped_ids().is_some(), backing());
    let known = server.environment.storage_supported_drivers.iter().map(|driver| driver.name.clone());
    known.filter(|name| name != "cephfs" && (!nested || works_in_namespace(name, backing))).collect()
}

/// The driver that a pool gets unless somebody says otherwise: LXD's choice, with `overlay` before `dir`.
pub fn preferred(drivers: &[String], backing: &str) -> &'static str {
    let has = |name: &str| drivers.iter().any(|driver| driver == name);
    match backing {
        "btrfs" if has("btrfs") => "btrfs",
        _ if has("zfs") => "zfs",
        _ if has("overlay") => "overlay",
        _ => "dir",
    }
}

impl Facts for Known<'_> {
    fn drivers(&self) -> Vec<String> {
        drivers(self.server)
    }

    fn backing(&self) -> &'static str {
        backing()
    }

    fn var(&self) -> String {
        format!("{}/", Dirs::from_env().var.display())
    }

    fn gigabytes(&self) -> u64 {
        let facts = statfs(&Dirs::from_env().var);
        facts.map_or(0, |facts| (u64::try_from(facts.f_frsize).unwrap_or(0) * facts.f_blocks) >> 30)
    }

    fn has_pool(&mut self, name: &str) -> bool {
        let path = corten_api::url::path(["storage-pools", name]);
        self.local.get::<serde_json::Value>(&path).is_ok()
    }

    fn has_network(&mut self, name: &str) -> bool {
        let path = corten_api::url::path(["networks", name]);
        self.local.get::<serde_json::Value>(&path).is_ok()
    }

    fn has_interface(&self, name: &str) -> bool {
        !name.contains('/') && Path::new("/sys/class/net").join(name).exists()
    }

    fn is_bridge(&self, name: &str) -> bool {
        Path::new("/sys/class/net").join(name).join("bridge").exists()
    }

    fn is_block_device(&self, path: &str) -> bool {
        use std::os::unix::fs::FileTypeExt;
        std::fs::metadata(path).is_ok_and(|found| found.file_type().is_block_device())
    }

    fn cannot_bind(&self, address: &str) -> Option<String> {
        if self.server.config.get("core.https_address").is_some_and(|own| own == address) {
            return None;
        }
        TcpListener::bind(address).err().map(|error| format!("Can't bind address {address:?}: {error}"))
    }

    fn lacks_ids(&self) -> bool {
        mapped_ids().is_some_and(|count| count <= 65_536)
    }
}

#[cfg(test)]
mod tests {
    use super::preferred;

    #[test]
    fn the_best_driver_at_hand_is_preferred() {
        let list = |names: &[&str]| names.iter().map(|name| (*name).to_string()).collect::<Vec<_>>();
        assert_eq!(preferred(&list(&["dir", "btrfs"]), "btrfs"), "btrfs");
        assert_eq!(preferred(&list(&["dir", "btrfs", "overlay"]), "dir"), "overlay");
        assert_eq!(preferred(&list(&["dir", "zfs", "overlay"]), "dir"), "zfs");
        assert_eq!(preferred(&list(&["dir"]), "btrfs"), "dir");
    }
}
