//! `lxd init --auto` and `--minimal`: a configuration that suits the host, without a question.

use super::super::local::Local;
use super::host::{self, drivers, preferred};
use clap::ArgMatches;
use corten_api::error::{Error, Result};
use corten_api::init::{InitNetworksProjectPost, InitPreseed};
use corten_api::network::Network;
use corten_api::profile::{Profile, ProfilesPost};
use corten_api::server::Server;
use corten_api::storage_pool::StoragePoolsPost;
use corten_api::url::DEFAULT_PROJECT;
use std::path::Path;

/// What the command line asks for.
#[derive(Clone, Debug, Default)]
pub struct Flags {
    address: Option<String>,
    port: Option<i64>,
    backend: Option<String>,
    device: Option<String>,
    loop_size: Option<i64>,
    pool: Option<String>,
    password: Option<String>,
}

impl Flags {
    /// Reads them; empty ones count as not given.
    pub fn read(matches: &ArgMatches) -> Flags {
        let text = |name: &str| matches.get_one::<String>(name).filter(|text| !text.is_empty()).cloned();
        let number = |name: &str| matches.get_one::<i64>(name).copied().filter(|number| *number != -1);
        Flags {
            address: text("network-address"),
            port: number("network-port"),
            backend: text("storage-backend"),
            device: text("storage-create-device"),
            loop_size: number("storage-create-loop"),
            pool: text("storage-pool"),
            password: text("trust-password"),
        }
    }

    fn has_storage(&self) -> bool {
        self.backend.is_some() || self.device.is_some() || self.loop_size.is_some() || self.pool.is_some()
    }

    fn check(&self, available: &[String]) -> Result<()> {
        let refuse = |message: &str| Err(Error::invalid(message));
        if let Some(backend) = &self.backend {
            if !KNOWN.contains(&backend.as_str()) {
                return refuse(&format!("The requested backend '{backend}' isn't supported by lxd init"));
            }
            if !available.contains(backend) {
                return refuse(&format!(
                    "The requested backend '{backend}' isn't available on your system (missing tools)"
                ));
            }
        }
        let plain = self.backend.as_deref().is_none_or(|backend| backend == "dir" || backend == "overlay");
        if plain && (self.loop_size.is_some() || self.device.is_some() || self.pool.is_some()) {
            let backend = self.backend.as_deref().unwrap_or("dir");
            return refuse(&format!(
                "None of --storage-pool, --storage-create-device or --storage-create-loop may be used with the \
                 '{backend}' backend"
            ));
        }
        if self.loop_size.is_some() && self.device.is_some() {
            return refuse("Only one of --storage-create-device or --storage-create-loop can be specified");
        }
        if self.address.is_none() && self.port.is_some() {
            return refuse("--network-port can't be used without --network-address");
        }
        if self.address.is_none() && self.password.is_some() {
            return refuse("--trust-password can't be used without --network-address");
        }
        Ok(())
    }
}

/// Every driver that LXD has, and ours.
const KNOWN: [&str; 7] = ["btrfs", "ceph", "cephfs", "dir", "lvm", "overlay", "zfs"];

