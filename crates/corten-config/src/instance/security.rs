//! Keys of instances: what they may do.

use crate::key::{Aspect, Live, On};
use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::number::Unsigned;
use crate::value::text::Text;

keys! {
    /// Confinement, id maps, system calls.
    SECURITY {
        /// /dev/lxd inside.
        SECURITY_DEVLXD: Bool = "security.devlxd" {
            default: "true", live: Live::Apply(Aspect::Devlxd), since: "restrict_devlxd",
        };
        /// Image export through devlxd.
        SECURITY_DEVLXD_IMAGES: Bool = "security.devlxd.images" {
            default: "false", on: On::Container, since: "devlxd_images",
        };
        /// First host id of its range (uint32).
        SECURITY_IDMAP_BASE: Unsigned = "security.idmap.base" {
            on: On::Container, condition: "unprivileged container", since: "id_map_base",
        };
        /// A range of its own that no other instance has.
        SECURITY_IDMAP_ISOLATED: Bool = "security.idmap.isolated" {
            default: "false", on: On::Container, condition: "unprivileged container", since: "id_map",
        };
        /// How many ids (65536 when isolated and unset) (uint32).
        SECURITY_IDMAP_SIZE: Unsigned = "security.idmap.size" {
            on: On::Container, condition: "unprivileged container", since: "id_map",
        };
        /// Relaxes confinement so that containers can run inside.
        SECURITY_NESTING: Bool = "security.nesting" {
            default: "false", live: Live::Apply(Aspect::AppArmor), on: On::Container,
        };
        /// No user namespace.
        SECURITY_PRIVILEGED: Bool = "security.privileged" { default: "false", on: On::Container };
        /// Refuse deletion.
        SECURITY_PROTECTION_DELETE: Bool = "security.protection.delete" {
            default: "false", live: Live::Yes, since: "container_protection_delete",
        };
        /// Refuse any change of ownership of its files.
        SECURITY_PROTECTION_SHIFT: Bool = "security.protection.shift" {
            default: "false", live: Live::Yes, on: On::Container, since: "container_protection_shift",
        };
        /// Ask the agent for state and metrics.
        SECURITY_AGENT_METRICS: Bool = "security.agent.metrics" {
            default: "true", on: On::Machine, since: "qemu_metrics",
        };
        /// UEFI secure boot with the default keys.
        SECURITY_SECUREBOOT: Bool = "security.secureboot" { default: "true", on: On::Machine };
        /// Only these system calls, one a line.
        SECURITY_SYSCALLS_ALLOW: Text = "security.syscalls.allow" { on: On::Container };
        /// These fail, one a line.
        SECURITY_SYSCALLS_DENY: Text = "security.syscalls.deny" { on: On::Container };
        /// Also block 32-bit entry points.
        SECURITY_SYSCALLS_DENY_COMPAT: Bool = "security.syscalls.deny_compat" { default: "false", on: On::Container };
        /// Keep the built-in deny list.
        SECURITY_SYSCALLS_DENY_DEFAULT: Bool = "security.syscalls.deny_default" {
            default: "true", on: On::Container,
        };
        /// Handle bpf() for the container.
        SECURITY_SYSCALLS_INTERCEPT_BPF: Bool = "security.syscalls.intercept.bpf" {
            default: "false", on: On::Container,
        };
        /// Allow device-cgroup programs through it.
        SECURITY_SYSCALLS_INTERCEPT_BPF_DEVICES: Bool = "security.syscalls.intercept.bpf.devices" {
            default: "false", on: On::Container,
        };
        /// Create a safe set of device nodes for it.
        SECURITY_SYSCALLS_INTERCEPT_MKNOD: Bool = "security.syscalls.intercept.mknod" {
            default: "false", on: On::Container,
        };
        /// Mount block file systems for it.
        SECURITY_SYSCALLS_INTERCEPT_MOUNT: Bool = "security.syscalls.intercept.mount" {
            default: "false", on: On::Container, since: "container_syscall_intercept_mount",
        };
        /// File systems it may mount that way.
        SECURITY_SYSCALLS_INTERCEPT_MOUNT_ALLOWED: Text = "security.syscalls.intercept.mount.allowed" {
            live: Live::Yes, on: On::Container, since: "container_syscall_intercept_mount",
        };
        /// `ext4=fuse2fs`: mount through FUSE instead.
        SECURITY_SYSCALLS_INTERCEPT_MOUNT_FUSE: Text = "security.syscalls.intercept.mount.fuse" {
            live: Live::Yes, on: On::Container, since: "container_syscall_intercept_mount_fuse",
        };
        /// Shift ids on those mounts.
        SECURITY_SYSCALLS_INTERCEPT_MOUNT_SHIFT: Bool = "security.syscalls.intercept.mount.shift" {
            default: "false", live: Live::Yes, on: On::Container, since: "container_syscall_intercept_mount",
        };
        /// Allow raising priority.
        SECURITY_SYSCALLS_INTERCEPT_SCHED_SETSCHEDULER: Bool = "security.syscalls.intercept.sched_setscheduler" {
            default: "false", on: On::Container, since: "container_syscall_intercept_sched_setscheduler",
        };
        /// Allow a few trusted xattrs (whiteouts of overlay).
        SECURITY_SYSCALLS_INTERCEPT_SETXATTR: Bool = "security.syscalls.intercept.setxattr" {
            default: "false", on: On::Container,
        };
        /// Old name of `security.syscalls.deny`.
        SECURITY_SYSCALLS_BLACKLIST: Text = "security.syscalls.blacklist" {
            on: On::Container, since: "container_syscall_filtering",
        };
        /// Old name of `security.syscalls.deny_default`.
        SECURITY_SYSCALLS_BLACKLIST_DEFAULT: Bool = "security.syscalls.blacklist_default" {
            on: On::Container, since: "container_syscall_filtering",
        };
        /// Old name of `security.syscalls.deny_compat`.
        SECURITY_SYSCALLS_BLACKLIST_COMPAT: Bool = "security.syscalls.blacklist_compat" {
            on: On::Container, since: "container_syscall_filtering",
        };
        /// Old name of `security.syscalls.allow`.
        SECURITY_SYSCALLS_WHITELIST: Text = "security.syscalls.whitelist" {
            on: On::Container, since: "container_syscall_filtering",
        };
    }
}
