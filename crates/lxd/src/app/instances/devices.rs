//! Devices of an instance: started together, put in and taken out while it runs, and stopped after it.

use std::collections::BTreeSet;
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::sync::Arc;

use corten_api::error::{Context, Error, Result};
use corten_host::cgroup::devices::Rule;
use corten_host::undo::Undo;
use corten_instance::device::nic;
use corten_instance::device::registry::device;
use corten_instance::device::{Attachment, Call, Host, VolumeSource, start_order};
use corten_instance::idmap;
use corten_instance::instance::{Config, Devices, Instance};
use corten_network::network::Network;
use corten_network::port::move_link;

use super::running::{Entry, failed};
use crate::app::App;
use crate::app::projects::holdings::is_restricted;
use crate::app::projects::restrictions::devices::allowed_parent;
use crate::app::storage::attach;

impl Host for App {
    fn attach_volume(&self, instance: &Instance, pool: &str, volume: &str, undo: &mut Undo) -> Result<VolumeSource> {
        attach::attach(self, instance, pool, volume, undo)
    }

    fn detach_volume(&self, instance: &Instance, pool: &str, volume: &str) -> Result<()> {
        attach::detach(self, instance, pool, volume)
    }

    fn devices_dir(&self, instance: &Instance) -> PathBuf {
        self.dirs.var.join("devices").join(instance.host_name())
    }

    fn log_dir(&self, instance: &Instance) -> PathBuf {
        super::start::log_dir(self, instance)
    }

    fn source_folder(&self, instance: &Instance, source: &str) -> Result<Option<PathBuf>> {
        let scope = self.project(&instance.project)?;
        if !is_restricted(&scope.0.config) {
            return Ok(None);
        }
        match allowed_parent(&scope.0.config, source) {
            Some(parent) if parent.as_os_str().is_empty() => Ok(None),
            Some(parent) => Ok(Some(parent)),
            None => Err(Error::invalid(format!("Disk source path {source:?} not allowed by project"))),
        }
    }

    fn network(&self, instance: &Instance, options: &Config) -> Result<Option<Arc<dyn Network>>> {
        crate::app::networks::of_nic(self, &instance.project, options)
    }

    fn check_neighbours(&self, instance: &Instance, device: &str, options: &Config) -> Result<()> {
        crate::app::networks::conflicts::check(self, instance, device, options)
    }
}

/// Checks those devices of an instance that are new to it, whether it runs or not.
///
/// # Errors
/// The first that can be of no use as it is, in LXD's words.
pub fn validate<'a>(app: &App, instance: &Instance, names: impl Iterator<Item = &'a String>) -> Result<()> {
    for name in names {
        let Some(options) = instance.expanded_devices.get(name) else { continue };
        device(options)
            .and_then(|kind| kind.validate(&call(app, instance, name, options)))
            .map_err(|error| error.context(format!("Failed add validation for device {name:?}")))?;
    }
    Ok(())
}

/// Checks all devices, then starts each in its order; gives what they add, by name.
///
/// # Errors
/// The first device that cannot be started. What was started is in `undo`.
pub fn start_all(app: &Arc<App>, instance: &Instance, undo: &mut Undo) -> Result<Vec<(String, Attachment)>> {
    let order = start_order(&instance.expanded_devices);
    for (name, options) in &order {
        let kind =
            device(options).map_err(|error| error.context(format!("Failed start validation for device {name:?}")))?;
        kind.check(&call(app, instance, name, options))
            .map_err(|error| error.context(format!("Failed pre-start check for device {name:?}")))?;
    }
    let mut started = Vec::with_capacity(order.len());
    for (name, options) in order {
        let attachment = device(options)?
            .start(&call(app, instance, name, options), undo)
            .map_err(|error| error.context(format!("Failed to start device {name:?}")))?;
        started.push((name.to_string(), attachment));
    }
    Ok(started)
}

fn call<'a>(app: &'a App, instance: &'a Instance, name: &'a str, options: &'a Config) -> Call<'a> {
    Call { instance, name, options, host: app }
}

/// Draws names for the links that the NICs among `names` will leave on the host, and gives them to the instance as
/// remembered ones: what is made is known then before it is there. Gives them by device.
///
/// # Errors
/// When the kernel has no random bytes.
pub fn name_links(app: &App, instance: &mut Instance, names: &BTreeSet<String>) -> Result<Config> {
    let mut links = Config::new();
    for (name, options) in &instance.expanded_devices {
        let is_nic = options.get("type").is_some_and(|kind| kind == "nic");
        if is_nic
            && names.contains(name)
            && let Some(link) = nic::link_name(&call(app, instance, name, options))?
        {
            links.insert(name.clone(), link);
        }
    }
    with_links(instance, &links);
    Ok(links)
}

