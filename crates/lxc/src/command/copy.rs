//! `lxc copy`: another instance like this one, here or on another server.

use std::collections::BTreeMap;

use corten_api::error::{Context, Error, Result};
use corten_api::instance::{InstancePut, InstancesPost};
use corten_api::instance_state::InstanceStatePut;
use corten_api::status::StatusCode;
use corten_client::server::Server;

use super::{copy_transfer, init};
use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::progress::{self, Progress};
use crate::session::Session;
use crate::{entity, key_value, printer};

pub static COMMAND: Command = Command {
    name: "copy",
    aliases: &["cp"],
    usage: "[<remote>:]<source>[/<snapshot>] [[<remote>:]<destination>]",
    about: "Copy instances within or in between LXD servers",
    long: "Copy instances within or in between LXD servers\n\nTransfer modes (--mode):\n - pull: the target fetches from the source, which must be reachable (default)\n - push: the source sends to the target, which must be reachable\n - relay: this program sits between the two",
    flags: &[
        Flag::texts("config", "Config key/value to apply to the new instance").short('c'),
        Flag::texts("device", "New key/value to apply to a specific device").short('d'),
        Flag::texts("profile", "Profile to apply to the new instance").short('p'),
        Flag::switch("ephemeral", "Ephemeral instance").short('e'),
        Flag::text("mode", "Transfer mode. One of pull, push or relay").or("pull"),
        Flag::switch("instance-only", "Copy the instance without its snapshots"),
        Flag::switch("stateless", "Copy a stateful instance stateless"),
        Flag::text("storage", "Storage pool name").short('s'),
        Flag::text("target", "Cluster member name"),
        Flag::text("target-project", "Copy to a project different from the source"),
        Flag::switch("no-profiles", "Create the instance with no profiles applied"),
        Flag::switch("refresh", "Perform an incremental copy"),
        Flag::switch("allow-inconsistent", "Ignore copy errors for volatile files"),
    ],
    words: (1, Some(2)),
    run: crate::run!(run),
    ..Command::EMPTY
};

/// What distinguishes a copy from the first half of a move.
pub struct How {
    /// Whether `volatile.` keys go along.
    pub keep_volatile: bool,
    /// Whether the result is ephemeral; `None` keeps it.
    pub ephemeral: Option<bool>,
    /// Whether memory goes along.
    pub live: bool,
    /// Whether a running instance is started again at its new place.
    pub start_again: bool,
    /// Whether only differences go to an instance that is there already.
    pub refresh: bool,
}

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let refresh = arguments.is_set("refresh");
    let how = How {
        keep_volatile: refresh,
        ephemeral: Some(arguments.is_set("ephemeral")),
        live: !arguments.is_set("stateless") && !refresh,
        start_again: false,
        refresh,
    };
    copy(session, arguments, &how).await
}

/// Copies what the first word names to where the second says.
///
/// # Errors
/// Whatever is wrong with the request, or the servers' own errors.
pub async fn copy(session: &Session, arguments: &Arguments, how: &How) -> Result<()> {
    let source = session.resource(arguments.word(0)).await?;
    let (remote, mut name) = session.parse_remote(arguments.word(1))?;
    check(arguments, &source.name, &name, how)?;
    if name.is_empty() && arguments.len() > 1 {
        name.clone_from(&source.name);
    }
    let mut target = if remote == source.remote { source.server.clone() } else { session.server(&remote).await? };
    let project = arguments.text("target-project");
    if !project.is_empty() {
        target = target.in_project(project);
    }
    target = entity::at_cluster_target(target, arguments).await?;
    let mut plan = plan(&source.server, &source.name, arguments, how).await?;
    if name.is_empty() && !source.server.is_same_place(&target) {
        // The name is free there, or the user hears that it is not.
        source.name.split('/').next().unwrap_or_default().clone_into(&mut name);
    }
    plan.post.name.clone_from(&name);
    check_extensions(&source.server, &target, &plan.post).await?;
    let put = plan.post.writable();
    let mut progress = Progress::new("Transferring instance: %s", session.quiet);
    let mode = arguments.text_or("mode", "pull");
    let ended = copy_transfer::transfer(&source.server, &source.name, &target, plan.post, mode, &mut progress).await?;
    progress.done("");
    if how.refresh {
        take_over_configuration(session, &target, &name, put).await?;
    }
    if name.is_empty() {
        let Some(made) = init::made_instance(&ended) else {
            return Err(Error::internal("Failed to get the new instance name"));
        };
        printer::print_line(&format!("Instance name is: {made}"));
    }
    if plan.was_running && how.start_again && !how.live {
        let put = InstanceStatePut { action: "start".to_owned(), ..InstanceStatePut::default() };
        target.change_instance_state(&name, &put).await?.wait().await?;
    }
    Ok(())
}

fn check(arguments: &Arguments, source: &str, name: &str, how: &How) -> Result<()> {
    let snapshot = source.contains('/');
    let complaint = if source.is_empty() {
        "You must specify a source instance name"
    } else if name.is_empty() && !arguments.text("target").is_empty() {
        "You must specify a destination instance name when using --target"
    } else if how.refresh && arguments.is_set("no-profiles") {
        "--no-profiles cannot be used with --refresh"
    } else if snapshot && arguments.is_set("instance-only") {
        "--instance-only can't be passed when the source is a snapshot"
    } else if snapshot && how.refresh {
        "--refresh can only be used with instances"
    } else {
        return Ok(());
    };
    Err(Error::invalid(complaint))
}

