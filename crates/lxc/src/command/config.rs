//! `lxc config`: keys of instances and of the server.

use corten_api::error::{Error, Result};
use corten_api::instance::{Instance, InstancePut};
use corten_api::instance_snapshot::{InstanceSnapshot, InstanceSnapshotPut};
use corten_api::server::ServerPut;
use corten_api::{url, yaml};
use corten_client::server::Server;
use hyper::Method;
use serde_json::Value;

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::session::{Resource, Session};
use crate::{editor, entity, key_value, printer, run};

const ACCESS_EXPANDED: Flag = Flag::switch("expanded", "Access the expanded configuration").short('e');
const SHOW_EXPANDED: Flag = Flag::switch("expanded", "Show the expanded configuration").short('e');

/// The group.
pub static COMMAND: Command = Command {
    name: "config",
    about: "Manage instance and server configuration options",
    children: &[
        &super::config_device::COMMAND,
        &EDIT,
        &GET,
        &super::config_metadata::COMMAND,
        &super::profile::OF_CONFIG,
        &SET,
        &SHOW,
        &super::config_template::COMMAND,
        &super::config_trust::COMMAND,
        &UNSET,
    ],
    ..Command::EMPTY
};

static EDIT: Command = Command {
    name: "edit",
    usage: "[<remote>:][<instance>[/<snapshot>]]",
    about: "Edit instance or server configurations as YAML",
    examples: "lxc config edit <instance> < instance.yaml\n    Gives the instance the configuration in instance.yaml.",
    flags: &[entity::TARGET],
    words: (0, Some(1)),
    run: run!(edit),
    ..Command::EMPTY
};

static GET: Command = Command {
    name: "get",
    usage: "[<remote>:][<instance>] <key>",
    about: "Get values for instance or server configuration keys",
    flags: &[ACCESS_EXPANDED, entity::TARGET],
    words: (1, Some(2)),
    run: run!(get),
    ..Command::EMPTY
};

static SET: Command = Command {
    name: "set",
    usage: "[<remote>:][<instance>] <key>=<value>...",
    about: "Set instance or server configuration keys",
    long: "Set instance or server configuration keys\n\nThe older form takes one key:\n    lxc config set [<remote>:][<instance>] <key> <value>",
    examples: "lxc config set c1 limits.cpu=2\n    Lets the instance use two processors.\n\nlxc config set core.https_address=[::]:8443\n    Lets the server listen on port 8443 of all addresses.",
    flags: &[entity::TARGET],
    words: (1, None),
    run: run!(set),
    ..Command::EMPTY
};

static SHOW: Command = Command {
    name: "show",
    usage: "[<remote>:][<instance>[/<snapshot>]]",
    about: "Show instance or server configurations",
    flags: &[SHOW_EXPANDED, entity::TARGET],
    words: (0, Some(1)),
    run: run!(show),
    ..Command::EMPTY
};

static UNSET: Command = Command {
    name: "unset",
    usage: "[<remote>:][<instance>] <key>",
    about: "Unset instance or server configuration keys",
    flags: &[entity::TARGET],
    words: (1, Some(2)),
    run: run!(unset),
    ..Command::EMPTY
};

const EDIT_HEADER: &str = "\
### The configuration of an instance, as YAML.
### Lines that begin with a '#' are comments and are left out.
###
### It looks like this:
### name: instance1
### profiles:
### - default
### config:
###   limits.memory: 1GiB
### devices:
###   homedir:
###     path: /extra
###     source: /home/user
###     type: disk
### ephemeral: false
###
### The name is only shown; to change it, rename the instance.";

/// Whose configuration is meant.
enum Owner {
    Server(Server),
    Instance(Resource),
}

/// Finds the owner that a word names; an empty name means the server.
async fn owner(session: &Session, arguments: &Arguments, word: &str) -> Result<Owner> {
    let found = session.resource(word).await?;
    if found.name.is_empty() {
        return Ok(Owner::Server(entity::at_cluster_target(found.server, arguments).await?));
    }
    if !arguments.text("target").is_empty() {
        return Err(Error::invalid("--target cannot be used with instances"));
    }
    Ok(Owner::Instance(found))
}

