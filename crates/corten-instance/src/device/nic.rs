//! `nic`: an interface of the container, on a bridge, on the host, beside or instead of one of the host's.

use std::collections::BTreeSet;
use std::sync::Arc;

use corten_api::error::Result;
use corten_host::netlink::Socket;
use corten_host::undo::Undo;
use corten_network::network::Network;
use corten_network::port;
use corten_runtime::spec::Link;

use super::{Attachment, Call, Device};
use crate::instance::{Config, Instance};
use crate::step::pass;
use crate::volatile;

/// Network interfaces of containers.
pub struct Nic;

/// What the network crate is told of a NIC, owned.
struct Facts {
    config: Config,
    volatile: Config,
    network: Option<Arc<dyn Network>>,
}

impl Facts {
    fn of(call: &Call<'_>, options: &Config) -> Result<Facts> {
        let prefix = format!("volatile.{}.", call.name);
        let own = |(key, value): (&String, &String)| Some((key.strip_prefix(&prefix)?.to_string(), value.clone()));
        let mut config = options.clone();
        config.insert("name".to_string(), interface_name(call.instance, call.name, options));
        Ok(Facts {
            config,
            volatile: call.instance.config.iter().filter_map(own).collect(),
            network: call.host.network(call.instance, options)?,
        })
    }

    fn nic<'a>(&'a self, call: &'a Call<'_>) -> port::Nic<'a> {
        port::Nic {
            project: &call.instance.project,
            instance: &call.instance.name,
            device: call.name,
            config: &self.config,
            volatile: &self.volatile,
            network: self.network.as_deref(),
        }
    }
}

/// The name of the interface inside: as configured, as remembered, or the first `ethN` that no other NIC has.
pub fn interface_name(instance: &Instance, device: &str, options: &Config) -> String {
    let named = |device: &str, options: &Config| {
        let name = options.get("name").map_or("", String::as_str);
        if name.is_empty() {
            instance.volatile(&format!("volatile.{device}.name")).to_string()
        } else {
            name.to_string()
        }
    };
    let own = named(device, options);
    if !own.is_empty() {
        return own;
    }
    let nics: Vec<(&String, &Config)> =
        instance.expanded_devices.iter().filter(|(_, options)| is_nic(options)).collect();
    let mut taken: BTreeSet<String> = nics.iter().map(|(name, options)| named(name, options)).collect();
    // Those without a name get theirs in the order of the devices.
    for (name, options) in nics {
        if named(name, options).is_empty() {
            let free =
                (0..).map(|number| format!("eth{number}")).find(|free| !taken.contains(free)).unwrap_or_default();
            if name == device {
                return free;
            }
            taken.insert(free);
        }
    }
    (0..).map(|number| format!("eth{number}")).find(|free| !taken.contains(free)).unwrap_or_default()
}

/// Kinds of NICs that have the hardware address of a card.
const OF_A_CARD: [&str; 3] = ["ipvlan", "physical", "sriov"];

fn is_nic(options: &Config) -> bool {
    options.get("type").is_some_and(|kind| kind == "nic")
}

/// The volatile keys that an instance's NICs are to have and do not have yet: an address where none is configured, and
/// a name inside.
///
/// # Errors
/// When the kernel has no random bytes.
pub fn new_keys(instance: &Instance) -> Result<Config> {
    let mut keys = Config::new();
    for (device, options) in instance.expanded_devices.iter().filter(|(_, options)| is_nic(options)) {
        let get = |option: &str| options.get(option).map_or("", String::as_str);
        let lacks =
            |key: &str| get(key).is_empty() && instance.volatile(&format!("volatile.{device}.{key}")).is_empty();
        if lacks("hwaddr") && !OF_A_CARD.contains(&get("nictype")) {
            keys.insert(format!("volatile.{device}.hwaddr"), volatile::new_mac()?);
        }
        if lacks("name") {
            keys.insert(format!("volatile.{device}.name"), interface_name(instance, device, options));
        }
    }
    Ok(keys)
}

/// Whether a key is one of those that [`new_keys`] gives, for a device that is no NIC of the instance any more.
pub fn is_left_over(instance: &Instance, key: &str) -> bool {
    match key.strip_prefix("volatile.").and_then(|rest| rest.split_once('.')) {
        Some((device, "hwaddr" | "name")) => !instance.expanded_devices.get(device).is_some_and(is_nic),
        _ => false,
    }
}

/// A name for the link that a NIC will leave on the host; see [`port::link_name`].
///
/// # Errors
/// When the kernel has no random bytes.
pub fn link_name(call: &Call<'_>) -> Result<Option<String>> {
    match Facts::of(call, call.options) {
        Ok(facts) => Ok(port::link_name(&facts.nic(call))?),
        // A network that is not there is told of by whoever needs it.
        Err(_) => Ok(None),
    }
}