/// What is to be made.
///
/// # Errors
/// When flags do not go together, or the daemon does not answer.
pub fn plan(flags: &Flags, local: &mut Local, server: &Server) -> Result<InitPreseed> {
    let available = drivers(server);
    flags.check(&available)?;
    let pools: Vec<String> =
        local.get("/1.0/storage-pools").map_err(|error| error.context("Failed to retrieve list of storage pools"))?;
    if !pools.is_empty() && flags.has_storage() {
        return Err(Error::invalid("Storage has already been configured"));
    }
    let mut config = InitPreseed::default();
    let mut profile = ProfilesPost { name: "default".to_string(), ..ProfilesPost::default() };
    if let Some(address) = &flags.address {
        let host =
            if address.contains(':') && !address.starts_with('[') { format!("[{address}]") } else { address.clone() };
        let port = flags.port.unwrap_or(8443);
        config.config.insert("core.https_address".to_string(), format!("{host}:{port}").into());
        if let Some(password) = &flags.password {
            config.config.insert("core.trust_password".to_string(), password.clone().into());
        }
    }
    if pools.is_empty() {
        let pool = pool(flags, preferred(&available, host::backing()));
        device(&mut profile, "root", &[("type", "disk"), ("path", "/"), ("pool", &pool.name)]);
        config.storage_pools.push(pool);
    }
    let networks: Vec<Network> =
        local.get("/1.0/networks?recursion=1").map_err(|error| error.context("Failed to retrieve list of networks"))?;
    let default: Result<Profile> = local.get("/1.0/profiles/default");
    let is_nic = |keys: &std::collections::BTreeMap<String, String>| keys.get("type").is_some_and(|kind| kind == "nic");
    let has_nic = default.is_ok_and(|profile| profile.devices.values().any(is_nic));
    if !has_nic && !networks.iter().any(|network| network.managed) {
        let name = free_bridge(|name| Path::new("/sys/class/net").join(name).exists());
        device(&mut profile, "eth0", &[("type", "nic"), ("network", &name), ("name", "eth0")]);
        let project = DEFAULT_PROJECT.to_string();
        config.networks.push(InitNetworksProjectPost { name, project, ..InitNetworksProjectPost::default() });
    }
    if !profile.devices.is_empty() {
        config.profiles.push(profile);
    }
    Ok(config)
}

fn device(profile: &mut ProfilesPost, name: &str, keys: &[(&str, &str)]) {
    let keys = keys.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string()));
    profile.devices.insert(name.to_string(), keys.collect());
}

fn pool(flags: &Flags, preferred: &str) -> StoragePoolsPost {
    let driver = flags.backend.clone().unwrap_or_else(|| preferred.to_string());
    let mut pool = StoragePoolsPost { name: "default".to_string(), driver, ..StoragePoolsPost::default() };
    let made = flags.device.is_some() || flags.loop_size.is_some();
    let source = match (&flags.device, flags.loop_size) {
        (Some(device), _) => Some(("source", device.clone())),
        (None, Some(size)) if size > 0 => Some(("size", format!("{size}GB"))),
        _ => flags.pool.clone().map(|pool| ("source", pool)),
    };
    pool.config.extend(source.map(|(key, value)| (key.to_string(), value)));
    // With a device or a file of its own, the pool's name is given rather than its source.
    if let Some(name) = flags.pool.clone().filter(|_| made) {
        pool.name = name;
    }
    pool
}

/// The first `lxdbrN` that no interface has.
fn free_bridge(is_taken: impl Fn(&str) -> bool) -> String {
    (0..).map(|number| format!("lxdbr{number}")).find(|name| !is_taken(name)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_that_do_not_go_together_are_refused() {
        let available = ["dir".to_string(), "overlay".to_string(), "btrfs".to_string()];
        let base = Flags::default;
        let text = |text: &str| Some(text.to_string());
        base().check(&available).expect("nothing is fine");
        Flags { backend: text("btrfs"), loop_size: Some(5), pool: text("p"), ..base() }
            .check(&available)
            .expect("fine");
        for bad in [
            Flags { backend: text("floppy"), ..base() },
            Flags { backend: text("zfs"), ..base() },
            Flags { pool: text("p"), ..base() },
            Flags { backend: text("overlay"), device: text("/dev/x"), ..base() },
            Flags { backend: text("btrfs"), device: text("/dev/x"), loop_size: Some(3), ..base() },
            Flags { port: Some(1), ..base() },
            Flags { password: text("x"), ..base() },
        ] {
            bad.check(&available).expect_err(&format!("{bad:?}"));
        }
    }

    #[test]
    fn pools_and_bridges_get_their_names() {
        let flags =
            Flags { backend: Some("btrfs".into()), loop_size: Some(5), pool: Some("p".into()), ..Flags::default() };
        let made = pool(&flags, "dir");
        assert_eq!((made.name.as_str(), made.driver.as_str(), made.config["size"].as_str()), ("p", "btrfs", "5GB"));
        let plain = pool(&Flags::default(), "overlay");
        assert_eq!((plain.name.as_str(), plain.driver.as_str(), plain.config.len()), ("default", "overlay", 0));
        assert_eq!(free_bridge(|name| name == "lxdbr0"), "lxdbr1");
    }
}
