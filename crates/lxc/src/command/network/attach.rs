//! `lxc network attach` and `detach`: NICs of instances and profiles on a network.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};
use corten_api::network::Network;

use super::OfNetwork;
use crate::arguments::Arguments;
use crate::command::config_device;
use crate::commands::Command;
use crate::entity::{Entity, Place};
use crate::run;
use crate::session::{Resource, Session};

/// `attach`.
pub static ATTACH: Command = Command {
    name: "attach",
    usage: "[<remote>:]<network> <instance> [<device name>] [<interface name>]",
    about: "Attach network interfaces to instances",
    words: (2, Some(4)),
    run: run!(attach),
    ..Command::EMPTY
};

/// `attach-profile`.
pub static ATTACH_PROFILE: Command = Command {
    name: "attach-profile",
    usage: "[<remote>:]<network> <profile> [<device name>] [<interface name>]",
    about: "Attach network interfaces to profiles",
    words: (2, Some(4)),
    run: run!(attach_profile),
    ..Command::EMPTY
};

/// `detach`.
pub static DETACH: Command = Command {
    name: "detach",
    usage: "[<remote>:]<network> <instance> [<device name>]",
    about: "Detach network interfaces from instances",
    words: (2, Some(3)),
    run: run!(detach),
    ..Command::EMPTY
};

/// `detach-profile`.
pub static DETACH_PROFILE: Command = Command {
    name: "detach-profile",
    usage: "[<remote>:]<network> <profile> [<device name>]",
    about: "Detach network interfaces from profiles",
    words: (2, Some(3)),
    run: run!(detach_profile),
    ..Command::EMPTY
};

/// The instance or profile that the second word names, on the network's server.
fn owner(place: &Place, arguments: &Arguments) -> Resource {
    Resource { remote: String::new(), server: place.server.clone(), name: arguments.word(1).to_owned() }
}

/// The third word, or else the network's name.
fn device_name<'a>(place: &'a Place, arguments: &'a Arguments) -> &'a str {
    if arguments.len() > 2 { arguments.word(2) } else { &place.name }
}

/// A NIC on the network, by its name where `by_name`, else by the interface on the host.
fn nic(network: &Network, by_name: bool, arguments: &Arguments) -> BTreeMap<String, String> {
    let mut nic = BTreeMap::from([("type", "nic")]);
    if by_name {
        nic.insert("network", &network.name);
    } else {
        nic.insert("nictype", if network.r#type == "bridge" { "bridged" } else { "macvlan" });
        nic.insert("parent", &network.name);
    }
    if arguments.len() > 3 {
        nic.insert("name", arguments.word(3));
    }
    nic.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

async fn attach(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = OfNetwork::place(session, arguments).await?;
    let network: Network = place.server.get(&place.path).await?;
    let by_name = network.managed && place.server.has_extension("instance_nic_network").await?;
    let nic = nic(&network, by_name, arguments);
    config_device::attach_to_instance(&owner(&place, arguments), device_name(&place, arguments), nic).await
}

async fn attach_profile(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = OfNetwork::place(session, arguments).await?;
    let network: Network = place.server.get(&place.path).await?;
    let nic = nic(&network, false, arguments);
    config_device::attach_to_profile(&owner(&place, arguments), device_name(&place, arguments), nic).await
}

async fn detach(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = OfNetwork::place(session, arguments).await?;
    config_device::detach_from_instance(&owner(&place, arguments), |devices| {
        choose(devices, &place.name, arguments.word(2))
    })
    .await
}

async fn detach_profile(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = OfNetwork::place(session, arguments).await?;
    config_device::detach_from_profile(&owner(&place, arguments), |devices| {
        choose(devices, &place.name, arguments.word(2))
    })
    .await
}

/// The device of that name, or the only one on the network.
fn choose(devices: &BTreeMap<String, BTreeMap<String, String>>, network: &str, name: &str) -> Result<String> {
    let is =
        |device: &BTreeMap<String, String>, key: &str, value: &str| device.get(key).is_some_and(|set| set == value);
    let matches = |device: &BTreeMap<String, String>| {
        is(device, "type", "nic") && (is(device, "parent", network) || is(device, "network", network))
    };
    if name.is_empty() {
        let mut found = devices.iter().filter(|(_, device)| matches(device)).map(|(name, _)| name);
        return match (found.next(), found.next()) {
            (None, _) => Err(Error::invalid("No device found for this network")),
            (Some(name), None) => Ok(name.clone()),
            (Some(_), Some(_)) => Err(Error::invalid("More than one device matches, specify the device name")),
        };
    }
    match devices.get(name) {
        None => Err(Error::invalid("The specified device doesn't exist")),
        Some(device) if !matches(device) => Err(Error::invalid("The specified device doesn't match the network")),
        Some(_) => Ok(name.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_device_to_detach_must_be_clear() {
        let device = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let devices = BTreeMap::from([
            ("eth0".to_owned(), device(&[("type", "nic"), ("network", "lxdbr0")])),
            ("eth1".to_owned(), device(&[("type", "nic"), ("parent", "virbr0")])),
            ("eth2".to_owned(), device(&[("type", "nic"), ("parent", "virbr0")])),
            ("root".to_owned(), device(&[("type", "disk")])),
        ]);
        for (network, name, expected) in [
            ("lxdbr0", "", Ok("eth0")),
            ("virbr0", "", Err("More than one device matches, specify the device name")),
            ("virbr0", "eth2", Ok("eth2")),
            ("virbr0", "eth0", Err("The specified device doesn't match the network")),
            ("virbr0", "eth9", Err("The specified device doesn't exist")),
            ("none", "", Err("No device found for this network")),
        ] {
            let chosen = choose(&devices, network, name);
            assert_eq!(chosen.as_deref().map_err(|error| error.message.as_str()), expected);
        }
    }
}
