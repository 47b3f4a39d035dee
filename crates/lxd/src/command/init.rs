//! `lxd init`: the first configuration, asked for, made up, or read.

pub mod apply;
pub mod ask;
pub mod auto;
pub mod bridge;
pub mod dump;
pub mod host;
pub mod interactive;
pub mod preseed;
pub mod storage;

use super::local::Local;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use corten_api::error::{Error, Result};
use corten_api::init::InitPreseed;
use corten_api::server::Server;

const EXAMPLES: &str = "Examples:
  init --minimal
  init --auto [--network-address=IP] [--network-port=8443] [--storage-backend=dir]
              [--storage-create-device=DEVICE] [--storage-create-loop=SIZE]
              [--storage-pool=POOL] [--trust-password=PASSWORD]
  init --preseed
  init --dump";

/// Flags that only `--auto` knows what to do with.
const FOR_AUTO: [&str; 7] = [
    "network-address",
    "network-port",
    "storage-backend",
    "storage-create-device",
    "storage-create-loop",
    "storage-pool",
    "trust-password",
];

/// Its place on the command line.
pub fn describe() -> Command {
    let flag = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help).action(ArgAction::SetTrue);
    let text = |name: &'static str, help: &'static str| Arg::new(name).long(name).help(help).value_name("");
    let number = |name, help| text(name, help).value_parser(value_parser!(i64));
    Command::new("init")
        .about("Configure the LXD daemon")
        .after_help(EXAMPLES)
        .arg(flag("auto", "Automatic (non-interactive) mode"))
        .arg(flag("minimal", "Minimal configuration (non-interactive)"))
        .arg(flag("preseed", "Pre-seed mode, expects YAML config from stdin"))
        .arg(flag("dump", "Dump YAML config to stdout"))
        .arg(text("network-address", "Address to bind LXD to (default: none)"))
        .arg(number("network-port", "Port to bind LXD to (default: 8443)"))
        .arg(text(
            "storage-backend",
            "Storage backend to use (btrfs, dir, overlay or zfs, default: what suits the host)",
        ))
        .arg(text("storage-create-device", "Setup device based storage using DEVICE"))
        .arg(number("storage-create-loop", "Setup loop based storage with SIZE in GB"))
        .arg(text("storage-pool", "Storage pool to use or create"))
        .arg(text("trust-password", "Password required to add new clients"))
}

/// Flags that do not go together.
fn check_flags(matches: &ArgMatches) -> Result<()> {
    let set = |name: &str| matches.get_flag(name);
    let refuse = |message: &str| Err(Error::invalid(message));
    let for_auto = FOR_AUTO.iter().any(|name| matches.contains_id(name));
    if set("auto") && set("preseed") {
        return refuse("Can't use --auto and --preseed together");
    }
    if set("minimal") && set("preseed") {
        return refuse("Can't use --minimal and --preseed together");
    }
    if set("minimal") && set("auto") {
        return refuse("Can't use --minimal and --auto together");
    }
    if !set("auto") && for_auto {
        return refuse("Configuration flags require --auto");
    }
    if set("dump") && (set("auto") || set("minimal") || set("preseed") || for_auto) {
        return refuse("Can't use --dump with other flags");
    }
    Ok(())
}

/// Configures the daemon as the flags say.
pub fn run(matches: &ArgMatches) -> Result<()> {
    check_flags(matches)?;
    let mut local = Local::connect()?;
    let server: Server =
        local.get("/1.0").map_err(|error| error.context("Failed to connect to get LXD server info"))?;
    if matches.get_flag("dump") {
        return dump::run(&mut local, &server);
    }
    let config = if matches.get_flag("preseed") {
        preseed::read(std::io::stdin())?
    } else if matches.get_flag("auto") || matches.get_flag("minimal") {
        auto::plan(&auto::Flags::read(matches), &mut local, &server)?
    } else {
        let (input, output) = (std::io::stdin().lock(), std::io::stdout());
        let mut asker = ask::Asker::new(input, output, std::io::stderr());
        interactive::run(&mut asker, &mut host::Known::new(&mut local, &server))?
    };
    check_cluster(&config)?;
    apply::run(&mut local, &config)
}

/// Clusters are not there yet; a file that asks for one is refused before anything is changed.
fn check_cluster(config: &InitPreseed) -> Result<()> {
    match &config.cluster {
        Some(cluster)
            if cluster.enabled || !cluster.cluster_address.is_empty() || !cluster.cluster_token.is_empty() =>
        {
            Err(Error::not_implemented("Clustering isn't supported by this server yet"))
        }
        _ => Ok(()),
    }
}
