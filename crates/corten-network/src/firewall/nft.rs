//! Rules as text for `nft -f -`: one table `lxd` for each family, chains called after their network or port.
//!
//! A chain is replaced by adding it (so that it is there), emptying and deleting it, and writing it anew, all in one
//! transaction: the packets in between see either the old or the new one.

use std::fmt::Write as _;
use std::net::IpAddr;

use super::forward::Forward;
use super::{NetworkRules, PortRules};
use crate::subnet::Subnet;

/// The chains that a network may have, in the table `inet lxd`.
const NETWORK_CHAINS: [&str; 4] = ["fwd", "pstrt", "in", "out"];
/// The chains that a port may have, in the table `bridge lxd`.
const PORT_CHAINS: [&str; 2] = ["in", "fwd"];
/// ICMP types that both sides need: unreachable, time exceeded, parameter problem.
pub(super) const ICMP: &str = "icmp type {3, 11, 12}";
/// ICMPv6 types that guests send: errors, router and neighbour discovery, multicast listeners.
pub(super) const ICMP6_FROM_GUEST: &str = "icmpv6 type {1, 2, 3, 4, 133, 135, 136, 143}";
/// ICMPv6 types that the host sends: as above, with router advertisements, and the pings by which dnsmasq probes.
pub(super) const ICMP6_TO_GUEST: &str = "icmpv6 type {1, 2, 3, 4, 128, 134, 135, 136, 143}";

/// A chain that packets reach by a hook, or by another chain's jump where the hook is empty.
pub(super) struct Chain {
    pub(super) name: String,
    pub(super) hook: &'static str,
    pub(super) rules: Vec<String>,
}

/// The transaction that gives a network exactly these rules.
pub fn network(rules: &NetworkRules) -> String {
    let mut chains = Vec::new();
    let mut add = |prefix: &str, hook, rules: Vec<String>, name: &str| {
        chains.push(Chain { name: chain_name(prefix, name), hook, rules });
    };
    let forward = forward_rules(rules);
    if !forward.is_empty() {
        add("fwd", "type filter hook forward priority 0", forward, &rules.name);
    }
    if !rules.nat.is_empty() {
        add("pstrt", "type nat hook postrouting priority 100", nat_rules(rules), &rules.name);
    }
    if rules.dns {
        let (input, output) = service_rules(rules);
        add("in", "type filter hook input priority 0", input, &rules.name);
        add("out", "type filter hook output priority 0", output, &rules.name);
    }
    clear_network(&rules.name) + &table("inet", &chains)
}

/// The transaction that removes all rules of a network.
pub fn clear_network(name: &str) -> String {
    clear("inet", &NETWORK_CHAINS, name)
}

/// The transaction that gives a port exactly these rules.
pub fn port(rules: &PortRules) -> String {
    let chain = |prefix: &str, hook, to_host| Chain {
        name: chain_name(prefix, &rules.label),
        hook,
        rules: port_rules(rules, to_host),
    };
    let chains = [
        chain("in", "type filter hook input priority -200", true),
        chain("fwd", "type filter hook forward priority -200", false),
    ];
    clear_port(&rules.label) + &table("bridge", &chains)
}

/// The transaction that removes all rules of a port.
pub fn clear_port(label: &str) -> String {
    clear("bridge", &PORT_CHAINS, label)
}

/// The transaction that drops what comes from `host_name` with an address that is not routed back there.
pub fn reverse_path(label: &str, host_name: &str) -> String {
    let chain = Chain {
        name: chain_name("prert", label),
        hook: "type filter hook prerouting priority -300",
        rules: vec![format!("iif \"{host_name}\" fib saddr . iif oif missing drop")],
    };
    clear_reverse_path(label) + &table("inet", &[chain])
}

/// The transaction that takes back [`reverse_path`].
pub fn clear_reverse_path(label: &str) -> String {
    clear("inet", &["prert"], label)
}

/// The chains that forwards may have, in the table `inet lxd`; those of networks begin with `fwd`.
const FORWARD_CHAINS: [(&str, &str); 3] = [
    ("prert", "type nat hook prerouting priority -100"),
    ("out", "type nat hook output priority -100"),
    ("pstrt", "type nat hook postrouting priority 100"),
];

