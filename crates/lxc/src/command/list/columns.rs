//! The columns of `lxc list`: one table for the letters, and those made of configuration or device keys.

use corten_api::error::{Error, Result};
use corten_api::instance::InstanceFull;
use corten_api::status::StatusCode;
use corten_api::time::Time;
use corten_config::entity::{Entity, lookup};

use crate::{byte_size, moment};

/// A column that was asked for.
pub struct Column {
    /// Its heading.
    pub title: String,
    /// Whether it shows state or snapshots, which are only sent when asked for.
    pub needs_more: bool,
    /// Its cell for one instance.
    pub cell: Box<dyn Fn(&InstanceFull) -> String>,
}

type Cell = fn(&InstanceFull) -> String;

/// Letter, heading, whether it needs state or snapshots, cell.
const LETTERS: [(char, &str, bool, Cell); 22] = [
    ('4', "IPV4", true, |instance| addresses(instance, "inet")),
    ('6', "IPV6", true, |instance| addresses(instance, "inet6")),
    ('a', "ARCHITECTURE", false, |instance| instance.architecture.clone()),
    ('b', "STORAGE POOL", false, storage_pool),
    ('c', "CREATED AT", false, |instance| minute(instance.created_at)),
    ('d', "DESCRIPTION", false, |instance| instance.description.clone()),
    ('D', "DISK USAGE", true, disk_usage),
    ('e', "PROJECT", false, |instance| instance.project.clone()),
    ('f', "BASE IMAGE", false, |instance| base_image(instance).chars().take(12).collect()),
    ('F', "BASE IMAGE", false, base_image),
    ('l', "LAST USED AT", false, |instance| minute(instance.last_used_at)),
    ('L', "LOCATION", false, |instance| instance.location.clone()),
    ('m', "MEMORY USAGE", true, |instance| memory(instance).map(byte_size::binary).unwrap_or_default()),
    ('M', "MEMORY USAGE%", true, memory_percent),
    ('n', "NAME", false, |instance| instance.name.clone()),
    ('N', "PROCESSES", true, |instance| of_running(instance, |state| state.processes.to_string())),
    ('p', "PID", true, |instance| of_running(instance, |state| state.pid.to_string())),
    ('P', "PROFILES", false, |instance| instance.profiles.join("\n")),
    ('s', "STATE", false, |instance| instance.status.to_uppercase()),
    ('S', "SNAPSHOTS", true, |instance| instance.snapshots.as_ref().map_or(0, Vec::len).to_string()),
    ('t', "TYPE", false, kind),
    ('u', "CPU USAGE", true, cpu_usage),
];

/// Reads what `--columns` says. `L` in one of the `defaults` is left out where there is no cluster.
///
/// # Errors
/// In LXD's words for what cannot be understood.
pub fn parse(wanted: &str, defaults: &[&str], clustered: bool) -> Result<Vec<Column>> {
    if !clustered && !defaults.contains(&wanted) && wanted.contains('L') {
        return Err(Error::invalid("Can't specify column L when not clustered"));
    }
    let wanted = if clustered { wanted.to_owned() } else { wanted.replace('L', "") };
    let mut columns = Vec::new();
    for entry in wanted.split(',') {
        if entry.is_empty() {
            let text = format!("Empty column entry (redundant, leading or trailing command) in '{wanted}'");
            return Err(Error::invalid(text));
        }
        // Keys always have a dot, letters never do.
        if entry.contains('.') {
            columns.push(of_key(entry)?);
            continue;
        }
        for letter in entry.chars() {
            let Some((_, title, needs_more, cell)) = LETTERS.iter().find(|(known, ..)| *known == letter) else {
                return Err(Error::invalid(format!("Unknown column shorthand char '{letter}' in '{entry}'")));
            };
            columns.push(Column { title: (*title).to_owned(), needs_more: *needs_more, cell: Box::new(*cell) });
        }
    }
    Ok(columns)
}

/// `[config:|devices:]KEY[:TITLE[:MAXWIDTH]]`.
fn of_key(entry: &str) -> Result<Column> {
    let mut parts: Vec<&str> = entry.split(':').collect();
    let of_device = parts.len() > 1 && parts[0] == "devices";
    if of_device || (parts.len() > 1 && parts[0] == "config") {
        parts.remove(0);
    }
    if parts.len() > 3 {
        return Err(Error::invalid(format!("Invalid config key column format (too many fields): '{entry}'")));
    }
    let key = parts[0].to_owned();
    if !of_device && !is_known(&key) {
        return Err(Error::invalid(format!("Invalid config key '{key}' in '{entry}'")));
    }
    let title = match parts.get(1) {
        Some(&"") if parts.len() != 3 => {
            return Err(Error::invalid(format!(
                "Invalid name in '{entry}', empty string is only allowed when defining maxWidth"
            )));
        }
        Some(title) => (*title).to_owned(),
        None => key.clone(),
    };
    let width = parts.get(2).map(|width| max_width(width, &title, entry)).transpose()?.flatten();
    let cell = move |instance: &InstanceFull| {
        let value = if of_device { device_key(instance, &key) } else { config_key(instance, &key) };
        width.map_or(value.clone(), |width| value.chars().take(width).collect())
    };
    Ok(Column { title, needs_more: false, cell: Box::new(cell) })
}