/// The path of an instance, or of a snapshot `<instance>/<snapshot>`.
pub fn instance_path(name: &str) -> String {
    match name.split_once('/') {
        Some((instance, snapshot)) => url::path(["instances", instance, "snapshots", snapshot]),
        None => url::path(["instances", name]),
    }
}

async fn get(session: &Session, arguments: &Arguments) -> Result<()> {
    let (word, key) = match arguments.words.as_slice() {
        [word, key] => (word.as_str(), key),
        _ => ("", &arguments.words[0]),
    };
    let expanded = arguments.is_set("expanded");
    let value = match owner(session, arguments, word).await? {
        Owner::Instance(found) => {
            let instance: Instance = found.server.get(&url::path(["instances", &found.name])).await?;
            let config = if expanded { instance.expanded_config } else { instance.config };
            config.get(key).cloned().unwrap_or_default()
        }
        Owner::Server(_) if expanded => return Err(Error::invalid("--expanded cannot be used with a server")),
        Owner::Server(server) => {
            let whole: corten_api::server::Server = server.get("/1.0").await?;
            whole.config.get(key).map(plain).unwrap_or_default()
        }
    };
    printer::print_line(&value);
    Ok(())
}

/// A value of the server's configuration as text.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// Which word of `set` names the owner: `None` when all words are keys of the default server. A word is a key when it
/// has a point after its colon, since names of instances have none.
fn owner_word(words: &[String]) -> Option<&str> {
    let first = words.first()?;
    let is_key = first.split_once(':').map_or(first.as_str(), |(_, rest)| rest).contains('.');
    let pairs = words.iter().filter(|word| word.contains('=')).count();
    let only_keys = pairs == words.len() || is_key || (words.len() == 2 && pairs == 0);
    (!only_keys).then_some(first)
}

async fn set(session: &Session, arguments: &Arguments) -> Result<()> {
    let word = owner_word(&arguments.words);
    let words = arguments.rest(usize::from(word.is_some()));
    match owner(session, arguments, word.unwrap_or_default()).await? {
        Owner::Instance(found) => {
            let keys = key_value::to_set(words)?;
            change_instance(&found, |instance| {
                instance.config.extend(keys);
                Ok(())
            })
            .await
        }
        Owner::Server(server) => set_on_server(&server, words).await,
    }
}

async fn unset(session: &Session, arguments: &Arguments) -> Result<()> {
    let mut words = arguments.words.clone();
    words.push(String::new());
    let word = owner_word(&words).map(str::to_owned);
    match owner(session, arguments, word.as_deref().unwrap_or_default()).await? {
        Owner::Instance(found) => {
            let key = arguments.word(1);
            change_instance(&found, |instance| match instance.config.remove(key) {
                Some(_) => Ok(()),
                None => Err(Error::invalid(format!("Can't unset key '{key}', it's not currently set"))),
            })
            .await
        }
        Owner::Server(server) => set_on_server(&server, &words[usize::from(word.is_some())..]).await,
    }
}

async fn set_on_server(server: &Server, words: &[String]) -> Result<()> {
    let (whole, etag): (corten_api::server::Server, _) = server.get_with_etag("/1.0").await?;
    let mut writable = whole.writable();
    for (key, value) in key_value::to_set(words)? {
        writable.config.insert(key, Value::String(value));
    }
    server.put("/1.0", &writable, &etag).await
}

/// Changes an instance, unless it changed meanwhile, and waits until that is done.
pub async fn change_instance(found: &Resource, edit: impl FnOnce(&mut Instance) -> Result<()>) -> Result<()> {
    let path = url::path(["instances", &found.name]);
    let (mut instance, etag): (Instance, _) = found.server.get_with_etag(&path).await?;
    edit(&mut instance)?;
    found.server.start(Method::PUT, &path, &instance.writable(), &etag).await?.wait().await.map(|_| ())
}

