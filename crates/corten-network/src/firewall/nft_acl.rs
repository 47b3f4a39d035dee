//! Access lists as text for `nft -f -`: three chains on the packets' ways lead to one with the rules.

use super::acl::{Action, Direction, Protocol, Rule, Subject};
use super::nft::{Chain, ICMP, ICMP6_FROM_GUEST, ICMP6_TO_GUEST, chain_name, clear, table};

/// The chains of a network's access lists, in the table `inet lxd`; those that lead to the last are cleared before it.
const CHAINS: [&str; 4] = ["aclin", "aclout", "aclfwd", "acl"];

/// The two families of addresses, by what nft calls them.
const FAMILIES: [(&str, bool); 2] = [("ip", true), ("ip6", false)];

/// The transaction that makes these the access rules of a network.
pub fn network(name: &str, rules: &[Rule]) -> String {
    let own = chain_name("acl", name);
    let (from, to) = (format!("iifname \"{name}\""), format!("oifname \"{name}\""));
    let mut lines = vec!["ct state established,related accept".to_string()];
    lines.extend(rules.iter().flat_map(|rule| rule_lines(rule, name)));
    // Without these services of the host no guest would have an address or a name, whatever the lists say.
    let input = ["tcp dport 53", "udp dport 53", "udp dport 67", "udp dport 547", ICMP, ICMP6_FROM_GUEST]
        .map(|service| format!("{from} {service} accept"));
    let output =
        ["udp sport 67", "udp sport 547", ICMP, ICMP6_TO_GUEST].map(|service| format!("{to} {service} accept"));
    let on = |prefix, hook, mut rules: Vec<String>, sides: &[&String]| {
        rules.extend(sides.iter().map(|side| format!("{side} jump {own}")));
        Chain { name: chain_name(prefix, name), hook, rules }
    };
    let chains = [
        Chain { name: own.clone(), hook: "", rules: lines },
        on("aclin", "type filter hook input priority 0", input.to_vec(), &[&from]),
        on("aclout", "type filter hook output priority 0", output.to_vec(), &[&to]),
        on("aclfwd", "type filter hook forward priority 0", Vec::new(), &[&from, &to]),
    ];
    clear_network(name) + &table("inet", &chains)
}

/// The transaction that takes the access rules of a network away.
pub fn clear_network(name: &str) -> String {
    clear("inet", &CHAINS, name)
}

/// A rule takes a line, or one for each family that its addresses are of.
fn rule_lines(rule: &Rule, network: &str) -> Vec<String> {
    let side = match rule.direction {
        Direction::Ingress => "oifname",
        Direction::Egress => "iifname",
    };
    let action = match rule.action {
        Action::Allow => "accept",
        Action::Reject => "reject",
        Action::Drop => "drop",
    };
    let line = |addresses: String| {
        let log = rule.log.as_ref().map(|name| format!(" log prefix \"{name} \"")).unwrap_or_default();
        format!("{side} \"{network}\"{addresses}{}{log} {action}", protocol(&rule.protocol))
    };
    if rule.source.is_empty() && rule.destination.is_empty() {
        return vec![line(String::new())];
    }
    let of_family = |(family, v4): (&str, bool)| {
        let mut addresses = String::new();
        for (field, subjects) in [("saddr", &rule.source), ("daddr", &rule.destination)] {
            if !subjects.is_empty() {
                addresses += &format!(" {family} {field} {{{}}}", listed(subjects, v4)?);
            }
        }
        Some(line(addresses))
    };
    FAMILIES.into_iter().filter_map(of_family).collect()
}

/// The subjects of one family; none when there are none.
fn listed(subjects: &[Subject], v4: bool) -> Option<String> {
    let fitting: Vec<String> =
        subjects.iter().filter(|subject| subject.is_ipv4() == v4).map(ToString::to_string).collect();
    (!fitting.is_empty()).then(|| fitting.join(", "))
}

fn protocol(protocol: &Protocol) -> String {
    match protocol {
        Protocol::Any => String::new(),
        Protocol::Ports { name, source, destination } if source.is_empty() && destination.is_empty() => {
            format!(" meta l4proto {name}")
        }
        Protocol::Ports { name, source, destination } => [("sport", source), ("dport", destination)]
            .iter()
            .filter(|(_, ports)| !ports.is_empty())
            .map(|(field, ports)| format!(" {name} {field} {{{}}}", port_list(ports)))
            .collect(),
        Protocol::Icmp { v6, kind, code } => {
            let (family, name) = if *v6 { ("ipv6", "icmpv6") } else { ("ipv4", "icmp") };
            let kind = kind.map(|kind| format!(" {name} type {kind}")).unwrap_or_default();
            let code = code.map(|code| format!(" {name} code {code}")).unwrap_or_default();
            format!(" meta nfproto {family} meta l4proto {name}{kind}{code}")
        }
    }
}

fn port_list(ports: &[(u16, u16)]) -> String {
    let listed: Vec<String> = ports.iter().map(|ports| super::nft::range(*ports)).collect();
    listed.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn access_rules_are_as_agreed() {
        let subjects = |texts: &[&str]| texts.iter().map(|text| text.parse().expect("a subject")).collect::<Vec<_>>();
        let rule = |direction, action, source: &[&str], destination: &[&str], protocol| Rule {
            direction,
            action,
            source: subjects(source),
            destination: subjects(destination),
            protocol,
            log: None,
        };
        let web = Protocol::Ports { name: "tcp", source: vec![], destination: vec![(80, 80), (8000, 8080)] };
        let ping = Protocol::Icmp { v6: false, kind: Some(8), code: Some(0) };
        let both = ["10.0.3.0/24", "192.0.2.1-192.0.2.9", "fd42::/64"];
        let mut rules = vec![
            rule(Direction::Egress, Action::Drop, &[], &both, Protocol::Any),
            rule(Direction::Egress, Action::Reject, &["10.0.3.7"], &["192.0.2.1"], web.clone()),
            rule(Direction::Ingress, Action::Allow, &[], &[], web),
            rule(Direction::Ingress, Action::Allow, &["192.0.2.0/24"], &[], ping),
            rule(Direction::Ingress, Action::Allow, &[], &[], Protocol::Icmp { v6: true, kind: None, code: None }),
            rule(
                Direction::Egress,
                Action::Allow,
                &[],
                &[],
                Protocol::Ports { name: "udp", source: vec![], destination: vec![] },
            ),
            rule(Direction::Egress, Action::Reject, &[], &[], Protocol::Any),
        ];
        rules[6].log = Some("lxdbr0-egress".into());
        crate::golden::check("nft-acl.txt", &network("lxdbr0", &rules));
    }

    #[test]
    fn subjects_are_addresses_networks_and_ranges() {
        for (text, shown) in [
            ("10.0.0.1", "10.0.0.1"),
            ("10.0.0.1/8", "10.0.0.0/8"),
            ("10.0.0.1-10.0.0.9", "10.0.0.1-10.0.0.9"),
            ("fd42::1", "fd42::1"),
        ] {
            assert_eq!(text.parse::<Subject>().expect(text).to_string(), shown);
        }
        for text in ["", "web", "@internal", "10.0.0.1;drop", "10.0.0.1-web"] {
            let error = text.parse::<Subject>().unwrap_err().to_string();
            assert_eq!(error, format!("Unsupported nftables subject {text:?}"));
        }
    }
}
