//! What a new bridge gets where its maker said nothing, and what takes the place of `auto`.

use corten_host::netlink::Socket;
use corten_host::netlink::route::Route;

use super::probe;
use crate::config::{Config, get};
use crate::error::{Error, Result};
use crate::name::random;
use crate::subnet::Subnet;
use crate::sysctl;

/// How many random networks are tried before giving up.
const TRIES: u32 = 100;

/// Fills in what LXD gives a new bridge: a free network of each family, with address translation.
///
/// # Errors
/// When no free network was found.
pub fn fill(config: &mut Config) -> Result<()> {
    if get(config, "bridge.mode") == "fan" {
        return Ok(());
    }
    let v6_on = sysctl::get("ipv6/conf/default/disable_ipv6")?.as_deref() == Some("0");
    for (family, wanted) in [("ipv4", true), ("ipv6", v6_on)] {
        let (address, nat) = (format!("{family}.address"), format!("{family}.nat"));
        if wanted && get(config, &address).is_empty() {
            config.insert(address.clone(), "auto".into());
        }
        if get(config, &address) == "auto" && get(config, &nat).is_empty() {
            config.insert(nat, "true".into());
        }
    }
    settle_auto(config)
}

/// Puts a free network in the place of each `auto`.
///
/// # Errors
/// When no free network was found.
pub fn settle_auto(config: &mut Config) -> Result<()> {
    for (family, word, make) in FAMILIES {
        let key = format!("{family}.address");
        if get(config, &key) != "auto" {
            continue;
        }
        let routes = Socket::open()?.routes()?;
        let subnet = free(&routes, make, |subnet| is_used_outside(&routes, subnet))?.ok_or_else(|| {
            Error::internal(format!(
                "Failed to automatically find an unused {word} subnet, manual configuration required"
            ))
        })?;
        config.insert(key, subnet.to_string());
    }
    Ok(())
}

type Make = fn([u8; 6]) -> String;

/// Each family, its name for people, and how six random bytes make a network of it.
const FAMILIES: [(&str, &str, Make); 2] = [
    ("ipv4", "IPv4", |random| format!("10.{}.{}.1/24", random[0] % 255, random[1] % 255)),
    ("ipv6", "IPv6", |[a, b, c, d, e, f]| format!("fd42:{a:x}{b:02x}:{c:x}{d:02x}:{e:x}{f:02x}::1/64")),
];

/// A random network that no route of the host leads to, and that is not `used` beyond.
fn free(routes: &[Route], make: Make, used: impl Fn(Subnet) -> bool) -> Result<Option<Subnet>> {
    for _ in 0..TRIES {
        let subnet: Subnet = make(random()?).parse().map_err(|error| Error::internal(format!("{error}")))?;
        if !routes.iter().any(|route| reaches(route, subnet)) && !used(subnet) {
            return Ok(Some(subnet));
        }
    }
    Ok(None)
}

/// Whether somebody answers there, behind the default route. Random IPv6 networks do not meet.
fn is_used_outside(routes: &[Route], subnet: Subnet) -> bool {
    let leads_out = |route: &Route| route.prefix == 0 && route.destination.is_ipv4() && route.gateway.is_some();
    subnet.address.is_ipv4() && routes.iter().any(leads_out) && probe::answers(subnet)
}

/// Whether `route` is about a part of `subnet` or the whole. The default route is about nothing.
fn reaches(route: &Route, subnet: Subnet) -> bool {
    let to = Subnet { address: route.destination, prefix: route.prefix };
    to.prefix > 0 && (to.contains(subnet.address) || subnet.contains(to.address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn used_networks_are_not_chosen() {
        let only_one: Make = |_| "10.7.7.1/24".into();
        let route = |to: &str, prefix| Route::through(1, to.parse().expect("address"), prefix, 4);
        assert!(free(&[route("0.0.0.0", 0)], only_one, |_| false).expect("random").is_some());
        assert!(free(&[route("10.0.0.0", 8)], only_one, |_| false).expect("random").is_none());
        assert!(free(&[route("10.7.7.9", 32)], only_one, |_| false).expect("random").is_none());
        assert!(free(&[route("10.7.8.0", 24)], only_one, |_| false).expect("random").is_some());
        assert!(free(&[], only_one, |_| true).expect("random").is_none());
    }

    #[test]
    fn made_networks_are_of_lxds_form() {
        let [(_, _, v4), (_, _, v6)] = FAMILIES;
        assert_eq!(v4([255, 3, 0, 0, 0, 0]), "10.0.3.1/24");
        let made: Subnet = v6([0, 1, 2, 3, 0xff, 0xff]).parse().expect("a subnet");
        assert_eq!(made.to_string(), "fd42:1:203:ffff::1/64");
        assert!(v6([9; 6]).parse::<Subnet>().is_ok());
    }

    #[test]
    fn nat_comes_with_automatic_addresses_only() {
        let mut config =
            Config::from([("ipv4.address".into(), "10.0.0.1/24".into()), ("ipv6.address".into(), "none".into())]);
        fill(&mut config).expect("filled");
        assert!(!config.contains_key("ipv4.nat") && !config.contains_key("ipv6.nat"), "{config:?}");
        let mut config = Config::from([("ipv6.address".into(), "none".into())]);
        fill(&mut config).expect("filled");
        assert_eq!(get(&config, "ipv4.nat"), "true");
        assert!(get(&config, "ipv4.address").starts_with("10."));
    }
}
