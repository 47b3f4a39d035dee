//! The NICs of instances that are on a network, as its DHCP and DNS know them.

use corten_api::error::Result;
use corten_db::table::networks;
use corten_instance::device::nic::interface_name;
use corten_instance::instance::{Config, Instance};
use corten_network::dnsmasq::hosts::Host;
use corten_network::lease::LeaseNic;

use crate::app::App;
use crate::app::instances::Instances;

/// The NICs on a network: instance, device, expanded options.
pub(super) fn nics(app: &App, name: &str, project: Option<&str>) -> Result<Vec<(Instance, String, Config)>> {
    let mut found = Vec::new();
    for instance in Instances::all(app, project)? {
        for (device, options) in &instance.expanded_devices {
            let get = |option: &str| options.get(option).map_or("", String::as_str);
            let is_on = get("network") == name || (get("nictype") == "bridged" && get("parent") == name);
            if get("type") == "nic" && is_on {
                found.push((instance.clone(), device.clone(), options.clone()));
            }
        }
    }
    Ok(found)
}

/// The NICs of all instances on a network, for its files.
///
/// # Errors
/// Those of the database.
pub fn of(app: &App, row: &networks::Network) -> Result<Vec<Host>> {
    let nics = nics(app, &row.name, None)?;
    Ok(nics.iter().filter_map(|(instance, device, options)| host(instance, device, options)).collect())
}

fn host(instance: &Instance, device: &str, options: &Config) -> Option<Host> {
    let prefix = format!("volatile.{device}.");
    let own = |(key, value): (&String, &String)| Some((key.strip_prefix(&prefix)?.to_string(), value.clone()));
    let volatile: Config = instance.config.iter().filter_map(own).collect();
    let mut config = options.clone();
    config.insert("name".to_string(), interface_name(instance, device, options));
    let nic = corten_network::port::Nic {
        project: &instance.project,
        instance: &instance.name,
        device,
        config: &config,
        volatile: &volatile,
        network: None,
    };
    nic.host()
}

/// Lets the networks of an instance's NICs forget it, after it is gone or has another name. What fails is logged: the next
/// start of the network puts it right.
pub fn forget(app: &App, instance: &Instance) {
    for (device, options) in &instance.expanded_devices {
        if options.get("type").is_some_and(|kind| kind == "nic")
            && let Err(error) = forget_one(app, instance, device, options)
        {
            tracing::warn!(instance = instance.name, device, %error, "Failed to let a network forget a NIC");
        }
    }
}

/// Lets the networks of an instance know its NICs as they are after a change, and forget those that are gone. What fails is
/// logged, as in [`forget`].
pub fn follow(app: &App, old: &Instance, new: &Instance) {
    let nics = |instance: &Instance| -> Vec<(String, Config)> {
        let is_nic = |options: &Config| options.get("type").is_some_and(|kind| kind == "nic");
        let devices = instance.expanded_devices.iter().filter(|(_, options)| is_nic(options));
        devices.map(|(name, options)| (name.clone(), options.clone())).collect()
    };
    for (device, options) in nics(old) {
        let same = new
            .expanded_devices
            .get(&device)
            .is_some_and(|now| host(new, &device, now) == host(old, &device, &options));
        if !same && let Err(error) = forget_one(app, old, &device, &options) {
            tracing::warn!(instance = old.name, device, %error, "Failed to let a network forget a NIC");
        }
    }
    for (device, options) in nics(new) {
        if let Err(error) = know_one(app, new, &device, &options) {
            tracing::warn!(instance = new.name, device, %error, "Failed to let a network know a NIC");
        }
    }
}

fn know_one(app: &App, instance: &Instance, device: &str, options: &Config) -> Result<()> {
    let network = super::of_nic(app, &instance.project, options)?;
    match (network, host(instance, device, options)) {
        (Some(network), Some(host)) => Ok(network.set_host(&host)?),
        _ => Ok(()),
    }
}

fn forget_one(app: &App, instance: &Instance, device: &str, options: &Config) -> Result<()> {
    let network = super::of_nic(app, &instance.project, options)?;
    match (network, host(instance, device, options)) {
        (Some(network), Some(host)) => Ok(network.remove_host(&host)?),
        _ => Ok(()),
    }
}

/// The NICs of a project's instances on a network, for the list of leases.
///
/// # Errors
/// Those of the database.
pub fn leases(app: &App, name: &str, project: &str) -> Result<Vec<LeaseNic>> {
    let nics = nics(app, name, Some(project))?;
    Ok(nics
        .iter()
        .filter_map(|(instance, device, options)| {
            let host = host(instance, device, options)?;
            Some(LeaseNic {
                hostname: instance.name.clone(),
                hwaddr: Some(host.hwaddr),
                v4: host.v4,
                v6: host.v6,
                location: "none".to_string(),
            })
        })
        .collect())
}
