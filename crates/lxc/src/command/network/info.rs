//! `lxc network info`: what an interface does at the moment.

use std::fmt::Write;

use corten_api::error::Result;
use corten_api::network::NetworkState;

use super::OfNetwork;
use crate::arguments::Arguments;
use crate::commands::Command;
use crate::entity::{self, Entity};
use crate::session::Session;
use crate::{byte_size, printer, run};

/// `info`.
pub static INFO: Command = Command {
    name: "info",
    usage: "[<remote>:]<network>",
    about: "Get runtime information on networks",
    flags: &[entity::TARGET],
    words: (1, Some(1)),
    run: run!(info),
    ..Command::EMPTY
};

async fn info(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = OfNetwork::place(session, arguments).await?;
    let server = entity::at_cluster_target(place.server, arguments).await?;
    let state: NetworkState = server.get(&format!("{}/state", place.path)).await?;
    printer::print(&summary(&place.name, &state));
    Ok(())
}

/// The text of `info`.
fn summary(name: &str, state: &NetworkState) -> String {
    let mut out = Lines(String::new());
    out.line("Name", name).line("MAC address", &state.hwaddr).line("MTU", state.mtu);
    out.line("State", &state.state).line("Type", &state.r#type);
    if !state.addresses.is_empty() {
        out.head("IP addresses");
        for address in &state.addresses {
            let _ =
                writeln!(out.0, "  {}\t{}/{} ({})", address.family, address.address, address.netmask, address.scope);
        }
    }
    let counters = &state.counters;
    out.head("Network usage")
        .fact("Bytes received", byte_size::decimal(counters.bytes_received))
        .fact("Bytes sent", byte_size::decimal(counters.bytes_sent))
        .fact("Packets received", counters.packets_received)
        .fact("Packets sent", counters.packets_sent);
    if let Some(bond) = &state.bond {
        out.head("Bond")
            .fact("Mode", &bond.mode)
            .fact("Transmit policy", &bond.transmit_policy)
            .fact("Up delay", bond.up_delay)
            .fact("Down delay", bond.down_delay)
            .fact("MII Frequency", bond.mii_frequency)
            .fact("MII state", &bond.mii_state)
            .fact("Lower devices", bond.lower_devices.join(", "));
    }
    if let Some(bridge) = &state.bridge {
        out.head("Bridge")
            .fact("ID", &bridge.id)
            .fact("STP", bridge.stp)
            .fact("Forward delay", bridge.forward_delay)
            .fact("Default VLAN ID", bridge.vlan_default)
            .fact("VLAN filtering", bridge.vlan_filtering)
            .fact("Upper devices", bridge.upper_devices.join(", "));
    }
    if let Some(vlan) = &state.vlan {
        out.head("VLAN").fact("Lower device", &vlan.lower_device).fact("VLAN ID", vlan.vid);
    }
    if let Some(ovn) = &state.ovn {
        out.head("OVN").fact("Chassis", &ovn.chassis);
    }
    out.0
}

struct Lines(String);

impl Lines {
    fn line(&mut self, name: &str, value: impl std::fmt::Display) -> &mut Lines {
        let _ = writeln!(self.0, "{name}: {value}");
        self
    }

    fn head(&mut self, title: &str) -> &mut Lines {
        let _ = writeln!(self.0, "\n{title}:");
        self
    }

    fn fact(&mut self, name: &str, value: impl std::fmt::Display) -> &mut Lines {
        let _ = writeln!(self.0, "  {name}: {value}");
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bridge_is_shown_as_lxd_shows_it() {
        let state: NetworkState = serde_json::from_value(serde_json::json!({
            "addresses": [{"family": "inet", "address": "10.0.0.1", "netmask": "24", "scope": "global"}],
            "counters": {"bytes_received": 1500, "bytes_sent": 20, "packets_received": 3, "packets_sent": 1},
            "hwaddr": "00:16:3e:00:00:01", "mtu": 1500, "state": "up", "type": "broadcast", "bond": null,
            "bridge": {"id": "8000.00163e000001", "stp": false, "forward_delay": 1500, "vlan_default": 1,
                "vlan_filtering": true, "upper_devices": ["veth1", "veth2"]}, "vlan": null, "ovn": null
        }))
        .unwrap();
        let expected = "\
Name: lxdbr0
MAC address: 00:16:3e:00:00:01
MTU: 1500
State: up
Type: broadcast

IP addresses:
  inet\t10.0.0.1/24 (global)

Network usage:
  Bytes received: 1.50kB
  Bytes sent: 20B
  Packets received: 3
  Packets sent: 1

Bridge:
  ID: 8000.00163e000001
  STP: false
  Forward delay: 1500
  Default VLAN ID: 1
  VLAN filtering: true
  Upper devices: veth1, veth2
";
        assert_eq!(summary("lxdbr0", &state), expected);
    }
}
