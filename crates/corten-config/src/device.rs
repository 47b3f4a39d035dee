//! Keys of devices by type and subtype, and checks of one device or all of an instance.

pub mod disk;
pub mod gpu_mdev;
pub mod gpu_mig;
pub mod gpu_physical;
pub mod gpu_sriov;
pub mod infiniband;
pub mod nic_bridged;
pub mod nic_ipvlan;
pub mod nic_macvlan;
pub mod nic_ovn;
pub mod nic_p2p;
pub mod nic_physical;
pub mod nic_routed;
pub mod nic_sriov;
pub mod none;
pub mod pci;
pub mod proxy;
pub mod rules;
pub mod tpm;
pub mod unix_block;
pub mod unix_char;
pub mod unix_hotplug;
pub mod usb;

use corten_api::error::{Error, Result};

use crate::Devices;
use crate::entity::{self, Entity, Guest, Table};
use crate::key::Config;
use crate::name;
use crate::value::go_text::quoted;

/// A type of device: its table, and which guests can have it.
struct Type {
    kind: &'static str,
    subtype: &'static str,
    table: Table,
    containers: bool,
    machines: bool,
}

/// All types of devices.
static TYPES: [Type; 23] = [
    of("none", "", none::NONE, true, true),
    of("disk", "", disk::DISK, true, true),
    of("nic", "bridged", nic_bridged::NIC_BRIDGED, true, true),
    of("nic", "macvlan", nic_macvlan::NIC_MACVLAN, true, true),
    of("nic", "sriov", nic_sriov::NIC_SRIOV, true, true),
    of("nic", "ovn", nic_ovn::NIC_OVN, true, true),
    of("nic", "physical", nic_physical::NIC_PHYSICAL, true, true),
    of("nic", "ipvlan", nic_ipvlan::NIC_IPVLAN, true, false),
    of("nic", "p2p", nic_p2p::NIC_P2P, true, true),
    of("nic", "routed", nic_routed::NIC_ROUTED, true, true),
    of("infiniband", "physical", infiniband::INFINIBAND, true, true),
    of("infiniband", "sriov", infiniband::INFINIBAND, true, true),
    of("gpu", "physical", gpu_physical::GPU_PHYSICAL, true, true),
    of("gpu", "mdev", gpu_mdev::GPU_MDEV, false, true),
    of("gpu", "mig", gpu_mig::GPU_MIG, true, false),
    of("gpu", "sriov", gpu_sriov::GPU_SRIOV, false, true),
    of("proxy", "", proxy::PROXY, true, true),
    of("unix-char", "", unix_char::UNIX_CHAR, true, false),
    of("unix-block", "", unix_block::UNIX_BLOCK, true, false),
    of("unix-hotplug", "", unix_hotplug::UNIX_HOTPLUG, true, false),
    of("usb", "", usb::USB, true, true),
    of("tpm", "", tpm::TPM, true, true),
    of("pci", "", pci::PCI, false, true),
];

const fn of(kind: &'static str, subtype: &'static str, table: Table, containers: bool, machines: bool) -> Type {
    Type { kind, subtype, table, containers, machines }
}

fn find(kind: &str, subtype: &str) -> Option<&'static Type> {
    TYPES.iter().find(|known| known.kind == kind && known.subtype == subtype)
}

/// The table of a type of device.
pub fn table(kind: &str, subtype: &str) -> Option<Table> {
    find(kind, subtype).map(|known| known.table)
}

/// The types and subtypes there are, in the order of the reference.
pub fn types() -> impl Iterator<Item = (&'static str, &'static str)> {
    TYPES.iter().map(|known| (known.kind, known.subtype))
}

/// The subtype a device says by itself. That of a `nic` with a `network` is the network's affair: [`nic_type_of`].
pub fn subtype(device: &Config) -> &str {
    let get = |key: &str| device.get(key).map_or("", String::as_str);
    match get("type") {
        "nic" | "infiniband" => get("nictype"),
        "gpu" if matches!(get("gputype"), "mig" | "mdev" | "sriov") => get("gputype"),
        "gpu" => "physical",
        _ => "",
    }
}