async fn show(session: &Session, arguments: &Arguments) -> Result<()> {
    let expanded = arguments.is_set("expanded");
    let text = match owner(session, arguments, arguments.word(0)).await? {
        Owner::Server(_) if expanded => return Err(Error::invalid("--expanded cannot be used with a server")),
        Owner::Server(server) => {
            let whole: corten_api::server::Server = server.get("/1.0").await?;
            yaml::to_string(&whole.writable())?
        }
        Owner::Instance(found) if found.name.contains('/') => {
            let mut snapshot: InstanceSnapshot = found.server.get(&instance_path(&found.name)).await?;
            if expanded {
                snapshot.config.clone_from(&snapshot.expanded_config);
                snapshot.devices.clone_from(&snapshot.expanded_devices);
            }
            yaml::to_string(&snapshot)?
        }
        Owner::Instance(found) => {
            let mut instance: Instance = found.server.get(&instance_path(&found.name)).await?;
            if expanded {
                instance.config = std::mem::take(&mut instance.expanded_config);
                instance.devices = std::mem::take(&mut instance.expanded_devices);
            }
            yaml::to_string(&instance.writable())?
        }
    };
    printer::print(&text);
    Ok(())
}

async fn edit(session: &Session, arguments: &Arguments) -> Result<()> {
    match owner(session, arguments, arguments.word(0)).await? {
        Owner::Server(server) => edit_server(&server).await,
        Owner::Instance(found) => edit_instance(&found).await,
    }
}

async fn edit_server(server: &Server) -> Result<()> {
    if let Some(text) = editor::from_stdin()? {
        return server.put("/1.0", &yaml::from_str::<ServerPut>(&text)?, "").await;
    }
    let (whole, etag): (corten_api::server::Server, _) = server.get_with_etag("/1.0").await?;
    editor::until_taken(yaml::to_string(&whole.writable())?, async |text| {
        server.put("/1.0", &yaml::from_str::<ServerPut>(text)?, &etag).await
    })
    .await
}

async fn edit_instance(found: &Resource) -> Result<()> {
    if let Some(text) = editor::from_stdin()? {
        return put_yaml(found, &text, "").await;
    }
    let path = instance_path(&found.name);
    let (text, etag) = if found.name.contains('/') {
        let (mut snapshot, etag): (InstanceSnapshot, _) = found.server.get_with_etag(&path).await?;
        snapshot.expanded_config.clear();
        snapshot.expanded_devices.clear();
        (yaml::to_string(&snapshot)?, etag)
    } else {
        let (mut instance, etag): (Instance, _) = found.server.get_with_etag(&path).await?;
        instance.expanded_config.clear();
        instance.expanded_devices.clear();
        (yaml::to_string(&instance)?, etag)
    };
    editor::until_taken(format!("{EDIT_HEADER}\n\n{text}"), async |text| put_yaml(found, text, &etag).await).await
}

/// Sends an instance or snapshot written as YAML.
async fn put_yaml(found: &Resource, text: &str, etag: &str) -> Result<()> {
    let path = instance_path(&found.name);
    let running = if found.name.contains('/') {
        found.server.start(Method::PUT, &path, &yaml::from_str::<InstanceSnapshotPut>(text)?, etag).await?
    } else {
        found.server.start(Method::PUT, &path, &yaml::from_str::<InstancePut>(text)?, etag).await?
    };
    running.wait().await.map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_owner_is_told_from_keys() {
        for (line, owner) in [
            ("core.https_address=:8443", None),
            ("core.https_address :8443", None),
            ("user.a=1 user.b=2", None),
            ("c1 limits.cpu=2", Some("c1")),
            ("c1 limits.cpu 2", Some("c1")),
            ("far: core.https_address=:8443", Some("far:")),
            ("far:c1 limits.cpu 2", Some("far:c1")),
            ("foo bar", None),
            ("c1", Some("c1")),
        ] {
            let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
            assert_eq!(owner_word(&words), owner, "{line}");
        }
    }

    #[test]
    fn snapshots_have_paths_of_their_own() {
        assert_eq!(instance_path("c1"), "/1.0/instances/c1");
        assert_eq!(instance_path("c1/s 1"), "/1.0/instances/c1/snapshots/s%201");
    }
}