/// The transaction that makes these the forwards of `label`, those for ports before those for everything.
pub fn forwards(kind: &str, label: &str, forwards: &[Forward]) -> String {
    let (ports, everything): (Vec<&Forward>, Vec<&Forward>) =
        forwards.iter().partition(|forward| !forward.listen_ports.is_empty());
    let ordered: Vec<&Forward> = ports.into_iter().chain(everything).collect();
    // As in LXD: a proxy's ports share rules where they can, a network's have one each.
    let joined = kind.is_empty();
    let chains = FORWARD_CHAINS.map(|(prefix, hook)| {
        let rules = if prefix == "pstrt" { hairpin_rules } else { translations };
        let rules = ordered.iter().flat_map(|forward| rules(forward, joined)).collect();
        Chain { name: chain_name(&format!("{kind}{prefix}"), label), hook, rules }
    });
    clear_forwards(kind, label) + &table("inet", &chains)
}

/// The transaction that takes back [`forwards`].
pub fn clear_forwards(kind: &str, label: &str) -> String {
    let prefixes = FORWARD_CHAINS.map(|(prefix, _)| format!("{kind}{prefix}"));
    clear("inet", &prefixes.each_ref().map(String::as_str), label)
}

fn ip(address: IpAddr) -> &'static str {
    if address.is_ipv4() { "ip" } else { "ip6" }
}

pub(super) fn range((first, last): (u16, u16)) -> String {
    if first == last { first.to_string() } else { format!("{first}-{last}") }
}

/// What is asked of the listening address goes to the target.
fn translations(forward: &Forward, joined: bool) -> Vec<String> {
    let (ip, listen) = (ip(forward.listen), forward.listen);
    let bare = match forward.target {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    };
    let Some(protocol) = forward.protocol else { return vec![format!("{ip} daddr {listen} dnat to {bare}")] };
    let rule = |step: super::forward::Step| {
        let to = step.to.map_or_else(|| bare.clone(), |port| format!("{bare}:{port}"));
        format!("{ip} daddr {listen} {protocol} dport {} dnat to {to}", range(step.ports))
    };
    forward.steps(joined).into_iter().map(rule).collect()
}

/// A target that asks for the listening address gets its own connection back as if it came from the host.
fn hairpin_rules(forward: &Forward, joined: bool) -> Vec<String> {
    let (ip, target) = (ip(forward.target), forward.target);
    let from_itself = format!("{ip} saddr {target} {ip} daddr {target}");
    let Some(protocol) = forward.protocol else { return vec![format!("{from_itself} masquerade")] };
    let rule = |ports| format!("{from_itself} {protocol} dport {} masquerade", range(ports));
    forward.target_ranges(joined).into_iter().map(rule).collect()
}

/// A chain's name. What nft does not take in a name (a device may be called `a:b`, a project nearly anything) becomes a
/// slash and its code in hex, so that no name of a user is ever read as a rule.
pub(super) fn chain_name(prefix: &str, label: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    let mut name = format!("{prefix}.");
    for byte in label.bytes() {
        if plain(byte) { name.push(char::from(byte)) } else { name += &format!("/{byte:02x}") }
    }
    name
}

pub(super) fn clear(family: &str, prefixes: &[&str], name: &str) -> String {
    let mut text = format!("add table {family} lxd\n");
    for chain in prefixes.iter().map(|prefix| chain_name(prefix, name)) {
        for verb in ["add", "flush", "delete"] {
            text += &format!("{verb} chain {family} lxd {chain}\n");
        }
    }
    text
}

