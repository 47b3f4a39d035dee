//! The `restricted.*` keys of a project: which keys and devices instances and profiles may have. Pure.

pub mod devices;

use corten_api::error::{Error, Result};
use corten_config::project::keys;
use corten_config::value::Kind;
use corten_config::value::boolean::is_true;
use corten_config::value::id_map::{Entry, RawIdMap};
use corten_db::table::{Config, Devices};

use super::holdings::{Guest, Holdings, Member};

/// What a restriction says: the project's own word, else what holds by default.
pub fn word<'c>(project: &'c Config, key: &str) -> &'c str {
    if let Some(own) = project.get(key) {
        return own;
    }
    keys::PROJECT.iter().find(|known| known.facts().name == key).map_or("", |known| known.facts().default)
}

/// System calls that may be intercepted when `restricted.containers.interception` allows it; the rest is low-level.
const INTERCEPTABLE: [&str; 6] = [
    "security.syscalls.intercept.bpf",
    "security.syscalls.intercept.bpf.devices",
    "security.syscalls.intercept.mknod",
    "security.syscalls.intercept.mount",
    "security.syscalls.intercept.mount.fuse",
    "security.syscalls.intercept.setxattr",
];

const CONTAINER_LOW_LEVEL: [&str; 9] = [
    "boot.host_shutdown_timeout",
    "linux.kernel_modules",
    "raw.apparmor",
    "raw.idmap",
    "raw.lxc",
    "raw.seccomp",
    "security.devlxd.images",
    "security.idmap.base",
    "security.idmap.size",
];

const MACHINE_LOW_LEVEL: [&str; 6] =
    ["boot.host_shutdown_timeout", "limits.memory.hugepages", "raw.apparmor", "raw.idmap", "raw.qemu", "raw.qemu.conf"];

/// What has keys and devices: an instance, or a profile, which may serve instances of both kinds.
#[derive(Clone, Copy, Debug)]
pub struct Bearer<'a> {
    /// What it is; `None` for a profile.
    pub guest: Option<Guest>,
    /// Its name.
    pub name: &'a str,
    /// Its keys, with those of the profiles for an instance.
    pub config: &'a Config,
    /// Its devices, with those of the profiles for an instance.
    pub devices: &'a Devices,
}

impl Bearer<'_> {
    /// As in messages: `container "c1" of project "p"`.
    fn told(&self, project: &str) -> String {
        format!("{} {:?} of project {project:?}", self.guest.map_or("profile", Guest::word), self.name)
    }

    fn may_be(&self, guest: Guest) -> bool {
        self.guest.is_none_or(|is| is == guest)
    }
}

/// Refuses instances (expanded) and profiles that break the restrictions in `config`, which the project has or is to
/// have.
///
/// # Errors
/// In LXD's words, naming the key or device.
pub fn check(held: &Holdings, members: &[Member], config: &Config) -> Result<()> {
    let instances = members.iter().map(|member| Bearer {
        guest: Some(member.guest),
        name: &member.name,
        config: &member.config,
        devices: &member.devices,
    });
    let profiles = held.profiles.iter().map(|profile| Bearer {
        guest: None,
        name: &profile.name,
        config: &profile.config,
        devices: &profile.devices,
    });
    for bearer in instances.chain(profiles) {
        check_keys(&held.project.name, config, &bearer)?;
        devices::check(&held.project.name, config, &bearer)?;
    }
    Ok(())
}

/// Whether low-level keys of instances of a kind are allowed.
pub fn allows_low_level(restrictions: &Config, guest: Guest) -> bool {
    word(restrictions, &format!("restricted.{}s.lowlevel", guest.word())) == "allow"
}

fn check_keys(project: &str, restrictions: &Config, bearer: &Bearer<'_>) -> Result<()> {
    // A profile must be fit for both kinds of instances.
    let low_level = [Guest::Container, Guest::VirtualMachine]
        .into_iter()
        .all(|guest| !bearer.may_be(guest) || allows_low_level(restrictions, guest));
    for (key, value) in bearer.config {
        if !low_level {
            check_low_level(project, restrictions, bearer, key, value)?;
        }
        if bearer.may_be(Guest::Container)
            && let Some(why) = container_refusal(restrictions, key, value)
        {
            let told = bearer.told(project);
            return Err(Error::internal(format!("Invalid value {value:?} for config {key:?} on {told}: {why}")));
        }
    }
    Ok(())
}