/// The subtype of `nic` devices on a network of this type.
pub fn nic_type_of(network_type: &str) -> Option<&'static str> {
    match network_type {
        "bridge" => Some("bridged"),
        "macvlan" => Some("macvlan"),
        "sriov" => Some("sriov"),
        "ovn" => Some("ovn"),
        _ => None,
    }
}

/// What must be known to check a device.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The kind of its instance; `None` in a profile.
    pub guest: Option<Guest>,
    /// The instance's or profile's own devices, this one among them.
    pub siblings: &'a Devices,
    /// The type of the managed network a `nic` names: `Ok` with its name, or LXD's words why it has none.
    pub network_type: &'a dyn Fn(&str) -> Result<String>,
}

/// Refuses a device that is wrong in itself. What depends on the host, on other instances or on a network's
/// addresses is
/// looked at by those who know these.
///
/// # Errors
/// LXD's message, without the device's name.
pub fn check(device_name: &str, device: &Config, context: &Context<'_>) -> Result<()> {
    name::check_device(device_name)?;
    let get = |key: &str| device.get(key).map_or("", String::as_str);
    let loading = |why: String| Error::invalid(format!("Failed loading device {}: {why}", quoted(device_name)));
    let kind = get("type");
    let subtype = match get("network") {
        network if kind == "nic" && !network.is_empty() => {
            let network_type = (context.network_type)(network).map_err(|error| loading(error.message))?;
            let unrecognised = || loading(format!("Unrecognised NIC network type for network {}", quoted(network)));
            nic_type_of(&network_type).ok_or_else(unrecognised)?
        }
        _ => subtype(device),
    };
    let unknown = if kind.is_empty() { "Missing device type in config" } else { UNSUPPORTED };
    let known = find(kind, subtype).ok_or_else(|| loading(unknown.to_owned()))?;
    let supported = match context.guest {
        Some(Guest::Container) => known.containers,
        Some(Guest::Machine) => known.machines,
        None => true,
    };
    if !supported {
        return Err(Error::invalid(UNSUPPORTED));
    }
    rules::before(subtype, device, context)?;
    if let Some(key) = rules::machine_lacks(kind, subtype, device).filter(|_| context.guest == Some(Guest::Machine)) {
        return Err(Error::invalid(format!("Invalid device option {}", quoted(key))));
    }
    let checked =
        entity::check(Entity::Device(kind, subtype), device).and_then(|()| rules::check(subtype, device, context));
    match kind {
        "pci" | "tpm" => checked.map_err(|error| error.context("Failed to validate config")),
        _ => checked,
    }
}

/// LXD's words for a type of device that does not exist, or not for this kind of instance.
pub const UNSUPPORTED: &str = "Unsupported device type";

/// Checks all devices of an instance or profile.
///
/// # Errors
/// LXD's message, beginning with the device's name.
pub fn check_all(devices: &Devices, guest: Option<Guest>, network_type: &dyn Fn(&str) -> Result<String>) -> Result<()> {
    let context = Context { guest, siblings: devices, network_type };
    for (device_name, device) in devices {
        if device_name.len() > 64 {
            return Err(Error::invalid("The maximum device name length is 64 characters"));
        }
        check(device_name, device, &context)
            .map_err(|error| error.context(format!("Device validation failed for {}", quoted(device_name))))?;
    }
    Ok(())
}

/// Name and keys of the root disk.
///
/// # Errors
/// `No root device could be found`, or `More than one root device found`.
pub fn root_disk(devices: &Devices) -> Result<(&str, &Config)> {
    let get = |device: &Config, key: &str| device.get(key).cloned().unwrap_or_default();
    let is_root = |device: &Config| {
        get(device, "type") == "disk" && get(device, "path") == "/" && get(device, "source").is_empty()
    };
    let mut roots = devices.iter().filter(|(_, device)| is_root(device));
    match (roots.next(), roots.next()) {
        (Some((name, device)), None) => Ok((name, device)),
        (None, _) => Err(Error::invalid("No root device could be found")),
        _ => Err(Error::invalid("More than one root device found")),
    }
}
