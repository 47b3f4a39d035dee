//! `lxd init --dump`: the configuration as a preseed would make it again.

use super::super::local::Local;
use corten_api::error::{Error, Result};
use corten_api::init::{InitNetworksProjectPost, InitPreseed};
use corten_api::network::Network;
use corten_api::profile::{Profile, ProfilesPost};
use corten_api::project::{Project, ProjectsPost};
use corten_api::server::Server;
use corten_api::storage_pool::{StoragePool, StoragePoolsPost};
use corten_api::url::DEFAULT_PROJECT;
use corten_api::yaml;
use serde::Serialize;
use serde_json::Value;
use std::collections::BTreeMap;

/// A preseed as it is printed: the server's part only, as no cluster is part of it.
#[derive(Serialize)]
pub struct Shown<'a> {
    config: &'a BTreeMap<String, Value>,
    networks: &'a [InitNetworksProjectPost],
    storage_pools: &'a [StoragePoolsPost],
    profiles: &'a [ProfilesPost],
    projects: &'a [ProjectsPost],
    #[serde(skip_serializing_if = "Option::is_none")]
    cluster: Option<Option<()>>,
}

impl<'a> From<&'a InitPreseed> for Shown<'a> {
    /// With `cluster: null`, as the dialogue prints it.
    fn from(config: &'a InitPreseed) -> Shown<'a> {
        Shown { cluster: Some(None), ..Shown::of(config) }
    }
}

impl<'a> Shown<'a> {
    fn of(config: &'a InitPreseed) -> Shown<'a> {
        Shown {
            config: &config.config,
            networks: &config.networks,
            storage_pools: &config.storage_pools,
            profiles: &config.profiles,
            projects: &config.projects,
            cluster: None,
        }
    }
}

/// Prints it.
///
/// # Errors
/// When the daemon does not tell.
pub fn run(local: &mut Local, server: &Server) -> Result<()> {
    let config =
        collect(local, server).map_err(|error| error.context("Failed to retrieve current server configuration"))?;
    let text = yaml::to_string(&Shown::of(&config)).map_err(|error| Error::internal(error.to_string()))?;
    println!("{text}");
    Ok(())
}

fn collect(local: &mut Local, server: &Server) -> Result<InitPreseed> {
    let networks: Vec<Network> = local.get("/1.0/networks?recursion=1")?;
    let pools: Vec<StoragePool> = local.get("/1.0/storage-pools?recursion=1")?;
    let profiles: Vec<Profile> = local.get("/1.0/profiles?recursion=1")?;
    let projects: Vec<Project> = local.get("/1.0/projects?recursion=1")?;
    let network = |one: Network| InitNetworksProjectPost {
        config: one.config,
        description: one.description,
        name: one.name,
        r#type: one.r#type,
        project: DEFAULT_PROJECT.to_string(),
    };
    let pool = |one: StoragePool| StoragePoolsPost {
        config: one.config,
        description: one.description,
        name: one.name,
        driver: one.driver,
    };
    let profile = |one: Profile| ProfilesPost {
        config: one.config,
        description: one.description,
        devices: one.devices,
        name: one.name,
    };
    let project = |one: Project| ProjectsPost { config: one.config, description: one.description, name: one.name };
    Ok(InitPreseed {
        config: server.config.clone(),
        networks: networks.into_iter().filter(|network| network.managed).map(network).collect(),
        storage_pools: pools.into_iter().map(pool).collect(),
        profiles: profiles.into_iter().map(profile).collect(),
        projects: projects.into_iter().map(project).collect(),
        cluster: None,
    })
}
