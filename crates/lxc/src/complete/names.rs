//! Names and keys that may stand at a place. A server that cannot be asked has none.

use corten_api::url;
use corten_client::server::Server;
use corten_config::entity::Entity;
use serde_json::Value;

use super::usage::Place;
use crate::commands::Command;
use crate::session::Session;

/// What is named by a word of a usage line, and the collection in which such names are.
const COLLECTIONS: [(&str, &str); 13] = [
    ("instance", "instances"),
    ("source", "instances"),
    ("profile", "profiles"),
    ("profiles", "profiles"),
    ("network", "networks"),
    ("pool", "storage-pools"),
    ("project", "projects"),
    ("ACL", "network-acls"),
    ("Zone", "network-zones"),
    ("zone", "network-zones"),
    ("fingerprint", "certificates"),
    ("warning-uuid", "warnings"),
    ("image", "images/aliases"),
];

/// Flags whose values are names, or one of a few words.
const FLAGS: [(&str, &str); 8] = [
    ("profile", "profiles"),
    ("storage", "storage-pools"),
    ("network", "networks"),
    ("project", "projects"),
    ("target-project", "projects"),
    ("target", "cluster/members"),
    ("destination-target", "cluster/members"),
    ("projects", "projects"),
];

/// Values of a flag.
pub async fn of_flag(session: &Session, flag: &str) -> Vec<String> {
    let few: &[&str] = match flag {
        "format" => &["compact", "csv", "json", "table", "yaml"],
        "mode" => &["pull", "push", "relay"],
        _ => &[],
    };
    if !few.is_empty() {
        return few.iter().map(|&word| word.to_owned()).collect();
    }
    match (FLAGS.iter().find(|(name, _)| *name == flag), session.server(&default_remote(session)).await) {
        (Some((_, collection)), Ok(server)) => list(&server, &format!("/1.0/{collection}")).await,
        _ => Vec::new(),
    }
}

fn default_remote(session: &Session) -> String {
    session.config.borrow().default_remote.clone()
}