pub(super) fn table(family: &str, chains: &[Chain]) -> String {
    if chains.is_empty() {
        return String::new();
    }
    let mut text = format!("table {family} lxd {{\n");
    for Chain { name, hook, rules } in chains {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\tchain {name} {{");
        if !hook.is_empty() {
            let _ = writeln!(text, "\t\t{hook}; policy accept;");
        }
        for rule in rules {
            let _ = writeln!(text, "\t\t{rule}");
        }
        text += "\t}\n";
    }
    text + "}\n"
}

fn forward_rules(rules: &NetworkRules) -> Vec<String> {
    let name = &rules.name;
    let mut lines = Vec::new();
    for (version, allowed) in [("ip version 4", rules.forward_v4), ("ip6 version 6", rules.forward_v6)] {
        if let Some(allowed) = allowed {
            let action = if allowed { "accept" } else { "reject" };
            lines.extend(["oifname", "iifname"].map(|side| format!("{version} {side} \"{name}\" {action}")));
        }
    }
    lines
}

fn nat_rules(rules: &NetworkRules) -> Vec<String> {
    let rule = |(subnet, nat): &(Subnet, crate::bridge::plan::Nat)| {
        let ip = family(subnet);
        let action = nat.address.map_or_else(|| "masquerade".to_string(), |address| format!("snat {address}"));
        format!("{ip} saddr {subnet} {ip} daddr != {subnet} {action}")
    };
    rules.nat.iter().map(rule).collect()
}

/// What guests may ask of the host, and the host answer, whatever else its firewall says.
fn service_rules(rules: &NetworkRules) -> (Vec<String>, Vec<String>) {
    let (from, to) = (format!("iifname \"{}\"", rules.name), format!("oifname \"{}\"", rules.name));
    let mut input = vec![format!("{from} tcp dport 53 accept"), format!("{from} udp dport 53 accept")];
    let mut output = vec![format!("{to} tcp sport 53 accept"), format!("{to} udp sport 53 accept")];
    if rules.dhcp_v4 {
        input.extend([format!("{from} {ICMP} accept"), format!("{from} udp dport 67 accept")]);
        output.extend([format!("{to} {ICMP} accept"), format!("{to} udp sport 67 accept")]);
    }
    if rules.dhcp_v6 {
        input.extend([format!("{from} {ICMP6_FROM_GUEST} accept"), format!("{from} udp dport 547 accept")]);
        output.extend([format!("{to} {ICMP6_TO_GUEST} accept"), format!("{to} udp sport 547 accept")]);
    }
    (input, output)
}

/// What a port may not send: to the host itself (`to_host`), or on to other ports.
fn port_rules(rules: &PortRules, to_host: bool) -> Vec<String> {
    let from = format!("iifname \"{}\"", rules.host_name);
    let mac = rules.hwaddr;
    let mac_hex: String = mac.0.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut lines = vec![
        format!("{from} ether saddr != {mac} drop"),
        format!("{from} ether type arp arp saddr ether != {mac} drop"),
        // The target link-layer address option of a neighbour advertisement.
        format!("{from} ether type ip6 icmpv6 type 136 @nh,528,48 != 0x{mac_hex} drop"),
    ];
    if let Some(networks) = &rules.v4 {
        lines.extend(v4_rules(&from, networks, to_host));
    }
    if let Some(networks) = &rules.v6 {
        lines.extend(v6_rules(&from, networks, to_host));
    }
    let some = |networks: &Option<Vec<Subnet>>| networks.as_ref().is_some_and(|networks| !networks.is_empty());
    if some(&rules.v4) || some(&rules.v6) {
        lines.push(format!("{from} ether type != {{arp, ip, ip6}} drop"));
    }
    lines
}

fn v4_rules(from: &str, networks: &[Subnet], to_host: bool) -> Vec<String> {
    let mut lines = Vec::new();
    if to_host && !networks.is_empty() {
        // Asking for a lease before there is an address.
        lines.push(format!("{from} ether type ip ip saddr 0.0.0.0 ip daddr 255.255.255.255 udp dport 67 accept"));
    }
    for network in networks {
        lines.push(format!("{from} ether type arp arp saddr ip {network} accept"));
        lines.push(format!("{from} ether type ip ip saddr {network} accept"));
    }
    lines.extend(["arp", "ip"].map(|kind| format!("{from} ether type {kind} drop")));
    lines
}

fn v6_rules(from: &str, networks: &[Subnet], to_host: bool) -> Vec<String> {
    let from = format!("{from} ether type ip6");
    let mut lines = Vec::new();
    if !networks.is_empty() {
        if to_host {
            // Asking for a lease or a router by the link's own address.
            lines.push(format!("{from} ip6 saddr fe80::/10 ip6 daddr ff02::1:2 udp dport 547 accept"));
            lines.push(format!("{from} ip6 saddr fe80::/10 ip6 daddr ff02::2 icmpv6 type 133 accept"));
        }
        lines.push(format!("{from} icmpv6 type 134 drop"));
    }
    for network in networks {
        // The target address of a neighbour advertisement begins with the network's bits.
        lines.push(format!("{from} icmpv6 type 136 @nh,384,{} 0x{} accept", network.prefix, prefix_hex(network)));
        lines.push(format!("{from} ip6 saddr {network} accept"));
    }
    lines.push(format!("{from} drop"));
    lines
}

/// The network's bits as a number in hex.
fn prefix_hex(network: &Subnet) -> String {
    let bits =
        crate::subnet::number(network.network().address).checked_shr(u32::from(128 - network.prefix)).unwrap_or(0);
    let digits = usize::from(network.prefix).div_ceil(4).max(1);
    format!("{bits:0digits$x}")
}

fn family(subnet: &Subnet) -> &'static str {
    match subnet.address {
        IpAddr::V4(_) => "ip",
        IpAddr::V6(_) => "ip6",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::plan::Plan;
    use crate::config::Config;
    use corten_host::netlink::mac::Mac;

    fn rules(pairs: &[(&str, &str)]) -> NetworkRules {
        let config: Config = pairs.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect();
        NetworkRules::of(&Plan::of("lxdbr0", &config).expect("a plan"))
    }

    #[test]
    fn rules_of_networks_are_as_agreed() {
        for (name, pairs) in [
            (
                "default",
                [
                    ("ipv4.address", "10.0.3.1/24"),
                    ("ipv4.nat", "true"),
                    ("ipv6.address", "fd42::1/64"),
                    ("ipv6.nat", "true"),
                ]
                .as_slice(),
            ),
            (
                "closed",
                [
                    ("ipv4.address", "10.0.3.1/24"),
                    ("ipv4.routing", "false"),
                    ("ipv4.dhcp", "false"),
                    ("ipv6.address", "fd42::1/64"),
                    ("ipv6.firewall", "false"),
                ]
                .as_slice(),
            ),
            (
                "snat",
                [
                    ("ipv4.address", "10.0.3.1/24"),
                    ("ipv4.firewall", "false"),
                    ("ipv4.nat", "true"),
                    ("ipv4.nat.address", "192.0.2.7"),
                ]
                .as_slice(),
            ),
            ("none", [].as_slice()),
        ] {
            crate::golden::check(&format!("nft-network-{name}.txt"), &network(&rules(pairs)));
        }
        assert!(rules(&[]).is_empty());
    }

    #[test]
    fn rules_of_ports_are_as_agreed() {
        let nets = |texts: &[&str]| Some(texts.iter().map(|text| text.parse().expect("a subnet")).collect());
        for (name, v4, v6) in [
            ("mac", None, None),
            ("addresses", nets(&["10.0.3.7/32", "192.0.2.0/24"]), nets(&["fd42::7/128", "2001:db8::/33"])),
            ("nothing", nets(&[]), nets(&[])),
        ] {
            let rules = PortRules {
                label: "c1.eth0".into(),
                host_name: "veth01234567".into(),
                hwaddr: Mac([0, 0x16, 0x3e, 1, 2, 3]),
                v4,
                v6,
            };
            crate::golden::check(&format!("nft-port-{name}.txt"), &port(&rules));
        }
    }

    #[test]
    fn rules_of_forwards_are_as_agreed() {
        let forward = |protocol, listen: &str, listen_ports: &[u16], target: &str, target_ports: &[u16]| Forward {
            protocol,
            listen: listen.parse().expect("an address"),
            listen_ports: listen_ports.to_vec(),
            target: target.parse().expect("an address"),
            target_ports: target_ports.to_vec(),
        };
        let all = [
            forward(None, "192.0.2.1", &[], "10.0.3.2", &[]),
            forward(Some("tcp"), "192.0.2.1", &[80, 81], "10.0.3.2", &[8080]),
            forward(Some("udp"), "192.0.2.1", &[53], "10.0.3.3", &[]),
            forward(Some("tcp"), "2001:db8::1", &[80, 81], "fd42::2", &[80, 81]),
            forward(Some("tcp"), "2001:db8::1", &[443], "fd42::2", &[8443]),
        ];
        crate::golden::check("nft-forwards.txt", &forwards("fwd", "lxdbr0", &all));
        crate::golden::check("nft-proxy.txt", &forwards("", "c1.web", &all[1..2]));
    }

    #[test]
    fn names_cannot_become_rules() {
        assert_eq!(chain_name("in", "p_c-1.eth0"), "in.p_c-1.eth0");
        assert_eq!(chain_name("in", "c1.a:b/c"), "in.c1.a/3ab/2fc");
        assert_eq!(chain_name("in", "x;\nflush"), "in.x/3b/0aflush");
    }

    #[test]
    fn prefixes_are_numbers_of_their_bits() {
        for (network, hex) in [
            ("fd42::7/128", "fd420000000000000000000000000007"),
            ("2001:db8::/32", "20010db8"),
            ("2001:db8:8000::/33", "040021b71"),
        ] {
            assert_eq!(prefix_hex(&network.parse().expect("a subnet")), hex, "{network}");
        }
    }
}
