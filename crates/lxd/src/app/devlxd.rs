//! What instances may ask over `/dev/lxd/sock`: their own configuration, devices and what changes of them.

pub mod events;
pub mod peer;
pub mod service;

use corten_api::error::{Error, Kind, Result};
use corten_instance::device::diff::Diff;
use corten_instance::instance::{Instance, is_false};
use serde_json::json;

use super::App;
use super::instances::running::{Entry, failed};
use events::Notice;

/// The socket's name in the folder that containers see as `/dev/lxd`.
pub const SOCKET: &str = "sock";

/// Whether an instance may see a key of its configuration.
pub fn is_shown(key: &str) -> bool {
    key.starts_with("user.") || key.starts_with("cloud-init.")
}

/// Whether an instance may use the API at all.
pub fn is_on(instance: &Instance) -> bool {
    !is_false(instance.get("security.devlxd"))
}

/// Devices as an instance sees them: with the addresses that were chosen for its interfaces.
pub fn devices(instance: &Instance) -> corten_instance::instance::Devices {
    let mut devices = instance.expanded_devices.clone();
    for (name, options) in &mut devices {
        let chosen = instance.volatile(&format!("volatile.{name}.hwaddr"));
        let given = options.get("hwaddr").is_some_and(|address| !address.is_empty());
        if options.get("type").is_some_and(|kind| kind == "nic") && !given && !chosen.is_empty() {
            options.insert("hwaddr".to_string(), chosen.to_string());
        }
    }
    devices
}

/// Metadata for cloud-init.
pub fn metadata(instance: &Instance) -> String {
    let id = match instance.volatile(corten_instance::volatile::INSTANCE_ID) {
        "" => instance.name.as_str(),
        id => id,
    };
    let more = instance.get("user.meta-data");
    format!("#cloud-config\ninstance-id: {id}\nlocal-hostname: {}\n{more}", instance.name)
}

/// Tells whoever listens in a running instance what a change has made of it.
pub fn tell(app: &App, old: &Instance, new: &Instance, diff: &Diff) {
    if app.instances.running.get(&super::instances::key(new)).is_none() {
        return;
    }
    let send = |kind, metadata| app.instances.notices.send(new.id, kind, &metadata);
    let keys = old.expanded_config.keys().chain(new.expanded_config.keys());
    let keys: std::collections::BTreeSet<&String> = keys.filter(|key| key.starts_with("user.")).collect();
    for key in keys {
        let (before, after) = (old.get(key), new.get(key));
        if before != after {
            send(Notice::Config, json!({"key": key, "old_value": before, "value": after}));
        }
    }
    let said = [
        ("removed", &diff.removed, &old.expanded_devices),
        ("updated", &diff.updated, &new.expanded_devices),
        ("added", &diff.added, &new.expanded_devices),
    ];
    for (action, names, devices) in said {
        for name in names {
            let config = devices.get(name).cloned().unwrap_or_default();
            send(Notice::Device, json!({"action": action, "name": name, "config": config}));
        }
    }
}

/// Lets a running instance see the socket, or no longer.
///
/// # Errors
/// When the mount cannot be made or taken away.
pub fn show(app: &App, entry: &Entry, visible: bool) -> Result<()> {
    let what = "Failed to change /dev/lxd in the instance";
    if visible {
        let mut mount = corten_instance::container::mounts::devlxd(&app.dirs.var.join("devlxd"));
        mount.target = "/dev/lxd".into();
        return entry.container.mount(&mount).map_err(|error| failed(what, &error));
    }
    match entry.container.unmount_and_remove("/dev/lxd") {
        // It was not there, which is what is wanted; a container may unmount it itself.
        Err(corten_runtime::Error::Refused { errno, .. }) if GONE.contains(&errno) => Ok(()),
        outcome => outcome.map_err(|error| failed(what, &error)),
    }
}

/// What the kernel says when nothing is mounted, and when nothing is there.
const GONE: [i32; 2] = [rustix::io::Errno::INVAL.raw_os_error(), rustix::io::Errno::NOENT.raw_os_error()];

/// The refusal that instances get for what is not theirs.
pub fn not_authorized() -> Error {
    Error::forbidden("not authorized")
}

/// The refusal for those that are not the instance's root.
fn not_root() -> Error {
    Error { kind: Kind::Unauthenticated, message: "Access denied for non-root user".to_string() }
}
