//! The addresses in use on a bridge, as `GET /1.0/networks/NAME/leases` lists them.

use corten_api::network::NetworkLease;

use super::plan::Plan;
use crate::lease::{Lease, LeaseNic};

/// The network's own addresses, configured ones, those that guests make themselves, then those that dnsmasq gave.
pub(super) fn list(
    plan: &Plan,
    given: &[Lease],
    nics: &[LeaseNic],
    gateway: bool,
    location: &str,
) -> Vec<NetworkLease> {
    let mut leases = Vec::new();
    if gateway {
        leases.extend(plan.families().map(|family| NetworkLease {
            hostname: format!("{}.gw", plan.name),
            address: family.subnet.address.to_string(),
            r#type: "gateway".into(),
            ..NetworkLease::default()
        }));
    }
    leases.extend(nics.iter().flat_map(|nic| of_nic(plan, nic)));
    for lease in given {
        let mac = lease.mac.map(|mac| mac.to_string()).unwrap_or_default();
        let address = lease.address.to_string();
        if leases.iter().any(|known| known.hwaddr == mac && known.address == address) {
            continue;
        }
        // Who holds an IPv6 address is not certain enough to say it, and so neither to leave the lease out.
        let hwaddr = if lease.address.is_ipv6() { String::new() } else { mac };
        let is_known = nics.iter().any(|nic| nic.hwaddr.is_some() && nic.hwaddr == lease.mac);
        if !hwaddr.is_empty() && !is_known {
            continue;
        }
        leases.push(NetworkLease {
            hostname: lease.hostname.clone(),
            hwaddr,
            address,
            r#type: "dynamic".into(),
            location: location.to_string(),
        });
    }
    leases
}

fn of_nic(plan: &Plan, nic: &LeaseNic) -> Vec<NetworkLease> {
    let lease = |address: String, kind: &str| NetworkLease {
        hostname: nic.hostname.clone(),
        hwaddr: nic.hwaddr.map(|mac| mac.to_string()).unwrap_or_default(),
        address,
        r#type: kind.to_string(),
        location: nic.location.clone(),
    };
    let stateless = plan.v6.as_ref().filter(|family| !family.stateful);
    let made = stateless.zip(nic.hwaddr).and_then(|(family, mac)| family.subnet.eui64(mac));
    let configured = nic.v4.map(|ip| ip.to_string()).into_iter().chain(nic.v6.map(|ip| ip.to_string()));
    configured.map(|ip| lease(ip, "static")).chain(made.map(|ip| lease(ip.to_string(), "dynamic"))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;
    use crate::lease::parse;

    #[test]
    fn each_address_is_listed_once_and_strangers_not() {
        let config =
            Config::from([("ipv4.address".into(), "10.0.0.1/24".into()), ("ipv6.address".into(), "fd42::1/64".into())]);
        let plan = Plan::of("br0", &config).expect("a plan");
        let nic = LeaseNic {
            hostname: "c1".into(),
            hwaddr: "00:16:3e:00:00:01".parse().ok(),
            v4: "10.0.0.9".parse().ok(),
            v6: None,
            location: "none".into(),
        };
        let given = parse(
            "1 00:16:3e:00:00:01 10.0.0.9 c1 *\n1 00:16:3e:00:00:01 10.0.0.33 c1 *\n1 00:16:3e:00:00:02 10.0.0.34 x *\n\
             1 7 fd42::5 c1 00:01:00:16:3e:00:00:02\n",
        );
        let found: Vec<String> = list(&plan, &given, &[nic], true, "here")
            .iter()
            .map(|lease| {
                format!("{} {} {} {} {}", lease.hostname, lease.hwaddr, lease.address, lease.r#type, lease.location)
            })
            .collect();
        assert_eq!(
            found,
            [
                "br0.gw  10.0.0.1 gateway ",
                "br0.gw  fd42::1 gateway ",
                "c1 00:16:3e:00:00:01 10.0.0.9 static none",
                "c1 00:16:3e:00:00:01 fd42::216:3eff:fe00:1 dynamic none",
                "c1 00:16:3e:00:00:01 10.0.0.33 dynamic here",
                "c1  fd42::5 dynamic here",
            ]
        );
    }
}
