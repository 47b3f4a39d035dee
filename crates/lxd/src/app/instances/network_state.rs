//! The interfaces of a running container as the API shows them.

use std::collections::BTreeMap;
use std::os::fd::AsFd;

use corten_api::instance_state::{InstanceStateNetwork, InstanceStateNetworkAddress, InstanceStateNetworkCounters};
use corten_host::netlink::link::Counters;
use corten_host::netlink::state::{InterfaceAddress, InterfaceState, state_of};
use corten_instance::instance::Instance;
use corten_runtime::Container;

/// All interfaces by name; none when the container is about to end.
pub fn interfaces(container: &Container, instance: &Instance) -> BTreeMap<String, InstanceStateNetwork> {
    let found = container.netns_fd().ok().and_then(|netns| state_of(netns.as_fd()).ok()).unwrap_or_default();
    found.into_iter().map(|interface| (interface.name.clone(), show(interface, instance))).collect()
}

fn show(interface: InterfaceState, instance: &Instance) -> InstanceStateNetwork {
    InstanceStateNetwork {
        addresses: interface.addresses.into_iter().map(address).collect(),
        counters: counters(interface.counters),
        host_name: host_name(&interface.name, instance),
        hwaddr: interface.hwaddr,
        mtu: i64::from(interface.mtu),
        state: interface.state.to_string(),
        r#type: interface.kind.to_string(),
    }
}

/// The host's end of the interface, as the start of its device remembered it.
fn host_name(interface: &str, instance: &Instance) -> String {
    let is_it = |device: &str, options: &corten_instance::instance::Config| {
        let name = options.get("name").map_or("", String::as_str);
        let name = if name.is_empty() { instance.volatile(&format!("volatile.{device}.name")) } else { name };
        name == interface || (name.is_empty() && device == interface)
    };
    let nics =
        instance.expanded_devices.iter().filter(|(_, options)| options.get("type").is_some_and(|kind| kind == "nic"));
    let device = nics.into_iter().find(|(device, options)| is_it(device, options)).map(|(device, _)| device);
    device.map(|device| instance.volatile(&format!("volatile.{device}.host_name")).to_string()).unwrap_or_default()
}

fn address(address: InterfaceAddress) -> InstanceStateNetworkAddress {
    InstanceStateNetworkAddress {
        family: address.family.to_string(),
        address: address.address,
        netmask: address.netmask,
        scope: address.scope.to_string(),
    }
}

fn counters(counters: Counters) -> InstanceStateNetworkCounters {
    let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    InstanceStateNetworkCounters {
        bytes_received: number(counters.bytes_received),
        bytes_sent: number(counters.bytes_sent),
        packets_received: number(counters.packets_received),
        packets_sent: number(counters.packets_sent),
        errors_received: number(counters.errors_received),
        errors_sent: number(counters.errors_sent),
        packets_dropped_outbound: number(counters.dropped_outbound),
        packets_dropped_inbound: number(counters.dropped_inbound),
    }
}
