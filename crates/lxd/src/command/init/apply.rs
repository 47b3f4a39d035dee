//! Makes the daemon be what a preseed says: whole, or not at all.

use super::super::local::Local;
use corten_api::error::{Error, Result};
use corten_api::init::{InitNetworksProjectPost, InitPreseed};
use corten_api::network::NetworksPost;
use corten_api::url;
use corten_host::undo::Undo;
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Applies it; what was done before a failure is taken back.
///
/// # Errors
/// The daemon's, with the thing that it concerns.
pub fn run(local: &mut Local, config: &InitPreseed) -> Result<()> {
    let mut undo = Undo::default();
    let mut work = Work { local, undo: &mut undo };
    work.server(&config.config)?;
    for pool in &config.storage_pools {
        work.thing(&Thing::new("storage pool", "storage-pools", &pool.name, pool)?)?;
    }
    let (default, other): (Vec<_>, Vec<_>) =
        config.networks.iter().partition(|network| matches!(network.project.as_str(), "" | url::DEFAULT_PROJECT));
    // Projects may need networks of the default one, and networks of other projects need those.
    default.into_iter().try_for_each(|network| work.network(network))?;
    for project in &config.projects {
        work.thing(&Thing::new("local member project", "projects", &project.name, project)?)?;
    }
    other.into_iter().try_for_each(|network| work.network(network))?;
    for profile in &config.profiles {
        work.thing(&Thing::new("profile", "profiles", &profile.name, profile)?)?;
    }
    undo.keep();
    Ok(())
}

/// Something that is made when it is not there, and changed when it is.
struct Thing {
    what: String,
    collection: String,
    path: String,
    query: String,
    body: Map<String, Value>,
}

impl Thing {
    fn new(kind: &str, collection: &str, name: &str, body: &impl Serialize) -> Result<Thing> {
        let body = serde_json::to_value(body).map_err(|error| Error::internal(error.to_string()))?;
        Ok(Thing {
            what: format!("{kind} {name:?}"),
            collection: url::path([collection]),
            path: url::path([collection, name]),
            query: String::new(),
            body: body.as_object().cloned().unwrap_or_default(),
        })
    }
}

struct Work<'a> {
    local: &'a mut Local,
    undo: &'a mut Undo,
}

/// Sends one request on a connection of its own: the way back may be needed when the first one is broken.
fn take_back(method: &'static str, path: String, body: Option<Value>) -> impl FnOnce() -> Result<(), String> + Send {
    move || {
        let sent = Local::connect().and_then(|mut local| local.tell(method, &path, body.as_ref()));
        sent.map_err(|error| error.to_string())
    }
}

impl Work<'_> {
    fn server(&mut self, config: &BTreeMap<String, Value>) -> Result<()> {
        if config.is_empty() {
            return Ok(());
        }
        let current: corten_api::server::Server =
            self.local.get("/1.0").map_err(|error| error.context("Failed to retrieve current server configuration"))?;
        let old = json!(current.writable());
        let mut new = current.writable();
        new.config.extend(config.iter().map(|(key, value)| (key.clone(), Value::String(plain(value)))));
        self.local
            .tell("PUT", "/1.0", Some(&new))
            .map_err(|error| error.context("Failed to update server configuration"))?;
        self.undo.push("server configuration", take_back("PUT", "/1.0".to_string(), Some(old)));
        Ok(())
    }

    fn network(&mut self, network: &InitNetworksProjectPost) -> Result<()> {
        let project = if network.project.is_empty() { url::DEFAULT_PROJECT } else { &network.project };
        let body = NetworksPost {
            config: network.config.clone(),
            description: network.description.clone(),
            name: network.name.clone(),
            r#type: network.r#type.clone(),
        };
        let mut thing = Thing::new("local member network", "networks", &network.name, &body)?;
        thing.what = format!("{} in project {project:?}", thing.what);
        thing.query = format!("?project={}", url::escape_query(project));
        self.thing(&thing)
    }

    fn thing(&mut self, thing: &Thing) -> Result<()> {
        let Thing { what, query, .. } = thing;
        let path = format!("{}{query}", thing.path);
        let there = self.local.get::<Map<String, Value>>(&path);
        let current = match there {
            Ok(current) => current,
            Err(error) if error.kind == corten_api::error::Kind::NotFound => {
                let created = self.local.tell("POST", &format!("{}{query}", thing.collection), Some(&thing.body));
                created.map_err(|error| error.context(format!("Failed to create {what}")))?;
                self.undo.push("creation", take_back("DELETE", path, None));
                return Ok(());
            }
            Err(error) => return Err(error.context(format!("Failed to retrieve current {what}"))),
        };
        if let (Some(is), Some(wanted)) = (current.get("driver"), thing.body.get("driver"))
            && is != wanted
        {
            // Only pools have drivers.
            return Err(Error::invalid(format!("S{} is of type {is} instead of {wanted}", &what[1..])));
        }
        let new = merge(&current, &thing.body);
        let updated = self.local.tell("PUT", &path, Some(&new));
        updated.map_err(|error| error.context(format!("Failed to update {what}")))?;
        self.undo.push("update", take_back("PUT", path, Some(Value::Object(current))));
        Ok(())
    }
}

/// A value of YAML as the text that the daemon wants.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

/// What is there with what is wanted put over it: a description that is not empty, keys, devices key by key.
fn merge(current: &Map<String, Value>, wanted: &Map<String, Value>) -> Map<String, Value> {
    let mut new = current.clone();
    if let Some(text) = wanted.get("description").filter(|text| text.as_str().is_some_and(|text| !text.is_empty())) {
        new.insert("description".to_string(), text.clone());
    }
    let part = |name: &str| wanted.get(name).and_then(Value::as_object).cloned().unwrap_or_default();
    let config = new.entry("config").or_insert_with(|| json!({}));
    if let Some(config) = config.as_object_mut() {
        config.extend(part("config").into_iter().map(|(key, value)| (key, Value::String(plain(&value)))));
    }
    for (name, keys) in part("devices") {
        let devices = new.entry("devices").or_insert_with(|| json!({}));
        let Some(devices) = devices.as_object_mut() else { continue };
        let device = devices.entry(name).or_insert_with(|| json!({}));
        if let (Some(device), Some(keys)) = (device.as_object_mut(), keys.as_object()) {
            device.extend(keys.clone());
        }
    }
    new
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_kept_where_nothing_else_is_said() {
        let object = |value: Value| value.as_object().cloned().expect("an object");
        let current =
            object(json!({"description": "d", "config": {"a": "1", "b": "2"}, "devices": {"root": {"pool": "x"}}}));
        let wanted = object(
            json!({"description": "", "config": {"b": 3}, "devices": {"root": {"size": "1GB"}, "eth0": {"type": "nic"}}}),
        );
        let wanted = merge(&current, &wanted);
        assert_eq!(
            Value::Object(wanted),
            json!({"description": "d", "config": {"a": "1", "b": "3"},
                   "devices": {"root": {"pool": "x", "size": "1GB"}, "eth0": {"type": "nic"}}})
        );
    }
}
