//! NICs on one network must not share an address, nor two of them one name.

use std::net::IpAddr;

use corten_api::error::{Error, Result};
use corten_instance::instance::{Config, Instance};

use super::hosts;
use crate::app::App;

/// A NIC on the network in question.
#[derive(Clone, Copy)]
struct Nic<'a> {
    instance: &'a Instance,
    device: &'a str,
    options: &'a Config,
}

impl Nic<'_> {
    fn get(&self, option: &str) -> &str {
        self.options.get(option).map_or("", String::as_str)
    }

    /// The hardware address, in lower case: as configured, or as remembered.
    fn mac(&self) -> String {
        let remembered = || self.instance.volatile(&format!("volatile.{}.hwaddr", self.device));
        let own = self.get("hwaddr");
        if own.is_empty() { remembered() } else { own }.to_lowercase()
    }

    fn ip(&self, option: &str) -> Option<IpAddr> {
        self.get(option).parse().ok()
    }
}

/// Refuses a bridged NIC that would share something with another on its network.
///
/// # Errors
/// 409 with what is taken, in LXD's words.
pub fn check(app: &App, instance: &Instance, device: &str, options: &Config) -> Result<()> {
    let nic = Nic { instance, device, options };
    let network = if nic.get("network").is_empty() { nic.get("parent") } else { nic.get("network") };
    if network.is_empty() || !matches!(nic.get("nictype"), "" | "bridged") {
        return Ok(());
    }
    let managed = super::of_nic(app, &instance.project, options)?;
    let has_names = managed.is_some_and(|network| network.config().get("dns.mode").is_none_or(|mode| mode != "none"));
    for (instance, device, options) in hosts::nics(app, network, None)? {
        compare(nic, Nic { instance: &instance, device: &device, options: &options }, has_names)?;
    }
    Ok(())
}

fn compare(own: Nic<'_>, other: Nic<'_>, has_names: bool) -> Result<()> {
    let same_instance = (&own.instance.project, &own.instance.name) == (&other.instance.project, &other.instance.name);
    if (same_instance && own.device == other.device) || own.get("vlan") != other.get("vlan") {
        return Ok(());
    }
    let taken = |what: String| Err(Error::conflict(what));
    if has_names && own.instance.name.eq_ignore_ascii_case(&other.instance.name) {
        return taken(format!("Instance DNS name {:?} already used on network", other.instance.name.to_lowercase()));
    }
    if !own.mac().is_empty() && own.mac() == other.mac() {
        return taken(format!("MAC address {:?} already defined on another NIC", other.mac()));
    }
    for option in ["ipv4.address", "ipv6.address"] {
        if let Some(address) = own.ip(option).filter(|address| other.ip(option) == Some(*address)) {
            return taken(format!("IP address {:?} already defined on another NIC", address.to_string()));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_nic_has_is_taken() {
        let options = |pairs: &[(&str, &str)]| -> Config {
            pairs.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect()
        };
        let named = |name: &str| Instance {
            name: name.to_string(),
            config: options(&[("volatile.eth0.hwaddr", "00:16:3e:00:00:01")]),
            ..Instance::default()
        };
        let (c1, c2) = (named("c1"), named("c2"));
        let check = |own: &Instance, device: &str, mine: &[(&str, &str)], theirs: &[(&str, &str)], names: bool| {
            let (mine, theirs) = (options(mine), options(theirs));
            let own = Nic { instance: own, device, options: &mine };
            let other = Nic { instance: &c1, device: "eth0", options: &theirs };
            compare(own, other, names).err().map_or(String::new(), |error| error.message)
        };
        let mac = ("hwaddr", "00:16:3E:00:00:01");
        let dns = "Instance DNS name \"c1\" already used on network";
        assert_eq!(check(&c1, "eth0", &[mac], &[mac], true), "");
        assert_eq!(check(&c1, "eth1", &[], &[], true), dns);
        assert_eq!(check(&c1, "eth1", &[], &[], false), "");
        assert_eq!(
            check(&c2, "eth1", &[mac], &[], true),
            "MAC address \"00:16:3e:00:00:01\" already defined on another NIC"
        );
        assert_eq!(check(&c2, "eth1", &[mac, ("vlan", "5")], &[], true), "");
        let (long, short) = (("ipv6.address", "fd42:0:0:0::1"), ("ipv6.address", "fd42::1"));
        assert_eq!(
            check(&c2, "eth1", &[long], &[short], true),
            "IP address \"fd42::1\" already defined on another NIC"
        );
        assert_eq!(check(&c2, "eth1", &[("ipv4.address", "none")], &[("ipv4.address", "none")], true), "");
    }
}