/// Both servers must know what the user asks for.
async fn check_extensions(source: &Server, target: &Server, post: &InstancesPost) -> Result<()> {
    let needed = [
        (post.source.instance_only, "container_only_migration"),
        (post.source.refresh, "container_incremental_copy"),
        (post.source.allow_inconsistent, "instance_allow_inconsistent_copy"),
    ];
    for (_, extension) in needed.into_iter().filter(|(asked, _)| *asked) {
        for (which, server) in [("target", target), ("source", source)] {
            if !server.has_extension(extension).await? {
                let text = format!("The {which} server is missing the required {extension:?} API extension");
                return Err(Error::not_implemented(text));
            }
        }
    }
    Ok(())
}

/// A copy that is about to be made.
struct Plan {
    post: InstancesPost,
    was_running: bool,
}

/// Reads the source and applies the changes that flags ask for.
async fn plan(server: &Server, name: &str, arguments: &Arguments, how: &How) -> Result<Plan> {
    let config = key_value::all(&arguments.texts("config"), |word| format!("Bad key=value pair: {word}"))?;
    let overrides = init::device_overrides(&arguments.texts("device"))?;
    let mut post = InstancesPost::default();
    let mut was_running = false;
    if let Some((instance, snapshot)) = name.split_once('/') {
        let (found, _) = server.instance_snapshot(instance, snapshot).await?;
        post.architecture = found.architecture;
        (post.config, post.devices) = (found.config, found.devices);
        (post.ephemeral, post.stateful) = (found.ephemeral, found.stateful);
        post.profiles = Some(found.profiles);
        post.r#type = server.instance(instance).await?.0.r#type;
        post.source.live = found.stateful && how.live;
    } else {
        let (found, _) = server.instance(name).await?;
        was_running = found.status_code == StatusCode::Running;
        post.architecture = found.architecture;
        (post.config, post.devices) = (found.config, found.devices);
        (post.ephemeral, post.stateful) = (found.ephemeral, found.stateful);
        (post.description, post.r#type) = (found.description, found.r#type);
        post.profiles = Some(found.profiles);
        post.source.live = how.live && was_running;
        post.source.instance_only = arguments.is_set("instance-only");
        post.source.container_only = post.source.instance_only;
        post.source.refresh = how.refresh;
        post.source.allow_inconsistent = arguments.is_set("allow-inconsistent");
    }
    let profiles: Vec<String> = arguments.texts("profile").into_iter().map(str::to_owned).collect();
    if !profiles.is_empty() || arguments.is_set("no-profiles") {
        post.profiles = Some(profiles);
    }
    post.source.base_image = post.config.get("volatile.base_image").cloned().unwrap_or_default();
    post.config.extend(config);
    post.config.retain(|key, _| goes_along(key, how.keep_volatile));
    for (device, keys) in overrides {
        post.devices.entry(device).or_default().extend(keys);
    }
    set_pool(&mut post.devices, arguments.text("storage"));
    if let Some(ephemeral) = how.ephemeral {
        post.ephemeral = ephemeral;
    }
    Ok(Plan { post, was_running })
}

/// Whether a configuration key belongs to the copy as well.
fn goes_along(key: &str, keep_volatile: bool) -> bool {
    match key {
        "volatile.last_state.power" => false,
        "volatile.base_image" => true,
        _ => keep_volatile || !key.starts_with("volatile."),
    }
}

/// Puts the root disk into a pool; empty leaves it where it is.
fn set_pool(devices: &mut BTreeMap<String, BTreeMap<String, String>>, pool: &str) {
    if pool.is_empty() {
        return;
    }
    let is_root = |keys: &BTreeMap<String, String>| {
        keys.get("type").is_some_and(|kind| kind == "disk")
            && keys.get("path").is_some_and(|path| path == "/")
            && keys.get("source").is_none_or(String::is_empty)
    };
    let root = match devices.values_mut().find(|keys| is_root(keys)) {
        Some(root) => root,
        None => devices.entry("root".to_owned()).or_insert_with(|| {
            [("type", "disk"), ("path", "/")].map(|(key, value)| (key.to_owned(), value.to_owned())).into()
        }),
    };
    root.insert("pool".to_owned(), pool.to_owned());
}

/// After a refresh: the target gets the source's configuration, but keeps its own id map.
async fn take_over_configuration(session: &Session, target: &Server, name: &str, mut put: InstancePut) -> Result<()> {
    let (found, etag) =
        target.instance(name).await.with_context(|| format!("Failed to refresh target instance '{name}'"))?;
    let next = found.config.get("volatile.idmap.next").cloned().unwrap_or_default();
    put.config.insert("volatile.idmap.next".to_owned(), next);
    let running = target.update_instance(name, &put, &etag).await?;
    let mut progress = Progress::new("Refreshing instance: %s", session.quiet);
    progress::wait(&running, &mut progress).await?;
    progress.done("");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_disk_moves_or_is_made() {
        let mut devices = init::device_overrides(&["r,type=disk", "r,path=/", "r,pool=a", "d,type=disk"]).unwrap();
        set_pool(&mut devices, "");
        assert_eq!(devices["r"]["pool"], "a");
        set_pool(&mut devices, "b");
        assert_eq!(devices["r"]["pool"], "b");
        let mut devices = BTreeMap::new();
        set_pool(&mut devices, "b");
        assert_eq!(devices, init::device_overrides(&["root,type=disk", "root,path=/", "root,pool=b"]).unwrap());
    }

    #[test]
    fn volatile_keys_stay_behind() {
        for (key, kept, without) in [
            ("limits.cpu", true, true),
            ("volatile.base_image", true, true),
            ("volatile.eth0.hwaddr", true, false),
            ("volatile.last_state.power", false, false),
        ] {
            assert_eq!((goes_along(key, true), goes_along(key, false)), (kept, without), "{key}");
        }
    }
}
