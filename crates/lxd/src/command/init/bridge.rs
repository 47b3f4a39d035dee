//! Questions about the first network.

use super::ask::Asker;
use super::host::Facts;
use super::interactive::Answers;
use corten_api::error::Result;
use corten_api::init::InitNetworksProjectPost;
use corten_api::url::DEFAULT_PROJECT;
use std::io::{BufRead, Write};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// Asks for a new bridge, or else for an interface that is there.
///
/// # Errors
/// When the answers end too early.
pub fn ask<I: BufRead, O: Write, E: Write>(
    asker: &mut Asker<I, O, E>,
    facts: &mut impl Facts,
    answers: &mut Answers,
) -> Result<()> {
    if !asker.yes("Would you like to create a new local network bridge? (yes/no) [default=yes]: ", "yes")? {
        return ask_existing(asker, facts, answers);
    }
    let name = loop {
        let question = "What should the new bridge be called? [default=lxdbr0]: ";
        let name = asker.checked(question, "lxdbr0", check_name)?;
        if !facts.has_network(&name) {
            break name;
        }
        asker.say(&format!("The requested network bridge \"{name}\" already exists. Please choose another name.\n"))?;
    };
    answers.device("eth0", &[("type", "nic"), ("name", "eth0"), ("network", &name)]);
    let project = DEFAULT_PROJECT.to_string();
    let mut network = InitNetworksProjectPost { name, project, ..InitNetworksProjectPost::default() };
    for (version, check) in
        [("4", check_cidr::<Ipv4Addr> as fn(&str) -> Result<(), String>), ("6", check_cidr::<Ipv6Addr>)]
    {
        let question = format!(
            "What IPv{version} address should be used? (CIDR subnet notation, “auto” or “none”) [default=auto]: "
        );
        let address = asker.checked(&question, "auto", check)?;
        let own = !matches!(address.as_str(), "auto" | "none");
        network.config.insert(format!("ipv{version}.address"), address);
        if own {
            let question = format!("Would you like LXD to NAT IPv{version} traffic on your bridge? [default=yes]: ");
            let nat = asker.yes(&question, "yes")?;
            network.config.insert(format!("ipv{version}.nat"), nat.to_string());
        }
    }
    answers.config.networks.push(network);
    Ok(())
}

fn ask_existing<I: BufRead, O: Write, E: Write>(
    asker: &mut Asker<I, O, E>,
    facts: &mut impl Facts,
    answers: &mut Answers,
) -> Result<()> {
    let question =
        "Would you like to configure LXD to use an existing bridge or host interface? (yes/no) [default=no]: ";
    if !asker.yes(question, "no")? {
        return Ok(());
    }
    loop {
        let name = asker.text("Name of the existing bridge or host interface: ", "")?;
        if facts.has_interface(&name) {
            let kind = if facts.is_bridge(&name) { "bridged" } else { "macvlan" };
            answers.device("eth0", &[("type", "nic"), ("nictype", kind), ("name", "eth0"), ("parent", &name)]);
            return Ok(());
        }
        asker.say("The requested interface doesn't exist. Please choose another one.\n")?;
    }
}

/// What an interface may be called: 2 to 15 letters, digits, `-`, `_`, `.`.
fn check_name(name: &str) -> Result<(), String> {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | ':'));
    match name.len() {
        0 | 1 => Err("Network interface is too short (minimum 2 characters)".to_string()),
        2..=15 if plain && !name.starts_with(['-', '.']) => Ok(()),
        2..=15 => Err("Network interface contains invalid characters".to_string()),
        _ => Err("Network interface is too long (maximum 15 characters)".to_string()),
    }
}

/// `auto`, `none`, nothing, or the host's address in a network.
fn check_cidr<A: FromStr>(text: &str) -> Result<(), String> {
    if matches!(text, "auto" | "none" | "") {
        return Ok(());
    }
    let (address, prefix) = text.split_once('/').unwrap_or((text, ""));
    let longest = if text.contains(':') { 128 } else { 32 };
    let good = address.parse::<A>().is_ok() && prefix.parse::<u8>().is_ok_and(|prefix| prefix <= longest);
    if good { Ok(()) } else { Err(format!("invalid CIDR address: {text}")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_addresses_are_taken_or_refused() {
        for name in ["br0", "lxdbr0", "a.b"] {
            check_name(name).expect(name);
        }
        for name in ["", "a", "-x", "sixteen-letters!", "a/b"] {
            check_name(name).expect_err(name);
        }
        check_cidr::<Ipv4Addr>("10.0.0.1/24").expect("good");
        check_cidr::<Ipv6Addr>("fd42::1/64").expect("good");
        for bad in ["10.0.0.1", "10.0.0.1/33", "x/24", "fd42::1/64"] {
            check_cidr::<Ipv4Addr>(bad).expect_err(bad);
        }
    }
}