/// Gives an instance names of links as remembered ones.
pub fn with_links(instance: &mut Instance, links: &Config) {
    for config in [&mut instance.config, &mut instance.expanded_config] {
        config.extend(links.iter().map(|(device, link)| (format!("volatile.{device}.host_name"), link.clone())));
    }
}

/// The names of all devices.
pub fn names(devices: &Devices) -> BTreeSet<String> {
    devices.keys().cloned().collect()
}

/// The volatile keys that started devices ask to remember.
pub fn volatile_changes(started: &[(String, Attachment)]) -> Config {
    let changes = started.iter().flat_map(|(device, attachment)| {
        attachment.volatile.iter().map(move |(key, value)| (format!("volatile.{device}.{key}"), value.clone()))
    });
    changes.collect()
}

/// Stops all devices of an instance that has stopped, last first; every one is tried.
pub fn stop_all(app: &App, instance: &Instance) -> Vec<Error> {
    let mut order = start_order(&instance.expanded_devices);
    order.reverse();
    let stop = |(name, options): (&str, &Config)| {
        let stopped = device(options).and_then(|kind| kind.stop(&call(app, instance, name, options)));
        stopped.err().map(|error| error.context(format!("Failed to stop device {name:?}")))
    };
    order.into_iter().filter_map(stop).collect()
}

/// The volatile keys that devices only have while they run, set to nothing.
pub fn forgotten(instance: &Instance) -> Config {
    let of_device = |key: &str| {
        let rest = key.strip_prefix("volatile.")?;
        let (device, name) = rest.split_once('.')?;
        (instance.expanded_devices.contains_key(device) && is_transient(name)).then_some(())
    };
    instance.config.keys().filter(|key| of_device(key).is_some()).map(|key| (key.clone(), String::new())).collect()
}

/// The volatile keys of one device of an instance that runs, set to nothing: those that it has while it runs, and all but
/// its address when the instance does not have it.
pub fn forgotten_of(instance: &Instance, device: &str) -> Config {
    let (prefix, is_there) = (format!("volatile.{device}."), instance.expanded_devices.contains_key(device));
    let is_gone = |key: &&String| key.strip_prefix(&prefix).is_some_and(|name| !is_there || is_transient(name));
    instance.config.keys().filter(is_gone).map(|key| (key.clone(), String::new())).collect()
}

/// Whether a key is one that a device only has while it runs, such as `volatile.eth0.host_name`.
pub fn is_of_running(key: &str) -> bool {
    let rest = key.strip_prefix("volatile.").filter(|rest| !rest.starts_with("last_state."));
    rest.and_then(|rest| rest.split_once('.')).is_some_and(|(_, name)| is_transient(name))
}

fn is_transient(name: &str) -> bool {
    name == "host_name" || name.starts_with("last_state.")
}

/// Puts a device into a running container; gives the volatile keys to remember.
///
/// # Errors
/// What could not be done; nothing of it is left then.
pub fn plug(app: &Arc<App>, instance: &Instance, entry: &Entry, name: &str, options: &Config) -> Result<Config> {
    let kind = device(options)?;
    let call = call(app, instance, name, options);
    kind.check(&call).map_err(|error| error.context(format!("Failed pre-start check for device {name:?}")))?;
    let mut undo = Undo::default();
    let attachment =
        kind.start(&call, &mut undo).map_err(|error| error.context(format!("Failed to start device {name:?}")))?;
    attach(instance, entry, name, &attachment)?;
    let started = [(name.to_string(), attachment)];
    after_start(app, instance, entry, &started)?;
    undo.keep();
    Ok(volatile_changes(&started))
}

/// Does what devices need of the running container: proxies, and bridges that send back what came from a port.
///
/// # Errors
/// What could not be done. What was begun goes with the devices.
pub fn after_start(app: &App, instance: &Instance, entry: &Entry, started: &[(String, Attachment)]) -> Result<()> {
    for (name, attachment) in started {
        if let Some(proxy) = &attachment.proxy {
            corten_runtime::proxy::start(&app.instances.monitor, proxy, &entry.container)
                .map_err(|error| failed(&format!("Failed to start device {name:?}"), &error))?;
        }
        if let Some(nic) = &attachment.hairpin {
            let new = started.iter().find(|(other, _)| other == nic).and_then(|(_, of)| of.volatile.get("host_name"));
            let host_name = new.map_or_else(|| instance.volatile(&format!("volatile.{nic}.host_name")), String::as_str);
            corten_network::port::send_back(host_name)
                .map_err(|error| Error::from(error).context(format!("Failed to start device {name:?}")))?;
        }
    }
    Ok(())
}

