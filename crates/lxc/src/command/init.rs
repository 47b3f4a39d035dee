//! `lxc init`: a new instance from an image, or an empty one, without starting it.

use std::collections::BTreeMap;
use std::io::IsTerminal;

use corten_api::error::{Context, Error, Result};
use corten_api::instance::{InstancePut, InstancesPost};
use corten_api::network::Network;
use corten_api::operation::Operation;
use corten_api::profile::Profile;
use corten_api::url::path;
use corten_api::yaml;
use corten_client::image_source::{self, ImageSource};
use corten_client::server::Server;

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::progress::{self, Progress};
use crate::session::Session;
use crate::{editor, help, key_value, printer, remote};

/// Devices by name, each with its keys.
pub type Devices = BTreeMap<String, BTreeMap<String, String>>;

/// The flags that `launch` shares.
pub const FLAGS: [Flag; 11] = [
    Flag::texts("config", "Config key/value to apply to the new instance").short('c'),
    Flag::texts("profile", "Profile to apply to the new instance").short('p'),
    Flag::texts("device", "New key/value to apply to a specific device").short('d'),
    Flag::switch("ephemeral", "Ephemeral instance").short('e'),
    Flag::text("network", "Network name").short('n'),
    Flag::text("storage", "Storage pool name").short('s'),
    Flag::text("type", "Instance type").short('t'),
    Flag::text("target", "Cluster member name"),
    Flag::switch("no-profiles", "Create the instance with no profiles applied"),
    Flag::switch("empty", "Create an empty instance"),
    Flag::switch("vm", "Create a virtual machine"),
];

pub static COMMAND: Command = Command {
    name: "init",
    usage: "[<remote>:]<image> [<remote>:][<name>]",
    about: "Create instances from images",
    examples: "lxc init ubuntu:22.04 u1\n\nlxc init ubuntu:22.04 u1 < config.yaml\n    Create the instance with configuration from config.yaml",
    flags: &FLAGS,
    words: (0, Some(2)),
    hidden: true,
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    if arguments.is_empty() && !arguments.is_set("empty") {
        printer::warn(&help::usage(&[&crate::commands::ROOT, &COMMAND], help::Shown::default()));
        return Ok(());
    }
    create(session, arguments).await.map(|_| ())
}

/// What the words of the command line mean.
struct Words {
    /// The remote that gets the instance, and its name; empty means that the server chooses.
    target: (String, String),
    /// The remote of the image and the image's name; none for an empty instance.
    image: Option<(String, String)>,
}

fn words(session: &Session, arguments: &Arguments) -> Result<Words> {
    let first = session.parse_remote(arguments.word(0))?;
    let second = session.parse_remote(arguments.word(1))?;
    if !arguments.is_set("empty") {
        return Ok(Words { target: second, image: Some(first) });
    }
    if arguments.len() > 1 {
        return Err(Error::invalid("--empty cannot be combined with an image name"));
    }
    Ok(Words { target: first, image: None })
}

/// Creates the instance and gives its server and name.
///
/// # Errors
/// Whatever is wrong with the request, the image or the server's attempt.
pub async fn create(session: &Session, arguments: &Arguments) -> Result<(Server, String)> {
    let given: InstancePut =
        if std::io::stdin().is_terminal() { InstancePut::default() } else { yaml::from_str(&editor::all_of_stdin()?)? };
    let Words { target: (remote, name), image } = words(session, arguments)?;
    let mut server = session.server(&remote).await?;
    if arguments.given("target") {
        server = server.at_member(arguments.text("target"));
    }
    if !session.quiet {
        match name.as_str() {
            "" => printer::print_line("Creating the instance"),
            name => printer::print_line(&format!("Creating {name}")),
        }
    }
    let post = request(&server, arguments, given, &name).await?;
    let ended = match image {
        None => empty(&server, post).await?,
        Some(image) => from_image(session, &server, &remote, image, post, arguments).await?,
    };
    let name = if name.is_empty() { told_name(&ended)? } else { name };
    notice_missing_network(&server, &name).await;
    Ok((server, name))
}

