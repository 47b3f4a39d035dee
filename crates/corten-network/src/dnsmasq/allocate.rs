//! Choosing the addresses of a NIC that may use no others: from what is configured and what is in use.

use std::net::IpAddr;

use corten_host::netlink::mac::Mac;

use crate::bridge::plan::{Family, Plan};
use crate::dnsmasq::hosts::Host;
use crate::error::{Error, Result};
use crate::network::Want;
use crate::subnet::Range;

/// An address in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Allocation {
    /// The address.
    pub address: IpAddr,
    /// The file of hosts that has it; none for a lease.
    pub file: Option<String>,
    /// Whose it is.
    pub mac: Option<Mac>,
}

/// `host` with an address of each family that `want` names and the network hands out. One it has already is kept.
///
/// # Errors
/// When no address is free.
pub fn settle(plan: &Plan, used: &[Allocation], host: &Host, want: Want) -> Result<Host> {
    let mut settled = host.clone();
    if let (true, None, Some(v4)) = (want.v4, host.v4, plan.v4.as_ref().filter(|family| family.dhcp)) {
        settled.v4 = match choose(v4, used, host, false)? {
            IpAddr::V4(address) => Some(address),
            IpAddr::V6(_) => None,
        };
    }
    if let (true, None, Some(v6)) = (want.v6, host.v6, plan.v6.as_ref().filter(|family| family.dhcp)) {
        // Guests that name themselves after their card keep that address.
        settled.v6 = match choose(v6, used, host, !v6.stateful || v6.ranges.is_empty())? {
            IpAddr::V6(address) => Some(address),
            IpAddr::V4(_) => None,
        };
    }
    Ok(settled)
}

fn choose(family: &Family, used: &[Allocation], host: &Host, by_card: bool) -> Result<IpAddr> {
    let file = host.file_name();
    let fits = |address: IpAddr| {
        let in_ranges = family.ranges.is_empty() || family.ranges.iter().any(|range| range.contains(address));
        family.subnet.contains(address) && in_ranges
    };
    let mine = |known: &&Allocation| {
        let by_mac = known.address.is_ipv4() && known.mac == Some(host.hwaddr);
        (known.file.as_ref() == Some(&file) || by_mac) && fits(known.address)
    };
    if let Some(own) = used.iter().find(mine) {
        return Ok(own.address);
    }
    let free =
        |address: &IpAddr| *address != family.subnet.address && !used.iter().any(|known| known.address == *address);
    let card = family.subnet.eui64(host.hwaddr).filter(|_| by_card).map(IpAddr::from);
    if let Some(address) = card.filter(free) {
        return Ok(address);
    }
    let last = if family.subnet.address.is_ipv4() { -2 } else { -1 };
    let whole = [Range { first: family.subnet.host(1), last: family.subnet.host(last) }];
    let ranges: &[Range] = if family.ranges.is_empty() { &whole } else { &family.ranges };
    ranges
        .iter()
        .flat_map(|range| range.addresses())
        .find(free)
        .ok_or_else(|| Error::internal(format!("No available IP could be found in {}", family.subnet.network())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn settled(pairs: &[(&str, &str)], used: &[(&str, Option<&str>, u8)]) -> Result<(String, String)> {
        let config: Config = pairs.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect();
        let host = Host {
            project: "default".into(),
            instance: "c1".into(),
            device: "eth0".into(),
            hwaddr: Mac([0, 0x16, 0x3e, 0, 0, 1]),
            v4: None,
            v6: None,
            keep_v4: true,
            keep_v6: true,
        };
        let used: Vec<Allocation> = used
            .iter()
            .map(|(address, file, mac)| Allocation {
                address: address.parse().expect("an address"),
                file: file.map(String::from),
                mac: Some(Mac([0, 0x16, 0x3e, 0, 0, *mac])),
            })
            .collect();
        let plan = Plan::of("br0", &config).expect("a plan");
        let host = settle(&plan, &used, &host, Want { v4: true, v6: true })?;
        let text = |address: Option<IpAddr>| address.map_or("-".into(), |address| address.to_string());
        Ok((text(host.v4.map(Into::into)), text(host.v6.map(Into::into))))
    }

    #[test]
    fn free_addresses_are_chosen_and_own_ones_kept() {
        let both = [("ipv4.address", "10.0.0.1/24"), ("ipv6.address", "fd42::1/64")];
        let card = "fd42::216:3eff:fe00:1";
        assert_eq!(settled(&both, &[]).expect("chosen"), ("10.0.0.2".into(), card.into()));
        assert_eq!(settled(&both, &[("10.0.0.2", None, 9)]).expect("chosen").0, "10.0.0.3");
        assert_eq!(settled(&both, &[("10.0.0.77", None, 1)]).expect("chosen").0, "10.0.0.77");
        assert_eq!(settled(&both, &[("10.0.0.78", Some("c1.eth0"), 9)]).expect("chosen").0, "10.0.0.78");
        assert_eq!(settled(&both, &[(card, Some("c2.eth0"), 9)]).expect("chosen").1, "fd42::2");
    }

    #[test]
    fn ranges_are_kept_to() {
        let range = [("ipv4.address", "10.0.0.1/24"), ("ipv4.dhcp.ranges", "10.0.0.5-10.0.0.6")];
        assert_eq!(settled(&range, &[("10.0.0.77", None, 1)]).expect("chosen"), ("10.0.0.5".into(), "-".into()));
        let full = [("10.0.0.5", None, 8), ("10.0.0.6", None, 9)];
        assert!(settled(&range, &full).unwrap_err().to_string().starts_with("No available IP"));
        let off = [("ipv4.address", "10.0.0.1/24"), ("ipv4.dhcp", "false")];
        assert_eq!(settled(&off, &[]).expect("nothing to choose").0, "-");
    }
}
