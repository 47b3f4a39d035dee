//! dnsmasq's file of leases.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use corten_host::netlink::mac::Mac;

/// An address that dnsmasq has given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The address.
    pub address: IpAddr,
    /// Whose it is, as far as the file tells.
    pub mac: Option<Mac>,
    /// What the guest, or its instance, is called; `*` when nobody said.
    pub hostname: String,
    /// For IPv6, the number of the guest's interface (`T` before it: temporary).
    pub iaid: String,
    /// The guest's DHCP identity.
    pub client: String,
    /// The server's DHCPv6 identity, from the head of the IPv6 part.
    pub server: Option<String>,
}

/// A NIC of an instance, for the list of leases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseNic {
    /// The instance's name.
    pub hostname: String,
    /// Its hardware address.
    pub hwaddr: Option<Mac>,
    /// Its configured IPv4 address.
    pub v4: Option<Ipv4Addr>,
    /// Its configured IPv6 address.
    pub v6: Option<Ipv6Addr>,
    /// The cluster member that runs it.
    pub location: String,
}

/// Reads the lines `EXPIRY MAC-OR-IAID ADDRESS NAME CLIENT`; others are skipped, but for the server's `duid ID`.
pub fn parse(text: &str) -> Vec<Lease> {
    let mut server = None;
    let mut leases = Vec::new();
    for line in text.lines() {
        match line.split_whitespace().collect::<Vec<_>>()[..] {
            ["duid", id] => server = Some(id.to_string()),
            [_, card, address, hostname, client, ..] => {
                let Ok(address) = address.parse::<IpAddr>() else { continue };
                leases.push(Lease {
                    address,
                    mac: card.parse().ok().or_else(|| at_end_of(client)),
                    hostname: hostname.to_string(),
                    iaid: card.to_string(),
                    client: client.to_string(),
                    server: server.clone().filter(|_| address.is_ipv6()),
                });
            }
            _ => {}
        }
    }
    leases
}

/// The hardware address that ends most DHCPv6 identities.
fn at_end_of(client: &str) -> Option<Mac> {
    client.get(client.len().checked_sub(17)?..)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_families_are_read() {
        let text = "1700000000 00:16:3e:01:02:03 10.0.0.7 c1 ff:12:34\n\
                    duid 00:01:00:01:2a\n\
                    1700000000 1042890754 fd42::7 c2 00:01:00:01:2c:00:16:3e:01:02:04\n\
                    1700000000 5 fd42::8 * 00:02\n\
                    rubbish\n";
        let leases = parse(text);
        assert_eq!(leases.len(), 3);
        assert_eq!((leases[0].mac, leases[0].server.as_deref()), (Some(Mac([0, 0x16, 0x3e, 1, 2, 3])), None));
        assert_eq!(leases[1].mac, Some(Mac([0, 0x16, 0x3e, 1, 2, 4])));
        assert_eq!((leases[1].server.as_deref(), leases[1].iaid.as_str()), (Some("00:01:00:01:2a"), "1042890754"));
        assert_eq!(leases[2].mac, None);
    }
}