/// The request without its source: what standard input, flags and profiles say, flags winning.
async fn request(server: &Server, arguments: &Arguments, given: InstancePut, name: &str) -> Result<InstancesPost> {
    let mut devices = given.devices;
    let network = arguments.text("network");
    if !network.is_empty() {
        devices.insert("eth0".to_owned(), nic(server, network).await?);
    }
    let mut config = given.config;
    config.extend(key_value::all(&arguments.texts("config"), |word| format!("Bad key=value pair: {word}"))?);
    let pool = arguments.text("storage");
    if !pool.is_empty() {
        let _: serde_json::Value = server
            .get(&path(["storage-pools", pool]))
            .await
            .with_context(|| format!("Failed loading storage pool {pool:?}"))?;
        devices.insert("root".to_owned(), device(&[("type", "disk"), ("path", "/"), ("pool", pool)]));
    }
    let profiles: Vec<String> = arguments.texts("profile").into_iter().map(str::to_owned).collect();
    let profiles = if !profiles.is_empty() || arguments.is_set("no-profiles") {
        Some(profiles)
    } else {
        (!given.profiles.is_empty()).then_some(given.profiles)
    };
    let overrides = device_overrides(&arguments.texts("device"))?;
    override_devices(server, &mut devices, overrides, profiles.as_deref()).await?;
    Ok(InstancesPost {
        name: name.to_owned(),
        instance_type: arguments.text("type").to_owned(),
        r#type: if arguments.is_set("vm") { "virtual-machine" } else { "container" }.to_owned(),
        config,
        devices,
        ephemeral: arguments.is_set("ephemeral"),
        profiles,
        ..InstancesPost::default()
    })
}