/// What may stand at a place of a command's usage line, after the words before it.
pub async fn of_place(
    session: &Session,
    path: &[&'static Command],
    place: &Place<'_>,
    words: &[&str],
    unfinished: &str,
) -> Vec<String> {
    let group: Vec<&str> = path.iter().skip(1).map(|command| command.name).collect();
    let mut found = Vec::new();
    if place.has_remote {
        found.extend(of_remotes(session, place, unfinished).await);
    }
    match place.noun {
        "remote" => found.extend(session.config.borrow().remotes.keys().cloned()),
        "alias" | "old alias" => found.extend(session.config.borrow().aliases.keys().cloned()),
        "driver" => found.extend(corten_config::storage::DRIVERS.map(str::to_owned)),
        "shell" => found.extend(["bash", "fish", "zsh"].map(str::to_owned)),
        "direction" => found.extend(["egress", "ingress"].map(str::to_owned)),
        "type" if group.contains(&"device") => {
            found.extend(corten_config::device::types().map(|(kind, _)| kind.to_owned()));
        }
        "volume" => found.extend(below_owner(session, words, "storage-pools", "volumes/custom").await),
        "listen_address" => found.extend(below_owner(session, words, "networks", "forwards").await),
        "record" => found.extend(below_owner(session, words, "network-zones", "records").await),
        "device" | "name" if group.contains(&"device") => found.extend(devices(session, &group, words).await),
        "instance" | "profile" if !place.has_remote => found.extend(beside_owner(session, words, place.noun).await),
        "key" | "key=value" => {
            let end = if place.is_pair { "=" } else { "" };
            found.extend(keys(&group).into_iter().map(|key| key + end));
        }
        _ => {}
    }
    if group == ["config", "get"] || group == ["config", "set"] || group == ["config", "unset"] {
        let end = if group[1] == "set" { "=" } else { "" };
        if words.is_empty() {
            found.extend(keys(&["server"]).into_iter().map(|key| key + end));
        }
    }
    found
}

/// Remotes, with a colon; and the names on the remote that the unfinished word or the configuration names.
async fn of_remotes(session: &Session, place: &Place<'_>, unfinished: &str) -> Vec<String> {
    let mut found: Vec<String> = session.config.borrow().remotes.keys().map(|name| format!("{name}:")).collect();
    let Some((_, collection)) = COLLECTIONS.iter().find(|(noun, _)| *noun == place.noun) else { return found };
    let (remote, prefix) = match unfinished.split_once(':') {
        Some((remote, _)) => (remote.to_owned(), format!("{remote}:")),
        None => (default_remote(session), String::new()),
    };
    if let Ok(server) = session.server(&remote).await {
        let names = list(&server, &format!("/1.0/{collection}")).await;
        found.extend(names.into_iter().map(|name| format!("{prefix}{name}")));
    }
    found
}

/// Names below the thing that the first word names: volumes of a pool, records of a zone.
async fn below_owner(session: &Session, words: &[&str], owners: &str, collection: &str) -> Vec<String> {
    let Some(first) = words.first() else { return Vec::new() };
    match session.resource(first).await {
        Ok(found) => list(&found.server, &format!("{}/{collection}", url::path([owners, &found.name]))).await,
        Err(_) => Vec::new(),
    }
}

/// Instances or profiles on the server of the first word.
async fn beside_owner(session: &Session, words: &[&str], noun: &str) -> Vec<String> {
    let first = words.first().copied().unwrap_or_default();
    match session.resource(first).await {
        Ok(found) => list(&found.server, &format!("/1.0/{noun}s")).await,
        Err(_) => Vec::new(),
    }
}

/// The devices of the instance or profile that the first word names.
async fn devices(session: &Session, group: &[&str], words: &[&str]) -> Vec<String> {
    let Some(first) = words.first() else { return Vec::new() };
    let Ok(found) = session.resource(first).await else { return Vec::new() };
    let (collection, field) = match group {
        ["profile", ..] => ("profiles", "devices"),
        [.., "override"] => ("instances", "expanded_devices"),
        _ => ("instances", "devices"),
    };
    let whole: Value = found.server.get(&url::path([collection, &found.name])).await.unwrap_or_default();
    whole.get(field).and_then(Value::as_object).map(|devices| devices.keys().cloned().collect()).unwrap_or_default()
}

/// The keys that things of a group of commands can have. Of a pattern its fixed beginning is given.
fn keys(group: &[&str]) -> Vec<String> {
    let tables = match group {
        ["server", ..] => Entity::Server.tables(),
        ["project", ..] => Entity::Project.tables(),
        ["profile" | "config", "device", ..] => corten_config::device::types()
            .filter_map(|(kind, subtype)| corten_config::device::table(kind, subtype))
            .collect(),
        ["profile" | "config", ..] => Entity::Profile.tables(),
        ["network", "create" | "get" | "set" | "unset"] => Entity::Network("bridge", "").tables(),
        ["network", "zone", "create" | "get" | "set" | "unset"] => Entity::Zone.tables(),
        ["storage", "volume", ..] => {
            corten_config::storage::DRIVERS.into_iter().flat_map(corten_config::storage::volume_tables).collect()
        }
        ["storage", ..] => {
            corten_config::storage::DRIVERS.into_iter().flat_map(|driver| Entity::Pool(driver).tables()).collect()
        }
        _ => Vec::new(),
    };
    tables
        .into_iter()
        .flatten()
        .map(|key| {
            let name = key.facts().name;
            name.split(['<', '*']).next().unwrap_or(name).to_owned()
        })
        .collect()
}

/// The last parts of the paths in a list of the server.
async fn list(server: &Server, path: &str) -> Vec<String> {
    let paths: Vec<String> = server.get(path).await.unwrap_or_default();
    paths
        .iter()
        .map(|path| path.split('?').next().unwrap_or(path))
        .filter_map(|path| path.rsplit('/').next())
        .filter_map(url::unescape)
        .collect()
}
