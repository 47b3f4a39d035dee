//! Keys of projects.

use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::byte_size::ByteSize;
use crate::value::choice::OneOf;
use crate::value::compression::{Architecture, Compression};
use crate::value::list::ListOf;
use crate::value::mode::IdRange;
use crate::value::number::{Integer, Unsigned};
use crate::value::path::AbsolutePath;
use crate::value::subnet::UplinkSubnets;
use crate::value::text::Text;

keys! {
    /// Features, limits and restrictions of a project.
    PROJECT {
        /// Compressor for backups, as for images.
        BACKUPS_COMPRESSION_ALGORITHM: Compression = "backups.compression_algorithm" { since: "backup_compression" };
        /// Images and aliases of its own.
        FEATURES_IMAGES: Bool = "features.images" { default: "true" };
        /// Networks, ACLs and zones of its own.
        FEATURES_NETWORKS: Bool = "features.networks" { default: "false", since: "projects_networks" };
        /// Profiles of its own.
        FEATURES_PROFILES: Bool = "features.profiles" { default: "true" };
        /// Custom volumes of its own.
        FEATURES_STORAGE_VOLUMES: Bool = "features.storage.volumes" { default: "true" };
        /// Keep cached images fresh.
        IMAGES_AUTO_UPDATE_CACHED: Bool = "images.auto_update_cached" { since: "projects_images_auto_update" };
        /// Hours between looks for newer images; 0 never.
        IMAGES_AUTO_UPDATE_INTERVAL: Integer = "images.auto_update_interval" { since: "projects_images_auto_update" };
        /// Compressor for new images: any program on PATH with arguments, `squashfs` (tar2sqfs), or `none`.
        IMAGES_COMPRESSION_ALGORITHM: Compression = "images.compression_algorithm" {
            since: "image_compression_algorithm",
        };
        /// Architecture taken where a cluster mixes them.
        IMAGES_DEFAULT_ARCHITECTURE: Architecture = "images.default_architecture" {
            since: "images_default_architecture",
        };
        /// Days after which an unused cached image goes.
        IMAGES_REMOTE_CACHE_EXPIRY: Integer = "images.remote_cache_expiry" {
            since: "projects_images_remote_cache_expiry",
        };
        /// Count of containers.
        LIMITS_CONTAINERS: Unsigned = "limits.containers";
        /// Sum of limits.cpu.
        LIMITS_CPU: Unsigned = "limits.cpu";
        /// Sum of volumes and images.
        LIMITS_DISK: ByteSize = "limits.disk" { since: "projects_limits_disk" };
        /// Count of instances.
        LIMITS_INSTANCES: Unsigned = "limits.instances" { since: "projects_limits_instances" };
        /// Sum of limits.memory.
        LIMITS_MEMORY: ByteSize = "limits.memory";
        /// Count of networks.
        LIMITS_NETWORKS: Unsigned = "limits.networks";
        /// Sum of limits.processes.
        LIMITS_PROCESSES: Unsigned = "limits.processes";
        /// Count of VMs.
        LIMITS_VIRTUAL_MACHINES: Unsigned = "limits.virtual-machines";
        /// Switches the restricted.* keys on.
        RESTRICTED: Bool = "restricted" { default: "false", since: "projects_restrictions" };
        /// Backups.
        RESTRICTED_BACKUPS: OneOf = "restricted.backups" of (OneOf(&["block", "allow"])) {
            default: "block", since: "projects_restricted_backups_and_snapshots",
        };
        /// Groups that may be targeted.
        RESTRICTED_CLUSTER_GROUPS: ListOf<Text> = "restricted.cluster.groups" of (ListOf(Text)) {
            since: "clustering_groups",
        };
        /// Placing on a chosen member.
        RESTRICTED_CLUSTER_TARGET: OneOf = "restricted.cluster.target" of (OneOf(&["block", "allow"])) {
            default: "block", since: "projects_restricted_cluster_target",
        };
        /// Raw.*, volatile.* and the like.
        RESTRICTED_CONTAINERS_LOWLEVEL: OneOf = "restricted.containers.lowlevel" of (OneOf(&["block", "allow"])) {
            default: "block",
        };
        /// Security.nesting.
        RESTRICTED_CONTAINERS_NESTING: OneOf = "restricted.containers.nesting" of (OneOf(&["block", "allow"])) {
            default: "block",
        };
        /// `unprivileged`, `isolated` (each its own id range) or `allow`.
        RESTRICTED_CONTAINERS_PRIVILEGE: OneOf = "restricted.containers.privilege"
            of (OneOf(&["allow", "unprivileged", "isolated"])) {
            default: "unprivileged",
        };
        /// `block`, `allow` (safe ones) or `full`.
        RESTRICTED_CONTAINERS_INTERCEPTION: OneOf = "restricted.containers.interception"
            of (OneOf(&["allow", "block", "full"])) {
            default: "block",
        };
        /// `block` root only, `managed` volumes only, `allow`.
        RESTRICTED_DEVICES_DISK: OneOf = "restricted.devices.disk" of (OneOf(&["block", "allow", "managed"])) {
            default: "managed",
        };
        /// Host path prefixes allowed.
        RESTRICTED_DEVICES_DISK_PATHS: ListOf<AbsolutePath> = "restricted.devices.disk.paths" of (ListOf(AbsolutePath));
        /// Gpu.
        RESTRICTED_DEVICES_GPU: OneOf = "restricted.devices.gpu" of (OneOf(&["block", "allow"])) { default: "block" };
        /// Infiniband.
        RESTRICTED_DEVICES_INFINIBAND: OneOf = "restricted.devices.infiniband" of (OneOf(&["block", "allow"])) {
            default: "block",
        };
        /// `block`, `managed` networks only, `allow`.
        RESTRICTED_DEVICES_NIC: OneOf = "restricted.devices.nic" of (OneOf(&["block", "allow", "managed"])) {
            default: "managed", since: "projects_networks_restricted_access",
        };
        /// Pci.
        RESTRICTED_DEVICES_PCI: OneOf = "restricted.devices.pci" of (OneOf(&["block", "allow"])) { default: "block" };
        /// Proxy.
        RESTRICTED_DEVICES_PROXY: OneOf = "restricted.devices.proxy" of (OneOf(&["block", "allow"])) {
            default: "block",
        };
        /// Unix-block.
        RESTRICTED_DEVICES_UNIX_BLOCK: OneOf = "restricted.devices.unix-block" of (OneOf(&["block", "allow"])) {
            default: "block",
        };
        /// Unix-char.
        RESTRICTED_DEVICES_UNIX_CHAR: OneOf = "restricted.devices.unix-char" of (OneOf(&["block", "allow"])) {
            default: "block",
        };
        /// Unix-hotplug.
        RESTRICTED_DEVICES_UNIX_HOTPLUG: OneOf = "restricted.devices.unix-hotplug" of (OneOf(&["block", "allow"])) {
            default: "block",
        };
        /// Usb.
        RESTRICTED_DEVICES_USB: OneOf = "restricted.devices.usb" of (OneOf(&["block", "allow"])) { default: "block" };
        /// Host uids raw.idmap may name.
        RESTRICTED_IDMAP_UID: ListOf<IdRange> = "restricted.idmap.uid" of (ListOf(IdRange));
        /// Host gids raw.idmap may name.
        RESTRICTED_IDMAP_GID: ListOf<IdRange> = "restricted.idmap.gid" of (ListOf(IdRange));
        /// Networks that may be used.
        RESTRICTED_NETWORKS_ACCESS: ListOf<Text> = "restricted.networks.access" of (ListOf(Text)) {
            since: "projects_networks_restricted_access",
        };
        /// UPLINK:SUBNET pairs.
        RESTRICTED_NETWORKS_SUBNETS: UplinkSubnets = "restricted.networks.subnets" {
            default_text: "block", since: "network_ovn_external_subnets",
        };
        /// Uplinks.
        RESTRICTED_NETWORKS_UPLINKS: ListOf<Text> = "restricted.networks.uplinks" of (ListOf(Text)) {
            default_text: "block", since: "projects_networks_restricted_uplinks",
        };
        /// Zones.
        RESTRICTED_NETWORKS_ZONES: ListOf<Text> = "restricted.networks.zones" of (ListOf(Text)) {
            default_text: "block", since: "network_dns",
        };
        /// Snapshots.
        RESTRICTED_SNAPSHOTS: OneOf = "restricted.snapshots" of (OneOf(&["block", "allow"])) {
            default: "block", since: "projects_restricted_backups_and_snapshots",
        };
        /// Raw.*, volatile.* of VMs.
        RESTRICTED_VIRTUAL_MACHINES_LOWLEVEL: OneOf = "restricted.virtual-machines.lowlevel"
            of (OneOf(&["block", "allow"])) {
            default: "block",
        };
        /// Free text.
        USER_ANY: Text = "user.*";
    }
}