impl Device for Nic {
    fn validate(&self, call: &Call<'_>) -> Result<()> {
        let facts = Facts::of(call, call.options)?;
        port::check::config(&facts.nic(call))?;
        call.host.check_neighbours(call.instance, call.name, call.options)
    }

    /// What the host must have is looked at when the interface is made.
    fn check(&self, call: &Call<'_>) -> Result<()> {
        let facts = Facts::of(call, call.options)?;
        Ok(port::check::config(&facts.nic(call))?)
    }

    fn start(&self, call: &Call<'_>, undo: &mut Undo) -> Result<Attachment> {
        pass("attach a network interface")?;
        let facts = Facts::of(call, call.options)?;
        let (port, made) = port::prepare(&facts.nic(call))?;
        undo.absorb(made);
        if let Some(cable) = &port.cable {
            // The guest's end goes with its namespace, which the kernel takes down in its own time.
            let host = cable.host.clone();
            undo.push("lay a cable", move || {
                let socket = Socket::open().map_err(|error| error.to_string())?;
                socket.delete_link_if_there(&host).map(drop).map_err(|error| error.to_string())
            });
        }
        let link = Link {
            host: port.link.clone(),
            cable: port.cable.clone(),
            name: port.guest_name.clone(),
            return_as: port.take_back.then(|| port.link.clone()),
        };
        let mut volatile = port.remember.clone();
        if call.get("name").is_empty() {
            volatile.insert("name".to_string(), port.guest_name.clone());
        }
        Ok(Attachment { links: vec![link], volatile, port: Some(port), ..Attachment::default() })
    }

    fn stop(&self, call: &Call<'_>) -> Result<()> {
        let facts = Facts::of(call, call.options)?;
        port::detach(&facts.nic(call), false)?;
        Ok(())
    }

    fn live_options(&self, options: &Config) -> &'static [&'static str] {
        match options.get("nictype").map_or("bridged", String::as_str) {
            "bridged" | "p2p" | "routed" => &[
                "limits.egress",
                "limits.ingress",
                "limits.max",
                "ipv4.routes",
                "ipv6.routes",
                "ipv4.routes.external",
                "ipv6.routes.external",
                "ipv4.address",
                "ipv6.address",
                "security.mac_filtering",
                "security.ipv4_filtering",
                "security.ipv6_filtering",
            ],
            _ => &[],
        }
    }

    fn update(&self, call: &Call<'_>, old: &Config) -> Result<()> {
        let (new, old) = (Facts::of(call, call.options)?, Facts::of(call, old)?);
        Ok(port::update(&new.nic(call), &old.nic(call))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::Devices;

    #[test]
    fn interfaces_without_a_name_get_the_first_free_one() {
        let nic = |name: &str| {
            Config::from([("type".to_string(), "nic".to_string()), ("name".to_string(), name.to_string())])
        };
        let expanded_devices = Devices::from([
            ("lan".to_string(), nic("eth0")),
            ("wan".to_string(), nic("")),
            ("zone".to_string(), nic("")),
        ]);
        let instance = Instance { expanded_devices: expanded_devices.clone(), ..Instance::default() };
        let name = |device: &str| interface_name(&instance, device, &expanded_devices[device]);
        assert_eq!([name("lan"), name("wan"), name("zone")], ["eth0", "eth1", "eth2"]);
    }

    #[test]
    fn new_interfaces_are_remembered_and_old_ones_forgotten() {
        let options = |pairs: &[(&str, &str)]| -> Config {
            pairs.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect()
        };
        let expanded_devices = Devices::from([
            ("lan".to_string(), options(&[("type", "nic"), ("nictype", "p2p")])),
            ("card".to_string(), options(&[("type", "nic"), ("nictype", "physical"), ("name", "eth7")])),
            ("root".to_string(), options(&[("type", "disk")])),
        ]);
        let mut instance = Instance { expanded_devices, ..Instance::default() };
        let keys = new_keys(&instance).expect("random bytes");
        assert_eq!(keys.keys().collect::<Vec<_>>(), ["volatile.lan.hwaddr", "volatile.lan.name"]);
        assert_eq!(keys["volatile.lan.name"], "eth0");
        instance.config.extend(keys);
        assert_eq!(new_keys(&instance).expect("random bytes"), Config::new());
        for (key, gone) in [
            ("volatile.lan.name", false),
            ("volatile.old.name", true),
            ("volatile.root.hwaddr", true),
            ("volatile.idmap.base", false),
            ("user.old.name", false),
        ] {
            assert_eq!(is_left_over(&instance, key), gone, "{key}");
        }
    }
}