fn attach(instance: &Instance, entry: &Entry, name: &str, attachment: &Attachment) -> Result<()> {
    let doing = format!("Failed to add device {name:?} to the running instance");
    let wrong = |error: corten_runtime::Error| failed(&doing, &error);
    let container = &entry.container;
    for mount in &attachment.mounts {
        container.mount(mount).map_err(wrong)?;
    }
    if instance.is_privileged() && !attachment.device_rules.is_empty() {
        let rules: Vec<_> = attachment.device_rules.iter().filter_map(|rule| Rule::allow(&rule.rule).ok()).collect();
        let group = container.group().map_err(wrong)?;
        group.apply_devices(&rules).with_context(|| doing.clone())?;
    }
    let map = idmap::for_runtime(&entry.idmap);
    for node in &attachment.nodes {
        container.add_node(node, map.as_ref()).map_err(wrong)?;
    }
    if let Some(port) = &attachment.port {
        let netns = container.netns_fd().map_err(wrong)?;
        move_link::give(port, netns.as_fd())?;
        if port.take_back {
            container.return_link(&port.guest_name, Some(&port.link)).map_err(wrong)?;
        }
    }
    Ok(())
}

/// Takes a device out of a running container.
///
/// # Errors
/// What could not be done.
pub fn unplug(app: &App, instance: &Instance, entry: &Entry, name: &str, options: &Config) -> Result<Config> {
    take_from_guest(instance, entry, name, options)?;
    device(options)?.stop(&call(app, instance, name, options))?;
    let prefix = format!("volatile.{name}.");
    let gone = instance
        .config
        .keys()
        .filter_map(|key| key.strip_prefix(&prefix).filter(|rest| is_transient(rest)).map(|_| key));
    Ok(gone.map(|key| (key.clone(), String::new())).collect())
}

/// Takes out what may be there of a device, of which nobody knows how far it came; `counted`: its volume is counted as used.
///
/// # Errors
/// What is there and does not go.
pub fn take_remains(
    app: &App,
    instance: &Instance,
    entry: Option<&Entry>,
    (name, options): (&str, &Config),
    counted: bool,
) -> Result<()> {
    if let Some(entry) = entry
        && let Err(error) = take_from_guest(instance, entry, name, options)
    {
        // Most likely it was not there.
        tracing::debug!(instance = instance.name, device = name, %error, "Nothing was taken out of the instance");
    }
    if !counted && options.get("type").is_some_and(|kind| kind == "disk") {
        return Ok(());
    }
    device(options)?.stop(&call(app, instance, name, options))
}

/// Takes out of the guest what does not go with the host's part of a device.
fn take_from_guest(instance: &Instance, entry: &Entry, name: &str, options: &Config) -> Result<()> {
    let doing = format!("Failed to remove device {name:?} from the running instance");
    let wrong = |error: corten_runtime::Error| failed(&doing, &error);
    let container = &entry.container;
    let get = |option: &str| options.get(option).map_or("", String::as_str);
    match get("type") {
        "disk" if get("path") == "/" => {
            return Err(Error::invalid("Root disk cannot be detached from a running instance"));
        }
        "disk" => container.unmount(get("path")).map_err(wrong)?,
        "unix-char" | "unix-block" => {
            let path = if get("path").is_empty() { get("source") } else { get("path") };
            container.remove_node(path).map_err(wrong)?;
        }
        "nic" => {
            // A real interface comes back; a pair goes with its host's end.
            let inside = nic::interface_name(instance, name, options);
            let host = instance.volatile(&format!("volatile.{name}.host_name"));
            if get("nictype") == "physical" && !host.is_empty() {
                let netns = container.netns_fd().map_err(wrong)?;
                move_link::take_back(netns.as_fd(), &inside, host)?;
                container.return_link(&inside, None).map_err(wrong)?;
            }
        }
        _ => {}
    }
    Ok(())
}

/// Brings changed live options of a device into effect.
///
/// # Errors
/// What could not be changed.
pub fn update(app: &App, instance: &Instance, name: &str, old: &Config, new: &Config) -> Result<()> {
    device(new)?.update(&call(app, instance, name, new), old)
}
