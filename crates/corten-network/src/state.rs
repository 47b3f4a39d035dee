//! An interface of the host as `GET /1.0/networks/NAME/state` shows it.

use corten_api::error::Error as Refusal;
use corten_api::network::{
    NetworkState, NetworkStateAddress, NetworkStateBond, NetworkStateBridge, NetworkStateCounters, NetworkStateVLAN,
};
use corten_host::netlink::Socket;
use corten_host::netlink::link::Link;
use corten_host::netlink::state::{describe, describe_address};

use crate::error::{Error, Result};

/// The state of the host's interface `name`, managed or not.
///
/// # Errors
/// `NotFound` when there is no such interface.
pub fn of(name: &str) -> Result<NetworkState> {
    let socket = Socket::open()?;
    let links = socket.links()?;
    let missing = || Error::Refused(Refusal::not_found(format!("Network interface {name:?} not found")));
    let link = links.iter().find(|link| link.name == name).ok_or_else(missing)?;
    let all = socket.addresses()?;
    let own = all.iter().filter(|address| address.link == link.index);
    let state = describe(link, own.map(|address| describe_address(address.address, address.prefix)).collect());
    let addresses = state.addresses.into_iter().map(|address| NetworkStateAddress {
        family: address.family.into(),
        address: address.address,
        netmask: address.netmask,
        scope: address.scope.into(),
    });
    Ok(NetworkState {
        addresses: addresses.collect(),
        counters: NetworkStateCounters {
            bytes_received: link.counters.bytes_received.cast_signed(),
            bytes_sent: link.counters.bytes_sent.cast_signed(),
            packets_received: link.counters.packets_received.cast_signed(),
            packets_sent: link.counters.packets_sent.cast_signed(),
        },
        hwaddr: state.hwaddr,
        mtu: i64::from(link.mtu),
        state: state.state.into(),
        r#type: state.kind.into(),
        bond: bond(link),
        bridge: bridge(link, &links),
        vlan: vlan(link, &links),
        ..NetworkState::default()
    })
}

/// Bonds tell of themselves by files.
fn bond(link: &Link) -> Option<NetworkStateBond> {
    if link.kind.as_deref() != Some("bond") {
        return None;
    }
    let read = |name: &str| {
        let text = std::fs::read_to_string(format!("/sys/class/net/{}/bonding/{name}", link.name)).unwrap_or_default();
        text.trim().to_string()
    };
    let word = |name: &str| read(name).split(' ').next().unwrap_or_default().to_string();
    let number = |name: &str| read(name).parse().unwrap_or(0);
    Some(NetworkStateBond {
        mode: word("mode"),
        transmit_policy: word("xmit_hash_policy"),
        up_delay: number("updelay"),
        down_delay: number("downdelay"),
        mii_frequency: number("miimon"),
        mii_state: read("mii_status"),
        lower_devices: read("slaves").split(' ').map(String::from).collect(),
    })
}

fn bridge(link: &Link, links: &[Link]) -> Option<NetworkStateBridge> {
    let own = link.bridge.as_ref()?;
    let mut ports: Vec<String> =
        links.iter().filter(|port| port.master == Some(link.index)).map(|port| port.name.clone()).collect();
    ports.sort();
    Some(NetworkStateBridge {
        id: own.id.clone(),
        stp: own.stp,
        forward_delay: u64::from(own.forward_delay),
        vlan_default: u64::from(own.default_pvid),
        vlan_filtering: own.vlan_filtering,
        upper_devices: ports,
    })
}

fn vlan(link: &Link, links: &[Link]) -> Option<NetworkStateVLAN> {
    let vid = u64::from(link.vlan_id?);
    let lower = links.iter().find(|lower| Some(lower.index) == link.peer);
    Some(NetworkStateVLAN { lower_device: lower.map(|lower| lower.name.clone()).unwrap_or_default(), vid })
}
