//! The cable between guest and host: a veth pair.

use corten_host::netlink::Socket;
use corten_host::netlink::cable::Cable;
use corten_host::netlink::create::Veth;
use corten_host::undo::Undo;

use super::{Nic, Port};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::name;

/// Bits in one of LXD's units, and how many bits each is (`100Mbit`, `1Gibit`).
const BIT_UNITS: [(&str, u64); 11] = [
    ("Kibit", 1 << 10),
    ("Mibit", 1 << 20),
    ("Gibit", 1 << 30),
    ("Tibit", 1 << 40),
    ("Pibit", 1 << 50),
    ("kbit", 1_000),
    ("Mbit", 1_000_000),
    ("Gbit", 1_000_000_000),
    ("Tbit", 1_000_000_000_000),
    ("Pbit", 1_000_000_000_000_000),
    ("bit", 1),
];

/// What cable the NIC gets. The MTU is `mtu`, or that of the bridge `parent`, of which the host's end will be a port.
pub(super) fn plan(nic: &Nic<'_>, mtu: &str, parent: Option<&str>) -> Result<Cable> {
    let host = match nic.get_or_volatile("host_name") {
        "" => name::random_link("veth")?,
        chosen => chosen.to_string(),
    };
    let mtu = match (mtu, parent) {
        ("", Some(parent)) => {
            let link = Socket::open()?.link(parent);
            Some(link.map_err(|error| Error::from(error).context("Failed to get the parent MTU"))?.mtu)
        }
        ("", None) => None,
        (text, _) => Some(text.parse().map_err(|error| Error::internal(format!("Invalid MTU specified: {error}")))?),
    };
    let hwaddr = match nic.get_or_volatile("hwaddr") {
        "" => None,
        text => Some(text.parse().map_err(|error| Error::internal(format!("Failed to set the MAC address: {error}")))?),
    };
    Ok(Cable { host, bridge: parent.map(String::from), mtu, hwaddr })
}

/// Makes the pair with both ends on the host and switched off; returns the name of the guest's.
pub(super) fn create(cable: &Cable, undo: &mut Undo) -> Result<String> {
    let (host, peer) = (&cable.host, name::random_link("veth")?);
    let name = host.clone();
    undo.step(
        "make a veth pair",
        || {
            let veth = Veth { host, peer: &peer, peer_namespace: None, mtu: cable.mtu, peer_mac: cable.hwaddr };
            Socket::open()?.create_veth(&veth).map_err(|error| {
                Error::from(error).context(format!("Failed to create the veth interfaces {host:?} and {peer:?}"))
            })
        },
        |()| move || delete(&name),
    )?;
    Ok(peer)
}

/// The port of a cable: `link` is the guest's end, where it is made already.
pub(super) fn port(nic: &Nic<'_>, cable: &Cable, link: Option<String>) -> Port {
    Port {
        guest_name: nic.get("name").to_string(),
        host_name: Some(cable.host.clone()),
        hwaddr: nic.get_or_volatile("hwaddr").to_string(),
        remember: Config::from([("host_name".into(), cable.host.clone())]),
        take_back: false,
        cable: link.is_none().then(|| cable.clone()),
        link: link.unwrap_or_default(),
    }
}

/// Limits the rates of the host's end, as the NIC's keys say: what the guest receives leaves by it.
pub(super) fn limit(nic: &Nic<'_>, host: &str) -> Result<()> {
    let rate = |key: &str| -> Result<Option<u64>> {
        match (nic.get("limits.max"), nic.get(key)) {
            ("", "") => Ok(None),
            ("", text) | (text, _) => parse_rate(text).map(Some),
        }
    };
    let (ingress, egress) = (rate("limits.ingress")?, rate("limits.egress")?);
    let socket = Socket::open()?;
    let link =
        socket.link(host).map_err(|_| Error::internal(format!("Unknown or missing host side veth device {host:?}")))?;
    Ok(socket.set_rates(link.index, ingress, egress)?)
}

/// Whether any of the keys about rates is set, on this NIC or that.
pub(super) fn is_limited(nic: &Nic<'_>) -> bool {
    ["limits.ingress", "limits.egress", "limits.max"].iter().any(|key| !nic.get(key).is_empty())
}

/// Bits per second from a number with a unit.
fn parse_rate(text: &str) -> Result<u64> {
    let (number, factor) = BIT_UNITS
        .iter()
        .find_map(|(unit, factor)| text.strip_suffix(unit).map(|number| (number, *factor)))
        .unwrap_or((text, 1));
    let number: u64 = number.trim().parse().map_err(|_| Error::invalid(format!("Invalid value: {text}")))?;
    number.checked_mul(factor).ok_or_else(|| Error::invalid(format!("Invalid value: {text}")))
}

fn delete(name: &str) -> Result<(), String> {
    let delete = || Socket::open()?.delete_link_if_there(name);
    delete().map(drop).map_err(|error: corten_host::netlink::Error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_units() {
        for (text, bits) in [("100Mbit", 100_000_000), ("1Gibit", 1 << 30), ("5", 5), ("7bit", 7), ("64kbit", 64_000)] {
            assert_eq!(parse_rate(text).expect(text), bits);
        }
        assert!(parse_rate("fast").is_err() && parse_rate("100MB").is_err());
    }
}
