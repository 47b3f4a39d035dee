//! Warnings: what an administrator should know, raised by whoever notices.

use super::App;
use corten_api::error::{Error, Result};
use corten_api::time::Time;
use corten_api::url;
use corten_api::warning::Warning;
use corten_db::error::DbError;
use corten_db::table::entities::{self, Entity};
use corten_db::table::{nodes, projects, warnings};
use corten_db::{THIS_NODE, View};
use jiff::Timestamp;
use std::collections::BTreeSet;

/// What a warning is about, in LXD's numbers and words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
pub enum Kind {
    /// A cgroup controller is not there.
    MissingBlkio = 1,
    /// As above.
    MissingBlkioWeight = 2,
    /// As above.
    MissingCpu = 3,
    /// As above.
    MissingCpuset = 4,
    /// As above.
    MissingCpuacct = 5,
    /// As above.
    MissingDevices = 6,
    /// As above.
    MissingFreezer = 7,
    /// As above.
    MissingHugetlb = 8,
    /// As above.
    MissingMemory = 9,
    /// As above.
    MissingNetworkPriority = 10,
    /// As above.
    MissingPids = 11,
    /// Swap is not accounted for.
    MissingSwapAccounting = 12,
    /// AppArmor is not there.
    AppArmorMissing = 14,
    /// A network could not be brought up.
    NetworkUnavailable = 20,
    /// An instance could not be started with the host.
    AutostartFailure = 22,
    /// A pool could not be brought up.
    StoragePoolUnavailable = 24,
}

/// LXD's words by number.
const NAMES: [&str; 25] = [
    "Undefined warning",
    "Couldn't find the CGroup blkio",
    "Couldn't find the CGroup blkio.weight",
    "Couldn't find the CGroup CPU controller",
    "Couldn't find the CGroup CPUset controller",
    "Couldn't find the CGroup CPUacct controller",
    "Couldn't find the CGroup devices controller",
    "Couldn't find the CGroup freezer controller",
    "Couldn't find the CGroup hugetlb controller",
    "Couldn't find the CGroup memory controller",
    "Couldn't find the CGroup network priority controller",
    "Couldn't find the CGroup pids controller",
    "Couldn't find the CGroup memory swap accounting",
    "Time skew detected between leader and local",
    "AppArmor support has been disabled",
    "Missing virtiofsd",
    "Unable to connect to MAAS",
    "Skipping AppArmor for dnsmasq due to raw.dnsmasq being set",
    "IPv6 networks with a prefix larger than 64 aren't properly supported by dnsmasq",
    "Proxy bridge netfilter not enabled",
    "Network unavailable",
    "Offline cluster member",
    "Failed to autostart instance",
    "Instance type not operational",
    "Storage pool unavailable",
];

fn name(kind: i64) -> &'static str {
    usize::try_from(kind).ok().and_then(|kind| NAMES.get(kind)).unwrap_or(&NAMES[0])
}

/// Networks and pools that are not there are serious, the rest is not.
fn severity(kind: i64) -> &'static str {
    let serious = [Kind::NetworkUnavailable as i64, Kind::StoragePoolUnavailable as i64];
    if serious.contains(&kind) { "high" } else { "low" }
}

/// LXD's words for the statuses, by number.
const STATUSES: [(i64, &str); 3] =
    [(warnings::NEW, "new"), (warnings::ACKNOWLEDGED, "acknowledged"), (warnings::RESOLVED, "resolved")];

/// The number of a status.
pub fn status_number(name: &str) -> Option<i64> {
    STATUSES.iter().find(|(_, known)| *known == name).map(|(number, _)| *number)
}

/// LXD's number for instances that a warning is about.
pub const INSTANCE: i64 = 5;

/// As the API shows it.
///
/// # Errors
/// The database's.
pub fn view(db: &View<'_>, row: &warnings::Warning) -> Result<Warning, DbError> {
    let about = entities::find(db, row.entity_type, row.entity_id)?;
    let status = STATUSES.iter().find(|(number, _)| *number == row.status).map_or("new", |(_, name)| name);
    Ok(Warning {
        status: status.to_string(),
        uuid: row.uuid.clone(),
        location: row.node.clone().unwrap_or_default(),
        project: row.project.clone().unwrap_or_default(),
        r#type: name(row.kind).to_string(),
        count: row.count,
        first_seen_at: Time::from(row.first_seen),
        last_seen_at: Time::from(row.last_seen),
        last_message: row.message.clone(),
        severity: severity(row.kind).to_string(),
        entity_url: about.as_ref().map(entity_url).unwrap_or_default(),
    })
}

