//! What a project uses of what it may use.

use std::collections::BTreeMap;

use corten_api::error::Result;
use corten_api::project::{ProjectState, ProjectStateResource};
use corten_db::table::{State, networks};

use super::holdings::{Guest, Holdings};
use super::limits::{self, Sum, Unset};
use crate::app::App;

impl App {
    /// What a project uses, and what it may use (-1 for no limit): counts, and sums of what its instances may use.
    ///
    /// # Errors
    /// 404, or when a value cannot be read.
    pub fn project_state(&self, name: &str) -> Result<ProjectState> {
        let (held, networks) = self.view(|view| {
            let networks = networks::list(view, Some(name))?;
            Ok((Holdings::read(view, name)?, networks))
        })?;
        let networks = networks.iter().filter(|network| network.state == State::Created).count();
        let mut resources = usage(&held)?;
        resources.insert(
            "networks".to_string(),
            resource(limits::count(&held.project.config, "limits.networks")?, count(networks)),
        );
        Ok(ProjectState { resources })
    }
}

fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

fn resource(limit: Option<i64>, usage: i64) -> ProjectStateResource {
    ProjectStateResource { limit: limit.unwrap_or(-1), usage }
}

/// What instances and volumes use.
fn usage(held: &Holdings) -> Result<BTreeMap<String, ProjectStateResource>> {
    let (config, members) = (&held.project.config, held.expanded());
    let short = |key: &str| key.trim_start_matches("limits.").to_string();
    let mut resources = BTreeMap::new();
    for sum in Sum::ALL {
        let used = sum.total(held, &members, Unset::Skip)?;
        resources.insert(short(sum.key()), resource(sum.limit(config)?, used));
    }
    for guest in [Guest::Container, Guest::VirtualMachine] {
        let used = limits::instances(held, guest);
        resources.insert(short(guest.limit()), resource(limits::count(config, guest.limit())?, used));
    }
    let limit = limits::count(config, "limits.instances")?;
    resources.insert("instances".to_string(), resource(limit, count(held.instances.len())));
    Ok(resources)
}