fn device(keys: &[(&str, &str)]) -> BTreeMap<String, String> {
    keys.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

/// The network card for `--network`: on a managed network, or on a bridge or interface of the host.
async fn nic(server: &Server, name: &str) -> Result<BTreeMap<String, String>> {
    let network: Network =
        server.get(&path(["networks", name])).await.with_context(|| format!("Failed loading network {name:?}"))?;
    if network.managed && server.has_extension("instance_nic_network").await? {
        return Ok(device(&[("name", "eth0"), ("type", "nic"), ("network", &network.name)]));
    }
    let kind = if network.r#type == "bridge" { "bridged" } else { "macvlan" };
    Ok(device(&[("name", "eth0"), ("type", "nic"), ("nictype", kind), ("parent", name)]))
}

/// Reads `<device>,<key>=<value>` words.
///
/// # Errors
/// For a word of another form.
pub fn device_overrides(words: &[&str]) -> Result<Devices> {
    let mut devices = Devices::new();
    for word in words {
        let parts = word.split_once(',').and_then(|(device, rest)| Some((device, rest.split_once('=')?)));
        let Some((device, (key, value))) = parts else {
            let text = format!("Bad device override syntax, expecting <device>,<key>=<value>: {word}");
            return Err(Error::invalid(text));
        };
        devices.entry(device.to_owned()).or_default().insert(key.to_owned(), value.to_owned());
    }
    Ok(devices)
}

/// Changes keys of devices; a device that comes from a profile is copied first.
///
/// # Errors
/// When a device is in none of them.
pub async fn override_devices(
    server: &Server,
    devices: &mut Devices,
    overrides: Devices,
    profiles: Option<&[String]>,
) -> Result<()> {
    let mut inherited = Devices::new();
    if overrides.keys().any(|name| !devices.contains_key(name)) {
        // With no list of profiles, or an empty one, LXD's client looks at what the server would take.
        let default = ["default".to_owned()];
        let profiles = profiles.filter(|profiles| !profiles.is_empty()).unwrap_or(&default);
        for profile in profiles {
            let found: Profile = server
                .get(&path(["profiles", profile]))
                .await
                .with_context(|| format!("Failed loading profile {profile:?} for device override"))?;
            inherited.extend(found.devices);
        }
    }
    for (name, keys) in overrides {
        if let Some(own) = devices.get_mut(&name) {
            own.extend(keys);
            continue;
        }
        let Some(mut copy) = inherited.remove(&name) else {
            let text = format!("Cannot override config for device {name:?}: Device not found in profile devices");
            return Err(Error::invalid(text));
        };
        copy.extend(keys);
        devices.insert(name, copy);
    }
    Ok(())
}

async fn empty(server: &Server, mut post: InstancesPost) -> Result<Operation> {
    "none".clone_into(&mut post.source.r#type);
    server.create_instance(&post).await?.wait().await
}

/// Creates from an image of this server or of another.
async fn from_image(
    session: &Session,
    server: &Server,
    remote: &str,
    image: (String, String),
    mut post: InstancesPost,
    arguments: &Arguments,
) -> Result<Operation> {
    let (image_remote, image) = guess_image(session, server, remote, image).await;
    let image = if image.is_empty() { "default".to_owned() } else { image };
    "image".clone_into(&mut post.source.r#type);
    let mut progress = Progress::new("Retrieving image: %s", session.quiet);
    let source = if image_remote == remote {
        ImageSource::Lxd(server.clone())
    } else {
        remote::image_source(&session.config.borrow(), &image_remote, session.project.as_deref())?
    };
    if let ImageSource::Lxd(other) = &source
        && other.is_same_server(server).await
    {
        let found = resolve(&source, &image, arguments.is_set("vm")).await?;
        post.r#type = found.image.r#type;
        post.source.fingerprint = found.image.fingerprint;
        let running = server.create_instance(&post).await?;
        let ended = progress::wait(&running, &mut progress).await?;
        progress.done("");
        return Ok(ended);
    }
    "pull".clone_into(&mut post.source.mode);
    if matches!(source, ImageSource::Streams(..)) {
        // The server resolves it: the list of all images need not come here as well.
        post.source.alias = image;
    } else {
        let found = resolve(&source, &image, arguments.is_set("vm")).await?;
        post.r#type.clone_from(&found.image.r#type);
        match found.alias {
            Some(alias) if found.image.public => post.source.alias = alias,
            _ => post.source.fingerprint.clone_from(&found.image.fingerprint),
        }
        if !found.image.public {
            post.source.secret = super::image::copy::secret(&source, &found.image.fingerprint).await?;
        }
    }
    let directions = source.directions().await?;
    directions.protocol.clone_into(&mut post.source.protocol);
    post.source.certificate.clone_from(&directions.certificate);
    let ended = image_source::try_each("Failed instance creation", &directions, async |address| {
        address.clone_into(&mut post.source.server);
        let running = server.create_instance(&post).await?;
        progress::wait(&running, &mut progress).await
    })
    .await?;
    progress.done("");
    Ok(ended)
}

/// An image that a name stands for.
struct Resolved {
    image: corten_api::image::Image,
    alias: Option<String>,
}

async fn resolve(source: &ImageSource, name: &str, machine: bool) -> Result<Resolved> {
    let alias = source.alias("", name).await.ok();
    let fingerprint = alias.as_ref().map_or(name, |alias| &alias.target);
    let image = source.image(fingerprint).await?;
    if machine && image.r#type != "virtual-machine" {
        return Err(Error::invalid("Asked for a VM but image is of type container"));
    }
    Ok(Resolved { image, alias: alias.map(|_| name.to_owned()) })
}

/// `ubuntu/22.04` without a colon may have been meant as `ubuntu:22.04`, when there is such a remote and no such image.
async fn guess_image(
    session: &Session,
    server: &Server,
    remote: &str,
    (image_remote, image): (String, String),
) -> (String, String) {
    let (head, tail) = image.split_once('/').unwrap_or((&image, ""));
    if remote != image_remote || !session.config.borrow().remotes.contains_key(head) {
        return (image_remote, image);
    }
    if server.image_alias(&image).await.is_ok() || server.image(&image).await.is_ok() {
        return (image_remote, image);
    }
    printer::warn_line(&format!("The local image '{image}' couldn't be found, trying '{head}:{tail}' instead."));
    let tail = if tail.is_empty() { "default" } else { tail };
    (head.to_owned(), tail.to_owned())
}

/// The name that the server chose, told to the user.
fn told_name(ended: &Operation) -> Result<String> {
    let Some(name) = made_instance(ended) else {
        return Err(Error::internal("Didn't get any affected image, instance or snapshot from server"));
    };
    printer::print_line(&format!("Instance name is: {name}"));
    Ok(name)
}

/// The name of the first instance that an operation is about.
pub fn made_instance(ended: &Operation) -> Option<String> {
    let resources = ended.resources.as_ref()?;
    let all = resources.get("instances").filter(|list| !list.is_empty()).or_else(|| resources.get("containers"))?;
    let path = all.first()?.split('?').next()?;
    path.rsplit('/').next().map(str::to_owned)
}

/// Tells users whose instance will have no network how to get one.
async fn notice_missing_network(server: &Server, name: &str) {
    let Ok((instance, _)) = server.instance(name).await else { return };
    if instance.expanded_devices.values().any(|device| device.get("type").is_some_and(|kind| kind == "nic")) {
        return;
    }
    printer::warn_line(
        "\nThe instance you are starting doesn't have any network attached to it.\n  \
         To create a new network, use: lxc network create\n  \
         To attach a network to an instance, use: lxc network attach\n",
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overrides_are_read() {
        let devices = device_overrides(&["root,size=1GiB", "eth0,a=b=c", "root,pool=p"]).unwrap();
        assert_eq!(devices["root"], device(&[("size", "1GiB"), ("pool", "p")]));
        assert_eq!(devices["eth0"], device(&[("a", "b=c")]));
        for bad in ["root", "root,size", "size=1"] {
            let text = format!("Bad device override syntax, expecting <device>,<key>=<value>: {bad}");
            assert_eq!(device_overrides(&[bad]).unwrap_err().message, text);
        }
    }
}
