//! Whether the rules of an access list say something that can be meant, in LXD's words.

use std::collections::BTreeSet;
use std::net::IpAddr;

use corten_api::error::{Error, Result};
use corten_api::network_acl::{NetworkACLPut, NetworkACLRule};
use corten_config::name;
use corten_network::firewall::acl::{Direction, Subject};

use crate::app::networks::forwards::check::port_ranges;

/// What may become of a packet.
const ACTIONS: [&str; 3] = ["allow", "drop", "reject"];
/// Whether a rule acts, and tells of it.
const STATES: [&str; 3] = ["enabled", "disabled", "logged"];
/// What a rule may be about.
const PROTOCOLS: [&str; 4] = ["icmp4", "icmp6", "tcp", "udp"];
/// The words for all that is of the network, and all that is not, with their short forms.
const EVERYBODY: [&str; 4] = ["@internal", "#internal", "@external", "#external"];

/// The parts of a comma separated list.
pub fn parts(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// Checks a list's name, which must never look like an address or one of the words for everybody.
///
/// # Errors
/// 500 in LXD's words.
pub fn name(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::internal("Name is required"));
    }
    if let Some(first) = name.chars().next().filter(|first| "@%#".contains(*first)) {
        return Err(Error::internal(format!("Name cannot start with reserved character '{first}'")));
    }
    name::check_host(name).map_err(Error::internal)
}

/// Takes spaces out of the rules, so that equal ones are the same text.
pub fn normalise(put: &mut NetworkACLPut) {
    for rule in put.ingress.iter_mut().chain(&mut put.egress) {
        for field in [
            &mut rule.action,
            &mut rule.protocol,
            &mut rule.icmp_type,
            &mut rule.icmp_code,
            &mut rule.description,
            &mut rule.state,
        ] {
            *field = field.trim().to_string();
        }
        for list in [&mut rule.source, &mut rule.destination, &mut rule.source_port, &mut rule.destination_port] {
            *list = list.split(',').map(str::trim).collect::<Vec<_>>().join(",");
        }
    }
}

/// Checks what a list is to be; `lists` are the names that rules may use as subjects.
///
/// # Errors
/// 500 in LXD's words, with the number of the rule.
pub fn check(put: &NetworkACLPut, lists: &BTreeSet<String>) -> Result<()> {
    if let Some(key) = put.config.keys().find(|key| !key.starts_with("user.")) {
        return Err(Error::internal(format!("Invalid config option {key:?}")));
    }
    for (word, direction, rules) in
        [("ingress", Direction::Ingress, &put.ingress), ("egress", Direction::Egress, &put.egress)]
    {
        for (number, one) in rules.iter().enumerate() {
            rule(direction, one, lists)
                .map_err(|error| Error::internal(format!("Invalid {word} rule {number}: {error}")))?;
            if rules.iter().enumerate().any(|(other, twin)| other != number && twin == one) {
                return Err(Error::internal(format!("Duplicate of {word} rule {number}")));
            }
        }
    }
    Ok(())
}

/// Which kinds of subjects a field has.
#[derive(Default)]
struct Kinds {
    name: bool,
    v4: bool,
    v6: bool,
}

fn rule(direction: Direction, rule: &NetworkACLRule, lists: &BTreeSet<String>) -> Result<(), String> {
    one_of("Action", &rule.action, &ACTIONS)?;
    one_of("State", &rule.state, &STATES)?;
    let named = |field: &str| (field == "Source") == (direction == Direction::Ingress);
    let kinds = |field: &str, list: &str| {
        subjects(field, list, named(field), direction, lists).map_err(|why| format!("Invalid {field}: {why}"))
    };
    let (source, destination) = (kinds("Source", &rule.source)?, kinds("Destination", &rule.destination)?);
    let alone = |has: bool, other: bool, named: bool| has && !other && !named;
    if !rule.source.is_empty()
        && !rule.destination.is_empty()
        && (alone(source.v4, destination.v4, destination.name)
            || alone(destination.v4, source.v4, source.name)
            || alone(source.v6, destination.v6, destination.name)
            || alone(destination.v6, source.v6, source.name))
    {
        return Err("Conflicting IP family types used for Source and Destination".into());
    }
    if !rule.protocol.is_empty() {
        one_of("Protocol", &rule.protocol, &PROTOCOLS)?;
    }
    match rule.protocol.as_str() {
        "tcp" | "udp" => transport(rule),
        "icmp4" | "icmp6" => icmp(rule, &source, &destination),
        _ => without_protocol(rule),
    }
}

