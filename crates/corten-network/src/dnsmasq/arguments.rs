//! dnsmasq's command line, from what a bridge is to be (dnsmasq(8)).

use std::path::Path;

use crate::bridge::plan::{Family, Mode, Plan};
use crate::dnsmasq::process::START_PID;
use crate::network::Dhcp;

/// Users and groups that dnsmasq changes to, the first that exists.
const USERS: [&str; 2] = ["lxd", "nobody"];
const GROUPS: [&str; 2] = ["lxd", "nogroup"];
/// Largest packet that guests assume without being told.
const USUAL_MTU: u32 = 1500;

/// Whom dnsmasq runs as.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unprivileged {
    /// The user's name.
    pub user: Option<String>,
    /// The group's name.
    pub group: Option<String>,
}

/// The user and group that exist here, from the files alone: network user databases need not be up for a network.
pub fn unprivileged() -> Unprivileged {
    let first = |file: &str, names: [&str; 2]| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let known = |name: &&str| text.lines().any(|line| line.split(':').next() == Some(*name));
        names.into_iter().find(known).map(String::from)
    };
    Unprivileged { user: first("/etc/passwd", USERS), group: first("/etc/group", GROUPS) }
}

/// The arguments for the bridge `plan` with its files in `dir`. `debug`: requests are logged too.
///
/// It goes into the background by itself, and only after it listens: so its end of the start is the word that it works.
pub fn of(plan: &Plan, dir: &Path, run_as: &Unprivileged, debug: bool) -> Vec<String> {
    let mut arguments: Vec<String> = [
        "--strict-order",
        "--bind-interfaces",
        "--except-interface=lo",
        // dnsmasq would ping an address before giving it, which delays both the lease and its file.
        "--no-ping",
    ]
    .map(String::from)
    .into();
    arguments.push(format!("--pid-file={}", dir.join(START_PID).display()));
    arguments.push(format!("--interface={}", plan.name));
    arguments.push("--dhcp-rapid-commit".into());
    if !debug {
        arguments.extend(["--quiet-dhcp", "--quiet-dhcp6", "--quiet-ra"].map(String::from));
    }
    let dhcp = plan.dhcp();
    if let Some(v4) = &plan.v4 {
        arguments.push(format!("--listen-address={}", v4.subnet.address));
    }
    if let Some(v6) = &plan.v6 {
        arguments.extend([format!("--listen-address={}", v6.subnet.address), "--enable-ra".into()]);
    }
    if dhcp.v4.is_some() || dhcp.v6.is_some() {
        arguments.extend(["--dhcp-no-override".into(), "--dhcp-authoritative".into()]);
        arguments.push(format!("--dhcp-leasefile={}", dir.join("dnsmasq.leases").display()));
        arguments.push(format!("--dhcp-hostsfile={}", dir.join("dnsmasq.hosts").display()));
    }
    if let Some(v4) = plan.v4.as_ref().filter(|family| family.dhcp) {
        arguments.extend(v4_options(plan, v4));
        arguments.extend(ranges(v4, |first, last| format!("{first},{last},{}", v4.expiry)));
    }
    if let Some(v6) = &plan.v6 {
        arguments.extend(v6_ranges(plan, v6, &dhcp));
    }
    arguments.extend(names(plan));
    arguments.push(format!("--conf-file={}", dir.join("dnsmasq.raw").display()));
    for (option, name) in [("-u", &run_as.user), ("-g", &run_as.group)] {
        if let Some(name) = name {
            arguments.extend([option.to_string(), name.clone()]);
        }
    }
    arguments
}

/// Options of DHCP: 3 is the router, 26 the MTU, 119 the domains to search (RFC 2132, RFC 3397).
fn v4_options(plan: &Plan, v4: &Family) -> Vec<String> {
    let mut options = Vec::new();
    if let Some(gateway) = v4.gateway {
        options.push(format!("--dhcp-option-force=3,{gateway}"));
    }
    if plan.mtu != USUAL_MTU {
        options.push(format!("--dhcp-option-force=26,{}", plan.mtu));
    }
    if !plan.dns.search.is_empty() {
        options.push(format!("--dhcp-option-force=119,{}", plan.dns.search));
    }
    options
}