/// Whether instances of either kind may have a key.
fn is_known(key: &str) -> bool {
    key.starts_with("user.") || key.starts_with("image.") || lookup(Entity::Profile, key).is_some()
}

/// How many characters are shown; `None` sets no limit.
fn max_width(text: &str, title: &str, entry: &str) -> Result<Option<usize>> {
    match text.parse::<i64>() {
        Err(_) => Err(Error::invalid(format!("Invalid max width (must be an integer) '{text}' in '{entry}'"))),
        Ok(-1) => Ok(None),
        Ok(0) => Ok(Some(title.len()).filter(|width| *width > 0)),
        Ok(width) => usize::try_from(width).map(Some).map_err(|_| {
            Error::invalid(format!("Invalid max width (must -1, 0 or a positive integer) '{text}' in '{entry}'"))
        }),
    }
}

fn config_key(instance: &InstanceFull, key: &str) -> String {
    instance.config.get(key).or_else(|| instance.expanded_config.get(key)).cloned().unwrap_or_default()
}

fn device_key(instance: &InstanceFull, key: &str) -> String {
    let Some((device, key)) = key.split_once('.') else { return String::new() };
    let of = |devices: &std::collections::BTreeMap<_, std::collections::BTreeMap<String, String>>| {
        devices.get(device).and_then(|keys| keys.get(key)).cloned()
    };
    of(&instance.devices).or_else(|| of(&instance.expanded_devices)).unwrap_or_default()
}

/// Whether the instance has processes.
fn is_active(instance: &InstanceFull) -> bool {
    !matches!(instance.status_code, StatusCode::Stopped | StatusCode::Error)
}

fn of_running(instance: &InstanceFull, cell: fn(&corten_api::instance_state::InstanceState) -> String) -> String {
    instance.state.as_ref().filter(|_| is_active(instance)).map(cell).unwrap_or_default()
}

/// The addresses of a family that others can reach, with their interfaces, last first as LXD sorts them.
fn addresses(instance: &InstanceFull, family: &str) -> String {
    let networks = instance.state.as_ref().filter(|_| is_active(instance)).and_then(|state| state.network.as_ref());
    let mut found = Vec::new();
    for (name, network) in networks.into_iter().flatten().filter(|(_, network)| network.r#type != "loopback") {
        for address in &network.addresses {
            if address.family == family && !matches!(address.scope.as_str(), "link" | "local") {
                found.push(format!("{} ({name})", address.address));
            }
        }
    }
    found.sort();
    found.reverse();
    found.join("\n")
}

fn is_root(keys: &std::collections::BTreeMap<String, String>) -> bool {
    let is = |key: &str, value: &str| keys.get(key).is_some_and(|found| found == value);
    is("type", "disk") && is("path", "/")
}

fn storage_pool(instance: &InstanceFull) -> String {
    let root = instance.expanded_devices.values().find(|keys| is_root(keys));
    root.and_then(|keys| keys.get("pool")).cloned().unwrap_or_default()
}

fn disk_usage(instance: &InstanceFull) -> String {
    let root = instance.expanded_devices.iter().find(|(_, keys)| {
        is_root(keys) && keys.get("source").is_none_or(String::is_empty) && keys.contains_key("pool")
    });
    let disks = instance.state.as_ref().and_then(|state| state.disk.as_ref());
    let usage = root.zip(disks).and_then(|((name, _), disks)| disks.get(name)).map_or(0, |disk| disk.usage);
    if usage > 0 { byte_size::binary(usage) } else { String::new() }
}

fn memory(instance: &InstanceFull) -> Option<i64> {
    let state = instance.state.as_ref().filter(|_| is_active(instance))?;
    Some(state.memory.usage).filter(|usage| *usage > 0)
}

#[expect(clippy::cast_precision_loss, reason = "one digit after the point is shown")]
fn memory_percent(instance: &InstanceFull) -> String {
    let limit = instance.expanded_config.get("limits.memory").filter(|limit| !limit.contains('%'));
    let limit = limit.and_then(|limit| corten_config::value::byte_size::parse(limit).ok()).filter(|limit| *limit > 0);
    memory(instance)
        .zip(limit)
        .map(|(usage, limit)| format!("{:.1}%", usage as f64 / limit as f64 * 100.0))
        .unwrap_or_default()
}

fn cpu_usage(instance: &InstanceFull) -> String {
    // Nanoseconds come, seconds are shown.
    of_running(instance, |state| match state.cpu.usage {
        usage if usage > 0 => format!("{}s", usage / 1_000_000_000),
        _ => String::new(),
    })
}

fn kind(instance: &InstanceFull) -> String {
    let kind = if instance.r#type.is_empty() { "CONTAINER".to_owned() } else { instance.r#type.to_uppercase() };
    if instance.ephemeral { format!("{kind} (EPHEMERAL)") } else { kind }
}

fn base_image(instance: &InstanceFull) -> String {
    instance.config.get("volatile.base_image").cloned().unwrap_or_default()
}

fn minute(time: Time) -> String {
    if time.is_never() { String::new() } else { moment::minute(time) }
}