fn one_of(field: &str, value: &str, valid: &[&str]) -> Result<(), String> {
    if valid.contains(&value) { Ok(()) } else { Err(format!("{field} must be one of: {}", valid.join(", "))) }
}

fn transport(rule: &NetworkACLRule) -> Result<(), String> {
    if !rule.icmp_type.is_empty() {
        return Err("ICMP type cannot be used with non-ICMP protocol".into());
    }
    if !rule.icmp_code.is_empty() {
        return Err("ICMP code cannot be used with non-ICMP protocol".into());
    }
    for (field, list) in [("Source", &rule.source_port), ("Destination", &rule.destination_port)] {
        for range in port_ranges(list) {
            range.map_err(|why| format!("Invalid {field} port: {why}"))?;
        }
    }
    Ok(())
}

fn icmp(rule: &NetworkACLRule, source: &Kinds, destination: &Kinds) -> Result<(), String> {
    let protocol = &rule.protocol;
    for (field, list) in [("Source", &rule.source_port), ("Destination", &rule.destination_port)] {
        if !list.is_empty() {
            return Err(format!("{field} port cannot be used with {protocol:?} protocol"));
        }
    }
    let (family, wrong): (&str, fn(&Kinds) -> bool) =
        if protocol == "icmp4" { ("IPv6", |kinds| kinds.v6) } else { ("IPv4", |kinds| kinds.v4) };
    for (field, kinds) in [("source", source), ("destination", destination)] {
        if wrong(kinds) {
            return Err(format!("Cannot use {family} {field} addresses with {protocol:?} protocol"));
        }
    }
    for (field, text) in [("type", &rule.icmp_type), ("code", &rule.icmp_code)] {
        if !text.is_empty() && text.parse::<u8>().is_err() {
            return Err(format!("Invalid ICMP {field}: Invalid value for an integer \"{text}\", it must be 0-255"));
        }
    }
    Ok(())
}

fn without_protocol(rule: &NetworkACLRule) -> Result<(), String> {
    for (what, value) in [
        ("ICMP type", &rule.icmp_type),
        ("ICMP code", &rule.icmp_code),
        ("Source port", &rule.source_port),
        ("Destination port", &rule.destination_port),
    ] {
        if !value.is_empty() {
            return Err(format!("{what} cannot be used without specifying protocol"));
        }
    }
    Ok(())
}

fn subjects(
    field: &str,
    list: &str,
    may_name: bool,
    direction: Direction,
    lists: &BTreeSet<String>,
) -> Result<Kinds, String> {
    let mut kinds = Kinds::default();
    if list.is_empty() {
        return Ok(kinds);
    }
    for subject in list.split(',') {
        match subject.parse::<Subject>() {
            Ok(address) if address.is_ipv4() => kinds.v4 = true,
            Ok(_) => kinds.v6 = true,
            Err(_) if lists.contains(subject) || EVERYBODY.contains(&subject) || subject.starts_with('@') => {
                if !may_name {
                    let rules = if direction == Direction::Ingress { "ingress" } else { "egress" };
                    return Err(format!("Named subjects not allowed in {field:?} for {rules:?} rules"));
                }
                kinds.name = true;
            }
            Err(_) => return Err(format!("Invalid subject {subject:?}")),
        }
    }
    Ok(kinds)
}

