//! Giving leases back in the name of a NIC that is gone (RFC 2131, RFC 8415), so that its addresses are free at once.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};

use corten_host::netlink::mac::Mac;

use crate::bridge::plan::Plan;
use crate::dnsmasq::hosts::Host;
use crate::error::{Error, Result};
use crate::lease::Lease;
use crate::name::random;

/// Ports of DHCP servers.
const V4_PORT: u16 = 67;
const V6_PORT: u16 = 547;

/// Tells the server of `plan` that `host` needs its leases no more.
///
/// # Errors
/// When the message cannot be sent.
pub fn release(plan: &Plan, leases: &[Lease], host: &Host) -> Result<()> {
    for lease in leases {
        match lease.address {
            IpAddr::V4(address) if lease.mac == Some(host.hwaddr) => {
                let Some(IpAddr::V4(server)) = plan.v4.as_ref().map(|family| family.subnet.address) else { continue };
                send((server, V4_PORT).into(), &v4_message(random()?, host.hwaddr, address, server))?;
            }
            IpAddr::V6(address) if lease.hostname == host.instance => {
                let Some(IpAddr::V6(server)) = plan.v6.as_ref().map(|family| family.subnet.address) else { continue };
                if let Some(message) = v6_message(random()?, lease, address) {
                    send((server, V6_PORT).into(), &message)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

fn send(server: std::net::SocketAddr, message: &[u8]) -> Result<()> {
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let sent = UdpSocket::bind((any, 0)).and_then(|socket| socket.send_to(message, server));
    sent.map(drop).map_err(|error| Error::internal(format!("releasing a DHCP lease at {server}: {error}")))
}

/// A DHCPRELEASE: fixed part of 236 bytes, cookie, then the options message type, server and end.
fn v4_message(transaction: [u8; 4], card: Mac, address: Ipv4Addr, server: Ipv4Addr) -> Vec<u8> {
    let mut message = vec![0; 236];
    message[..4].copy_from_slice(&[1, 1, 6, 0]);
    message[4..8].copy_from_slice(&transaction);
    message[12..16].copy_from_slice(&address.octets());
    message[28..34].copy_from_slice(&card.0);
    message.extend([99, 130, 83, 99]);
    message.extend([53, 1, 7, 54, 4]);
    message.extend(server.octets());
    message.push(255);
    message
}

/// A DHCPv6 RELEASE with both identities and the address; none when the file of leases does not have them.
fn v6_message(transaction: [u8; 3], lease: &Lease, address: Ipv6Addr) -> Option<Vec<u8>> {
    let mut message = vec![8];
    message.extend(transaction);
    let iaid: u32 = lease.iaid.parse().ok()?;
    // IA_NA: interface, two times, and within it IAADDR: address and two times.
    let inner = option(5, &[address.octets().as_slice(), &[0; 8]].concat());
    let association = [iaid.to_be_bytes().as_slice(), &[0; 8], &inner].concat();
    for (code, value) in [(2, bytes(lease.server.as_deref()?)?), (1, bytes(&lease.client)?), (3, association)] {
        message.extend(option(code, &value));
    }
    Some(message)
}

fn option(code: u16, value: &[u8]) -> Vec<u8> {
    let length = u16::try_from(value.len()).expect("identities are short");
    [code.to_be_bytes().as_slice(), &length.to_be_bytes(), value].concat()
}

/// Colon-separated hex.
fn bytes(text: &str) -> Option<Vec<u8>> {
    text.split(':').map(|part| u8::from_str_radix(part, 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_their_fields() {
        let card = Mac([0, 0x16, 0x3e, 1, 2, 3]);
        let v4 = v4_message([1, 2, 3, 4], card, [10, 0, 0, 7].into(), [10, 0, 0, 1].into());
        assert_eq!((v4.len(), &v4[12..16], &v4[28..34]), (250, [10, 0, 0, 7].as_slice(), card.0.as_slice()));
        assert_eq!(&v4[240..], [53, 1, 7, 54, 4, 10, 0, 0, 1, 255]);
        let leases = crate::lease::parse("duid 00:01\n1 5 fd42::7 c1 00:02\n");
        let v6 = v6_message([9; 3], &leases[0], "fd42::7".parse().expect("address")).expect("a message");
        assert_eq!(&v6[..16], [8, 9, 9, 9, 0, 2, 0, 2, 0, 1, 0, 1, 0, 2, 0, 2]);
        assert_eq!(&v6[16..30], [0, 3, 0, 40, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0]);
        assert_eq!(v6.len(), 4 + 6 + 6 + 44);
    }
}