/// One `--dhcp-range` for each range, or for the whole network.
fn ranges(family: &Family, write: impl Fn(String, String) -> String) -> Vec<String> {
    let last = if family.subnet.address.is_ipv4() { -2 } else { -1 };
    let whole = (family.subnet.host(2).to_string(), family.subnet.host(last).to_string());
    let mut ends: Vec<_> =
        family.ranges.iter().map(|range| (range.first.to_string(), range.last.to_string())).collect();
    if ends.is_empty() {
        ends.push(whole);
    }
    ends.into_iter().flat_map(|(first, last)| ["--dhcp-range".to_string(), write(first, last)]).collect()
}

fn v6_ranges(plan: &Plan, v6: &Family, dhcp: &Dhcp) -> Vec<String> {
    let constructed = |mode: &str| vec!["--dhcp-range".into(), format!("::,constructor:{},{mode}", plan.name)];
    match (dhcp.v6, v6.stateful) {
        (None, _) => constructed("ra-only"),
        (Some(_), false) => constructed("ra-stateless,ra-names"),
        (Some(subnet), true) => ranges(v6, |first, last| format!("{first},{last},{},{}", subnet.prefix, v6.expiry)),
    }
}

fn names(plan: &Plan) -> Vec<String> {
    let domain = &plan.dns.domain;
    if plan.dns.mode == Mode::Off {
        return Vec::new();
    }
    // Names of the own zone are never asked of other servers (-S).
    let gateway = format!("_gateway.{domain},{}", plan.name);
    ["-s".into(), domain.clone(), "--interface-name".into(), gateway, "-S".into(), format!("/{domain}/")].into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    const CASES: [(&str, &[(&str, &str)]); 5] = [
        ("default", &[("ipv4.address", "10.0.3.1/24"), ("ipv6.address", "fd42:1:2:3::1/64")]),
        (
            "ipv4-only",
            &[("ipv4.address", "10.0.3.1/24"), ("ipv6.address", "none"), ("bridge.mtu", "9000"), ("dns.mode", "none")],
        ),
        (
            "no-dhcp",
            &[
                ("ipv4.address", "10.0.3.1/24"),
                ("ipv4.dhcp", "false"),
                ("ipv6.address", "fd42::1/64"),
                ("ipv6.dhcp", "no"),
            ],
        ),
        (
            "ranges",
            &[
                ("ipv4.address", "10.0.0.1/16"),
                ("ipv4.dhcp.ranges", "10.0.0.5-10.0.0.9, 10.0.1.5-10.0.1.9"),
                ("ipv4.dhcp.expiry", "10m"),
                ("ipv4.dhcp.gateway", "10.0.0.254"),
                ("dns.domain", "example.net"),
                ("dns.search", "example.net,example.org"),
                ("ipv6.address", "fd42::1/64"),
                ("ipv6.dhcp.stateful", "true"),
                ("ipv6.dhcp.ranges", "fd42::10-fd42::20"),
            ],
        ),
        (
            "stateful",
            &[("ipv6.address", "fd42::1/64"), ("ipv6.dhcp.stateful", "true"), ("ipv6.dhcp.expiry", "infinite")],
        ),
    ];

    #[test]
    fn command_lines_are_as_agreed() {
        let run_as = Unprivileged { user: Some("lxd".into()), group: Some("nogroup".into()) };
        for (name, pairs) in CASES {
            let config: Config = pairs.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect();
            let plan = Plan::of("lxdbr0", &config).expect("a plan");
            let text = of(&plan, Path::new("/var/lib/lxd/networks/lxdbr0"), &run_as, false).join("\n") + "\n";
            crate::golden::check(&format!("dnsmasq-{name}.txt"), &text);
        }
    }
}