/// As LXD writes it: with the project, also the default one.
fn entity_url(about: &Entity) -> String {
    let path = url::path([about.folder, &about.name]);
    match &about.project {
        Some(project) => format!("{path}?project={}", url::escape_query(project)),
        None => path,
    }
}

/// A warning in LXD's numbers, as somebody outside tells it.
#[derive(Clone, Copy, Debug)]
pub struct Told<'a> {
    /// What it is about.
    pub kind: i64,
    /// The member it is about; empty for all.
    pub location: &'a str,
    /// The project it is about; empty for none.
    pub project: &'a str,
    /// Kind of the thing it is about, and its row; -1 for none.
    pub entity: (i64, i64),
    /// What there is to say.
    pub message: &'a str,
}

impl App {
    /// Raises a warning that may make no sense.
    ///
    /// # Errors
    /// In LXD's words: no such kind, entity, member or project.
    pub fn raise_warning(&self, told: &Told<'_>) -> Result<()> {
        let (kind, id) = told.entity;
        if kind != -1 && !entities::is_known(kind) {
            return Err(Error::internal("Invalid entity type"));
        }
        if usize::try_from(told.kind).ok().and_then(|kind| NAMES.get(kind)).is_none() {
            let number = told.kind;
            return Err(Error::internal(format!("Failed to create warning: Unknown warning type code {number}")));
        }
        let (uuid, now) = (uuid::Uuid::new_v4().to_string(), Timestamp::now());
        let project = Some(told.project).filter(|project| !project.is_empty());
        let node = (!told.location.is_empty()).then_some(THIS_NODE);
        self.write(|tx| {
            if node.is_some() && nodes::this(tx)?.name != told.location {
                return Err(Error::not_found("Cluster member not found").into());
            }
            if let Some(project) = project
                && projects::get(tx, project)?.is_none()
            {
                return Err(Error::not_found("Failed to create warning: Project not found").into());
            }
            if kind != -1 && id != -1 && entities::find(tx, kind, id)?.is_none() {
                let message = format!(
                    "Failed to create warning: Failed to get URI for entity ID {id} with entity type code {kind}: Unknown entity ID"
                );
                return Err(Error::internal(message).into());
            }
            let notice =
                warnings::Notice { kind: told.kind, node, project, entity: told.entity, message: told.message };
            Ok(warnings::raise(tx, &notice, &uuid, now)?)
        })
    }

    /// Raises a warning, or counts one more of the same. `entity` is LXD's number for what it is about, and its row.
    /// A failure to do so is only logged: what goes wrong there must not stop what was being done.
    pub fn warn(&self, kind: Kind, project: Option<&str>, entity: Option<(i64, i64)>, message: &str) {
        let (uuid, now) = (uuid::Uuid::new_v4().to_string(), Timestamp::now());
        let entity = entity.unwrap_or((-1, -1));
        let notice = warnings::Notice { kind: kind as i64, node: Some(THIS_NODE), project, entity, message };
        if let Err(error) = self.db.write(|tx| warnings::raise(tx, &notice, &uuid, now)) {
            tracing::warn!("Failed to remember the warning \"{message}\": {error}");
        }
    }

    /// Kinds of the warnings that are not resolved.
    pub fn raised_warnings(&self) -> BTreeSet<i64> {
        let all = self.db.view(|view| warnings::list(view, None)).unwrap_or_default();
        all.into_iter().filter(|one| one.status != warnings::RESOLVED).map(|one| one.kind).collect()
    }

    /// The cause of a warning is gone.
    pub fn resolve_warning(&self, kind: Kind, entity: Option<(i64, i64)>) {
        let now = Timestamp::now();
        if let Err(error) = self.db.take_away(|tx| warnings::resolve(tx, kind as i64, entity, now)) {
            tracing::warn!("Failed to resolve a warning: {error}");
        }
    }
}
