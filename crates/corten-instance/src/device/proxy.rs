//! `proxy`: connections from the host into the container or the other way round, by a process of their own, or (`nat`) by
//! the firewall.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use corten_api::error::{Context, Error, Result};
use corten_config::device::proxy as keys;
use corten_config::value::proxy_address::End;
use corten_host::undo::Undo;
use corten_network::firewall::forward::{self, Forward};
use corten_runtime::proxy::{self, Address, Owner, ProxySpec};

use super::{Attachment, Call, Device};
use crate::instance::is_true;
use crate::step::step;

/// Proxies of containers.
pub struct Proxy;

fn ends(call: &Call<'_>) -> Result<(End, End)> {
    let listen = keys::LISTEN.get(call.options)?.unwrap_or_default();
    Ok((listen, keys::CONNECT.get(call.options)?.unwrap_or_default()))
}

fn is_nat(call: &Call<'_>) -> bool {
    is_true(call.get("nat"))
}

/// `INSTANCE.DEVICE`, the instance with its project before it.
fn label(call: &Call<'_>) -> String {
    format!("{}.{}", call.instance.host_name(), call.name)
}

/// The device's name as a part of a file's name.
fn file_name(call: &Call<'_>) -> String {
    call.name.replace('-', "--").replace('/', "-")
}

fn state(call: &Call<'_>) -> PathBuf {
    call.host.devices_dir(call.instance).join(format!("proxy.{}.json", file_name(call)))
}

/// The addresses of an end, one for each port.
fn addresses(end: &End) -> Result<Vec<Address>> {
    if end.protocol == "unix" {
        return Ok(vec![match end.address.strip_prefix('@') {
            Some(name) => Address::Abstract(name.to_string()),
            None => Address::Unix(PathBuf::from(&end.address)),
        }]);
    }
    let ip = match end.address.as_str() {
        "" => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        text => text.parse().map_err(|_| Error::invalid(format!("Not an IP address {text:?}")))?,
    };
    let address = |port: &u16| {
        let address = SocketAddr::new(ip, *port);
        if end.protocol == "udp" { Address::Udp(address) } else { Address::Tcp(address) }
    };
    Ok(end.ports.iter().map(address).collect())
}

fn spec(call: &Call<'_>) -> Result<ProxySpec> {
    let (listen, connect) = ends(call)?;
    let listens_inside = matches!(call.get("bind"), "instance" | "guest" | "container");
    Ok(ProxySpec {
        title: label(call),
        log: call.host.log_dir(call.instance).join(format!("proxy.{}.log", file_name(call))),
        state: state(call),
        owner: Owner {
            uid: keys::UID.get_or_default(call.options)?,
            gid: keys::GID.get_or_default(call.options)?,
            mode: keys::MODE.get_or_default(call.options)?,
        },
        user_namespace: !call.instance.is_privileged(),
        listen: addresses(&listen)?,
        connect: addresses(&connect)?,
        listens_inside,
        proxy_protocol: is_true(call.get("proxy_protocol")),
        run_as: (keys::SECURITY_UID.get_or_default(call.options)?, keys::SECURITY_GID.get_or_default(call.options)?),
    })
}

/// The rule of a proxy with `nat`, and the NIC that it leads to: the one with this fixed address, or the first with any
/// when the address is a wildcard. Anything else could reach for other instances' connections.
fn forward(call: &Call<'_>) -> Result<(Forward, String)> {
    let (listen, connect) = ends(call)?;
    let listening: IpAddr =
        listen.address.parse().map_err(|_| Error::invalid(format!("Not an IP address {:?}", listen.address)))?;
    let (version, key) = if listening.is_ipv4() { (4, "ipv4.address") } else { (6, "ipv6.address") };
    let wildcard = matches!(connect.address.as_str(), "" | "0.0.0.0" | "::");
    let fitting = call.instance.expanded_devices.iter().find_map(|(name, nic)| {
        let get = |key: &str| nic.get(key).map_or("", String::as_str);
        let bridged = get("nictype") == "bridged" || !get("network").is_empty();
        let address = get(key);
        let fits = get("type") == "nic" && bridged && (wildcard || address == connect.address);
        address.parse::<IpAddr>().ok().filter(|_| fits).map(|address| (address, name.clone()))
    });
    let Some((target, nic)) = fitting else {
        let address = &connect.address;
        return Err(Error::invalid(if wildcard {
            format!("Instance has no static IPv{version} address assigned to be used as the connect IP")
        } else {
            format!("Connect IP {address:?} must be one of the instance's static IPv{version} addresses")
        }));
    };
    let forward = Forward {
        protocol: Some(if listen.protocol == "udp" { "udp" } else { "tcp" }),
        listen: listening,
        listen_ports: listen.ports,
        target,
        target_ports: connect.ports,
    };
    Ok((forward, nic))
}

fn make_folder(path: &Path) -> Result<()> {
    let made = std::fs::DirBuilder::new().recursive(true).mode(0o711).create(path);
    made.with_context(|| format!("Failed to make {}", path.display()))
}

impl Device for Proxy {
    fn check(&self, call: &Call<'_>) -> Result<()> {
        if is_nat(call) { forward(call).map(drop) } else { spec(call).map(drop) }
    }

    fn start(&self, call: &Call<'_>, undo: &mut Undo) -> Result<Attachment> {
        if !is_nat(call) {
            let spec = spec(call)?;
            make_folder(&call.host.devices_dir(call.instance))?;
            let state = spec.state.clone();
            // It is run after the container; whatever follows then and fails takes it along.
            undo.push("run a proxy", move || proxy::stop(&state).map_err(|error| error.to_string()));
            return Ok(Attachment { proxy: Some(spec), ..Attachment::default() });
        }
        let (rule, nic) = forward(call)?;
        let label = label(call);
        step(
            undo,
            "set a proxy's firewall rules",
            || Ok(forward::set_proxy(&label, &rule)?),
            |()| {
                let label = label.clone();
                move || Ok(forward::clear_proxy(&label)?)
            },
        )?;
        Ok(Attachment { hairpin: Some(nic), ..Attachment::default() })
    }

    fn stop(&self, call: &Call<'_>) -> Result<()> {
        if is_nat(call) {
            return Ok(forward::clear_proxy(&label(call))?);
        }
        let ended = proxy::stop(&state(call));
        ended.map_err(|error| Error::internal(corten_api::error::chain(&error)))?;
        // It goes when nothing is in it.
        let _ = std::fs::remove_dir(call.host.devices_dir(call.instance));
        Ok(())
    }
}