fn check_low_level(project: &str, restrictions: &Config, bearer: &Bearer<'_>, key: &str, value: &str) -> Result<()> {
    if key == "raw.idmap" {
        let entries = RawIdMap.parse(value).map_err(Error::internal)?;
        let refused = entries.iter().position(|entry| !host_ids_allowed(restrictions, entry));
        return refused.map_or(Ok(()), |at| {
            let told = bearer.told(project);
            Err(Error::internal(format!("Use of low-level \"raw.idmap\" element {at} on {told} is forbidden")))
        });
    }
    let intercepts = key.starts_with("security.syscalls.intercept") && !INTERCEPTABLE.contains(&key);
    let of_container = bearer.may_be(Guest::Container) && (intercepts || CONTAINER_LOW_LEVEL.contains(&key));
    if of_container || (bearer.may_be(Guest::VirtualMachine) && MACHINE_LOW_LEVEL.contains(&key)) {
        let told = bearer.told(project);
        return Err(Error::internal(format!("Use of low-level config {key:?} on {told} is forbidden")));
    }
    Ok(())
}

/// Whether all host ids of a line of `raw.idmap` lie in one of the ranges that the project may use.
fn host_ids_allowed(restrictions: &Config, entry: &Entry) -> bool {
    let within = |ranges: Option<Vec<(u32, u32)>>| {
        let last = entry.host.saturating_add(entry.count) - 1;
        let holds = |(low, high): (u32, u32)| entry.host >= i64::from(low) && last <= i64::from(high);
        ranges.is_some_and(|ranges| ranges.into_iter().any(holds))
    };
    let users = keys::RESTRICTED_IDMAP_UID.get(restrictions).ok().flatten();
    let groups = keys::RESTRICTED_IDMAP_GID.get(restrictions).ok().flatten();
    (!entry.users || within(users)) && (!entry.groups || within(groups))
}

/// Why a container may not have this value.
fn container_refusal(restrictions: &Config, key: &str, value: &str) -> Option<&'static str> {
    let says = |restriction: &str| word(restrictions, restriction);
    match key {
        "security.nesting" if is_true(value) && says("restricted.containers.nesting") == "block" => {
            Some("Container nesting is forbidden")
        }
        "security.privileged" if is_true(value) && says("restricted.containers.privilege") != "allow" => {
            Some("Privileged containers are forbidden")
        }
        "security.idmap.isolated" if !is_true(value) && says("restricted.containers.privilege") == "isolated" => {
            Some("Non-isolated containers are forbidden")
        }
        key if INTERCEPTABLE.contains(&key)
            && is_true(value)
            && says("restricted.containers.interception") == "block" =>
        {
            Some("Container syscall interception is forbidden")
        }
        _ => None,
    }
}

/// Whether an instance of a restricted project may be given this key: it is not volatile, or harmless.
pub fn is_safe(key: &str) -> bool {
    !key.starts_with("volatile.")
        || matches!(key, "volatile.apply_template" | "volatile.base_image" | "volatile.last_state.power")
        || key.ends_with(".apply_quota")
        || key.ends_with(".hwaddr")
}

/// Refuses volatile keys that differ from those that the instance has: they are the server's, and could be used to
/// reach for other projects' things.
///
/// # Errors
/// In LXD's words.
pub fn check_volatile(project: &str, restrictions: &Config, new: &Member, current: &Config) -> Result<()> {
    if allows_low_level(restrictions, new.guest) {
        return Ok(());
    }
    let own = new.config.iter().filter(|(key, _)| !is_safe(key));
    for (key, value) in own {
        let verb = match current.get(key) {
            Some(now) if now == value => continue,
            Some(_) => "Changing",
            None => "Setting",
        };
        let (kind, name) = (new.guest.word(), &new.name);
        return Err(Error::internal(format!("{verb} {key:?} on {kind} {name:?} in project {project:?} is forbidden")));
    }
    Ok(())
}