/// Whether a rule's field names this list.
pub fn mentions(put: &NetworkACLPut, list: &str) -> bool {
    let named = |field: &str| parts(field).any(|subject| subject == list && subject.parse::<IpAddr>().is_err());
    put.ingress.iter().any(|rule| named(&rule.source)) || put.egress.iter().any(|rule| named(&rule.destination))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Which way, the rule's fields, and why they are refused.
    type Case = (Direction, &'static [(&'static str, &'static str)], &'static str);

    fn refused(direction: Direction, fields: &[(&str, &str)]) -> String {
        let mut text = serde_json::json!({"action": "allow", "state": "enabled"});
        for (field, value) in fields {
            text[*field] = (*value).into();
        }
        let one: NetworkACLRule = serde_json::from_value(text).expect("a rule");
        rule(direction, &one, &BTreeSet::from(["web".to_string()])).err().unwrap_or_default()
    }

    #[test]
    fn rules_are_checked_as_lxd_does() {
        let (ingress, egress) = (Direction::Ingress, Direction::Egress);
        let cases: [Case; 17] = [
            (ingress, &[], ""),
            (ingress, &[("source", "10.0.0.1,fd42::/64,web,@internal")], ""),
            (egress, &[("destination", "10.0.0.1-10.0.0.9,#external")], ""),
            (ingress, &[("action", "maybe")], "Action must be one of: allow, drop, reject"),
            (ingress, &[("state", "")], "State must be one of: enabled, disabled, logged"),
            (
                ingress,
                &[("destination", "web")],
                "Invalid Destination: Named subjects not allowed in \"Destination\" for \"ingress\" rules",
            ),
            (egress, &[("destination", "nobody")], "Invalid Destination: Invalid subject \"nobody\""),
            (
                ingress,
                &[("source", "10.0.0.1"), ("destination", "fd42::1")],
                "Conflicting IP family types used for Source and Destination",
            ),
            (ingress, &[("protocol", "sctp")], "Protocol must be one of: icmp4, icmp6, tcp, udp"),
            (ingress, &[("protocol", "tcp"), ("destination_port", "80,90-99")], ""),
            (
                ingress,
                &[("protocol", "tcp"), ("destination_port", "x")],
                "Invalid Destination port: Invalid port number \"x\"",
            ),
            (ingress, &[("protocol", "udp"), ("icmp_type", "8")], "ICMP type cannot be used with non-ICMP protocol"),
            (
                ingress,
                &[("protocol", "icmp4"), ("source_port", "8")],
                "Source port cannot be used with \"icmp4\" protocol",
            ),
            (
                ingress,
                &[("protocol", "icmp6"), ("source", "10.0.0.1")],
                "Cannot use IPv4 source addresses with \"icmp6\" protocol",
            ),
            (ingress, &[("protocol", "icmp4"), ("icmp_type", "8"), ("icmp_code", "0")], ""),
            (ingress, &[("icmp_type", "8")], "ICMP type cannot be used without specifying protocol"),
            (ingress, &[("source_port", "8")], "Source port cannot be used without specifying protocol"),
        ];
        for (direction, fields, text) in cases {
            assert_eq!(refused(direction, fields), text, "{fields:?}");
        }
    }

    #[test]
    fn a_rule_twice_and_odd_names_are_refused() {
        let twice = NetworkACLRule { action: "drop".into(), state: "enabled".into(), ..NetworkACLRule::default() };
        let put = NetworkACLPut { egress: vec![twice.clone(), twice], ..NetworkACLPut::default() };
        let error = check(&put, &BTreeSet::new()).unwrap_err();
        assert_eq!(error.message, "Duplicate of egress rule 0");
        for (odd, text) in [
            ("", "Name is required"),
            ("@web", "Name cannot start with reserved character '@'"),
            ("1web", "Name must not start with a number"),
            ("we/b", "Name can only contain alphanumeric and hyphen characters"),
        ] {
            assert_eq!(name(odd).unwrap_err().message, text);
        }
    }
}
