//! The profile of a container: a pure function of its configuration and a few facts of the host.
//!
//! It is a second fence. User namespaces, capabilities and seccomp hold an unprivileged container without it; a
//! privileged one it keeps from those parts of `/proc` and `/sys` that are the host's, and from mounts that would show
//! them again elsewhere.

use std::fmt::Write;

use corten_host::apparmor::name::Names;

use super::patterns::all_but;

/// What the profile depends on.
#[derive(Clone, Debug)]
pub struct Facts<'a> {
    /// What it is called.
    pub names: &'a Names,
    /// Whether root inside is not root outside.
    pub unprivileged: bool,
    /// `security.nesting`.
    pub nesting: bool,
    /// Whether the guest gets a policy namespace of its own.
    pub stacking: bool,
    /// `raw.apparmor`; lines that are added as they are.
    pub raw: &'a str,
}

/// What every container may do, and may not.
const BASE: &str = r#"  # What the container does with itself.
  capability,
  dbus,
  file,
  network,
  umount,
  signal (receive),
  signal peer=@{profile_name},
  ptrace (readby),
  ptrace (tracedby),
  ptrace peer=@{profile_name},
  unix (receive),
  unix peer=(label=@{profile_name}),
  unix addr=none,

  # File systems that show nothing of others.
  mount fstype=cgroup -> /sys/fs/cgroup/**,
  mount fstype=cgroup2 -> /sys/fs/cgroup/**,
  mount fstype=fuse,
  mount fstype=fuse.*,
  mount fstype=fusectl -> /sys/fs/fuse/connections/,
  mount fstype=hugetlbfs,
  mount fstype=mqueue,
  mount fstype=proc -> /proc/,
  mount fstype=ramfs,
  mount fstype=sysfs -> /sys/,
  mount fstype=tmpfs,
  mount options=(ro,nosuid,nodev,noexec,remount,strictatime) -> /sys/fs/cgroup/,
  mount options=(rw,nosuid,nodev,noexec,remount) -> /sys/,
  mount options=(rw,nosuid,nodev,remount) -> /run/,

  # An init mounts these without asking whether they are of any use; they stay closed.
  mount fstype=binfmt_misc -> /proc/sys/fs/binfmt_misc/,
  mount fstype=configfs -> /sys/kernel/config/,
  mount fstype=debugfs -> /sys/kernel/debug/,
  mount fstype=efivarfs -> /sys/firmware/efi/efivars/,
  mount fstype=securityfs -> /sys/kernel/security/,
  mount fstype=tracefs -> /sys/kernel/tracing/,
  deny /proc/sys/fs/binfmt_misc/{,**} rwklx,
  deny /sys/kernel/config/{,**} rwklx,
  deny /sys/kernel/debug/{,**} rwklx,
  deny /sys/firmware/efi/efivars/{,**} rwklx,
  deny /sys/kernel/tracing/{,**} rwklx,
  deny mount options=(ro,remount) -> /,
  deny mount options=(ro,remount,silent) -> /,

  # What of /proc is the host's.
  deny /proc/acpi/** rwklx,
  deny /proc/bus/** wklx,
  deny /proc/kcore rwklx,
  deny /proc/sysrq-trigger rwklx,
  deny /proc/sys/fs/** wklx,
"#;

/// What of `/proc/sys` belongs to the container's namespaces.
const OWN_SYSCTLS: [&str; 6] =
    ["kernel/domainname", "kernel/hostname", "kernel/msg*", "kernel/sem*", "kernel/shm*", "net"];

/// What of `/sys` does. `kernel` is spoken of apart.
const OWN_SYSFS: [&str; 5] = ["class/net", "devices/virtual/net", "fs/bpf", "fs/cgroup", "kernel"];

/// How mounts may be passed on.
const PROPAGATIONS: [&str; 8] =
    ["slave", "rslave", "shared", "rshared", "private", "rprivate", "unbindable", "runbindable"];

/// With what a mount of a privileged container may be made read-only.
const READ_ONLY: [&str; 10] = [
    "",
    ",nodev",
    ",noexec",
    ",noexec,nodev",
    ",noatime",
    ",nosuid",
    ",nosuid,nodev",
    ",nosuid,noexec",
    ",nosuid,noexec,nodev",
    ",nosuid,noexec,strictatime",
];

/// Writes the profile.
pub fn text(facts: &Facts<'_>) -> String {
    let mut text = format!(
        "#include <tunables/global>\nprofile \"{}\" flags=(attach_disconnected,mediate_deleted) {{\n{BASE}",
        facts.names.profile
    );
    deny(&mut text, &all_but("/proc/sys/", &OWN_SYSCTLS));
    text += "\n  # What of /sys is.\n";
    deny(&mut text, &all_but("/sys/", &OWN_SYSFS));
    own_policy(&mut text, facts);
    if facts.unprivileged {
        text += UNPRIVILEGED;
        for options in REMOUNTED {
            let _ = writeln!(text, "  mount options=(rw,remount,bind{options}) -> {SERVICE_ROOTS}{{,**}},");
        }
        propagations(&mut text, "**");
    } else {
        privileged(&mut text);
    }
    if facts.nesting {
        text += NESTING;
        if !facts.stacking {
            text += &format!("  change_profile -> \"{}\",\n", facts.names.profile);
        }
    }
    let raw = facts.raw.trim_matches('\n');
    if !raw.is_empty() {
        text += "\n  # raw.apparmor\n";
        raw.lines().for_each(|line| text += &format!("  {line}\n"));
    }
    text + "}\n"
}

fn deny(text: &mut String, patterns: &[String]) {
    for pattern in patterns {
        let _ = writeln!(text, "  deny {pattern} wklx,");
    }
}

/// What the guest may do with policies: nothing, or what it likes in a namespace of its own.
fn own_policy(text: &mut String, facts: &Facts<'_>) {
    if facts.stacking {
        *text += "\n  # Policies of the container's own.\n";
        deny(text, &all_but("/sys/kernel/", &["security/apparmor"]));
        let namespace = &facts.names.namespace;
        let _ = writeln!(text, "  change_profile -> \":{namespace}:*\",\n  change_profile -> \":{namespace}://*\",");
    } else {
        *text += "  deny /sys/k*{,/**} wklx,\n";
    }
}

fn propagations(text: &mut String, target: &str) {
    for propagation in PROPAGATIONS {
        let _ = writeln!(text, "  mount options=(rw,{propagation}) -> {target},");
    }
}

/// Where systemd puts the root of a service together that is to see less than others: its name up to 253, and after.
const SERVICE_ROOTS: &str = "/run/systemd/{unit-root,mount-rootfs}/";

/// What the mounts of such a root keep when they are made ready for it.
const REMOUNTED: [&str; 8] =
    ["", ",nodev", ",noexec", ",noexec,nodev", ",nosuid", ",nosuid,nodev", ",nosuid,noexec", ",nosuid,noexec,nodev"];

/// A mount namespace that belongs to a user namespace is the container's own affair: the kernel itself keeps it from
/// uncovering anything.
const UNPRIVILEGED: &str = "
  # Mounts of a user namespace. The first is what systemd makes for services that are not to see others' processes: a
  # root that is about to be changed into, where all of the above is at its place again.
  mount fstype=proc -> /run/systemd/{unit-root,mount-rootfs}/proc/,
  pivot_root,
  mount options=(rw,bind) / -> /**,
  mount options=(rw,bind) /** -> /**,
  mount options=(rw,rbind) / -> /**,
  mount options=(rw,rbind) /** -> /**,
  mount options=(rw,move) /** -> /**,
  mount options=(rw,move) /** -> /,
  mount options=(ro,remount) /,
  mount options=(ro,remount) /**,
  mount options=(ro,remount,bind),
  mount options=(ro,remount,bind,nodev),
  mount options=(ro,remount,bind,noexec),
  mount options=(ro,remount,bind,noexec,nodev),
  mount options=(ro,remount,bind,nosuid),
  mount options=(ro,remount,bind,nosuid,nodev),
  mount options=(ro,remount,bind,nosuid,noexec),
  mount options=(ro,remount,bind,nosuid,noexec,nodev),
  mount options=(ro,remount,bind,noatime),
  mount options=(ro,remount,bind,noatime,nodev),
  mount options=(ro,remount,bind,noatime,noexec),
  mount options=(ro,remount,bind,noatime,nosuid),
  mount options=(ro,remount,bind,noatime,noexec,nodev),
  mount options=(ro,remount,bind,noatime,nosuid,nodev),
  mount options=(ro,remount,bind,noatime,nosuid,noexec),
  mount options=(ro,remount,bind,noatime,nosuid,noexec,nodev),
  mount options=(ro,remount,bind,nosuid,noexec,strictatime),
  mount options=(ro,remount,nosuid,noexec,strictatime),
";

/// Mounts of anything but what the container must not see in another place.
fn privileged(text: &mut String) {
    *text += "\n  # Mounts that show nothing of /proc, /sys and the hidden copies of both.\n";
    propagations(text, "/");
    let shown = all_but("/", &["proc", "sys", "dev/.lxc"]);
    for options in READ_ONLY {
        mounts(text, &format!("ro,remount,bind{options}"), &shown);
    }
    mounts(text, "rw,bind", &shown);
    mounts(text, "rw,move", &shown);
    mounts(text, "rw,rbind", &all_but("/", &["proc", "sys", "dev"]));
}

fn mounts(text: &mut String, options: &str, patterns: &[String]) {
    for pattern in patterns {
        let _ = writeln!(text, "  mount options=({options}) {pattern},");
    }
}

/// A container in the container needs mounts of every kind.
const NESTING: &str = "
  # security.nesting
  pivot_root,
  ptrace,
  signal,
  mount,
  deny /dev/.lxc/proc/** rw,
  deny /dev/.lxc/sys/** rw,
";

#[cfg(test)]
mod tests;
