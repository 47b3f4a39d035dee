//! What a forward may say. Pure.

use std::collections::BTreeSet;
use std::net::IpAddr;

use corten_api::error::{Error, Result};
use corten_api::network_forward::NetworkForwardPut;
use corten_instance::instance::Config;
use corten_network::subnet::Subnet;

/// Brings texts into the form in which they are kept: no spaces around, addresses as short as they can be.
pub fn normalise(put: &mut NetworkForwardPut) {
    let address = |text: &str| {
        let text = text.trim();
        text.parse::<IpAddr>().map_or_else(|_| text.to_string(), |address| address.to_string())
    };
    let list = |text: &str| text.split(',').map(str::trim).collect::<Vec<_>>().join(",");
    put.description = put.description.trim().to_string();
    if let Some(target) = put.config.get_mut("target_address") {
        *target = address(target);
    }
    for port in &mut put.ports {
        port.description = port.description.trim().to_string();
        port.protocol = port.protocol.trim().to_string();
        port.target_address = address(&port.target_address);
        port.listen_port = list(&port.listen_port);
        port.target_port = list(&port.target_port);
    }
}

/// The first and the last port of each part of a list such as `80-82,443`, or why it is none, in LXD's words.
pub fn port_ranges(text: &str) -> impl Iterator<Item = Result<(u16, u16), String>> {
    let number = |text: &str| text.parse::<u16>().map_err(|_| format!("Invalid port number {text:?}"));
    text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(move |part| {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (number(first)?, number(last)?);
        if first > last || (part.contains('-') && first == last) {
            return Err(format!("End port must be higher than start port in {part:?}"));
        }
        Ok((first, last))
    })
}

/// The ports of a list such as `80-82,443`.
///
/// # Errors
/// Why it is none, in LXD's words.
pub fn ports(text: &str) -> Result<Vec<u16>, String> {
    let mut ports = Vec::new();
    for range in port_ranges(text) {
        let (first, last) = range?;
        ports.extend(first..=last);
        // There are no more; what is named again and again would only fill memory.
        if ports.len() > 65_536 {
            return Err("Too many ports".to_string());
        }
    }
    Ok(ports)
}

/// Checks a forward of the address `listen` on a network with these keys.
///
/// # Errors
/// In LXD's words.
pub fn check(network: &Config, listen: IpAddr, put: &NetworkForwardPut) -> Result<()> {
    let refuse = |what: String| Err(Error::internal(what));
    let key = if listen.is_ipv4() { "ipv4.address" } else { "ipv6.address" };
    let subnet = network.get(key).and_then(|text| text.parse::<Subnet>().ok()).map(|subnet| subnet.network());
    let outside = |target: IpAddr| subnet.is_some_and(|subnet| !subnet.contains(target));
    if let Some(key) = put.config.keys().find(|key| *key != "target_address" && !key.starts_with("user.")) {
        return refuse(format!("Invalid option {key:?}"));
    }
    let mut default = None;
    if let Some(target) = put.config.get("target_address").filter(|target| !target.is_empty()) {
        let Ok(target) = target.parse::<IpAddr>() else { return refuse("Invalid default target address".into()) };
        if target.is_ipv4() != listen.is_ipv4() {
            return refuse("Cannot mix IP versions in listen address and default target address".into());
        }
        if outside(target) {
            return refuse("Default target address is not within the network subnet".into());
        }
        default = Some(target);
    }
    let mut taken = BTreeSet::new();
    for (at, port) in put.ports.iter().enumerate() {
        if !matches!(port.protocol.as_str(), "tcp" | "udp") {
            return refuse(format!(
                "Invalid port protocol in port specification {at}, protocol must be one of: tcp, udp"
            ));
        }
        let Ok(target) = port.target_address.parse::<IpAddr>() else {
            return refuse(format!("Invalid target address in port specification {at}"));
        };
        if Some(target) == default {
            return refuse(format!("Target address is same as default target address in port specification {at}"));
        }
        if target.is_ipv4() != listen.is_ipv4() {
            return refuse(format!(
                "Cannot mix IP versions in listen address and port specification {at} target address"
            ));
        }
        if outside(target) {
            return refuse(format!("Target address is not within the network subnet in port specification {at}"));
        }
        let listening = ports(&port.listen_port)
            .map_err(|why| Error::internal(format!("Invalid listen port in port specification {at}: {why}")))?;
        if listening.is_empty() {
            return refuse(format!("Missing listen port in port specification {at}"));
        }
        for number in &listening {
            if !taken.insert((port.protocol.clone(), *number)) {
                let protocol = &port.protocol;
                return refuse(format!(
                    "Duplicate listen port {number} for protocol {protocol:?} in port specification {at}"
                ));
            }
        }
        let Ok(targets) = ports(&port.target_port) else {
            return refuse(format!("Invalid target port in port specification {at}"));
        };
        if targets.len() > 1 && targets.len() != listening.len() {
            return refuse(format!("Mismatch of listen port(s) and target port(s) count in port specification {at}"));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use corten_api::network_forward::NetworkForwardPort;

    fn port(protocol: &str, listen: &str, address: &str, target: &str) -> NetworkForwardPort {
        NetworkForwardPort {
            description: String::new(),
            protocol: protocol.into(),
            listen_port: listen.into(),
            target_port: target.into(),
            target_address: address.into(),
        }
    }

    #[test]
    fn forwards_are_right_or_refused() {
        let network = Config::from([("ipv4.address".to_string(), "192.0.2.1/24".to_string())]);
        let listen: IpAddr = "198.51.100.1".parse().expect("an address");
        let words = |target: &str, ports: Vec<NetworkForwardPort>| {
            let config = Config::from([("target_address".to_string(), target.to_string())]);
            let mut put = NetworkForwardPut { description: String::new(), config, ports };
            normalise(&mut put);
            check(&network, listen, &put).err().map(|error| error.message)
        };
        assert_eq!(words("", vec![]), None);
        assert_eq!(
            words("192.0.2.2", vec![port("tcp", "80, 81", "192.0.2.3", ""), port("udp", "80", "192.0.2.3", "90")]),
            None
        );
        assert_eq!(words("", vec![port("tcp", "82-83,84", "192.0.2.3", "90,91-92")]), None);
        let cases = [
            ("x", vec![], "Invalid default target address"),
            ("fd00::1", vec![], "Cannot mix IP versions in listen address and default target address"),
            ("10.0.0.1", vec![], "Default target address is not within the network subnet"),
            (
                "192.0.2.2",
                vec![port("tcp", "80", "192.0.2.2", "")],
                "Target address is same as default target address in port specification 0",
            ),
            (
                "",
                vec![port("icmp", "80", "192.0.2.2", "")],
                "Invalid port protocol in port specification 0, protocol must be one of: tcp, udp",
            ),
            ("", vec![port("tcp", "", "192.0.2.2", "")], "Missing listen port in port specification 0"),
            (
                "",
                vec![port("tcp", "80", "192.0.2.2", "80-81")],
                "Mismatch of listen port(s) and target port(s) count in port specification 0",
            ),
            (
                "",
                vec![port("tcp", "80-81", "192.0.2.2", ""), port("tcp", "81", "192.0.2.3", "")],
                "Duplicate listen port 81 for protocol \"tcp\" in port specification 1",
            ),
        ];
        for (target, ports, expected) in cases {
            assert_eq!(words(target, ports.clone()).as_deref(), Some(expected), "{target} {ports:?}");
        }
    }
}
