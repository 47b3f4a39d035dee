//! A volume that comes from another server: what the two agree on, and its pieces as they come.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use corten_api::backup_config::BackupConfig;
use corten_api::error::{Error, Result};
use corten_host::idmap::IdMap;
use corten_host::idmap::shift::{self, Change};
use corten_instance::volatile;
use corten_storage::pool::receive::Landing;

use super::progress::Progress;
use super::session::Session;
use super::wire::{CRIU_NONE, Features, Header, INDEX_VERSION, RSYNC, Snapshot};
use super::{index, rsync, wire};

/// A volume that is about to come.
pub struct Incoming {
    session: Mutex<Session>,
    name: String,
    features: Features,
    /// Whether the volume itself comes a second time, since it was in use the first time.
    twice: bool,
    /// What the files of the volume itself are shifted by.
    shifted: IdMap,
    /// The snapshots that come before it, oldest first.
    pub snapshots: Vec<Snapshot>,
    /// What the source says of it; nothing from old servers.
    pub index: BackupConfig,
}

/// Chooses among the snapshots that a source has.
pub type Choose<'a> = &'a dyn Fn(&[Snapshot]) -> Vec<Snapshot>;

/// What the target wants of a source.
pub struct Wanted<'a> {
    /// The volume's name here, for the progress.
    pub name: &'a str,
    /// Whether the pool lets rsync compress.
    pub compress: bool,
    /// For a volume that is there: which of the source's snapshots are to come.
    pub refresh: Option<Choose<'a>>,
}

impl Incoming {
    /// Agrees with the source on what comes. When it fails, the source hears why, and the session is over.
    ///
    /// # Errors
    /// When the source is gone, or says what cannot be done here.
    pub fn greet(mut session: Session, wanted: &Wanted<'_>) -> Result<Incoming> {
        match agree(&mut session, wanted) {
            Ok(Agreed { features, twice, shifted, snapshots, index }) => Ok(Incoming {
                session: Mutex::new(session),
                name: wanted.name.to_string(),
                features,
                twice,
                shifted,
                snapshots,
                index,
            }),
            Err(error) => Err(session.end(Err(error)).err().unwrap_or_else(|| Error::internal("The migration ended"))),
        }
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Names of the snapshots that come, oldest first.
    pub fn names(&self) -> Vec<String> {
        self.snapshots.iter().map(|snapshot| snapshot.name.clone()).collect()
    }

    /// Receives the next piece: the snapshot of this name, or the volume itself. Files get the container's own ids.
    ///
    /// # Errors
    /// When the source is gone, or what rsync says.
    pub fn receive(&self, snapshot: Option<&str>, landing: &Landing) -> Result<()> {
        corten_instance::step::pass("receive a piece")?;
        let times = if snapshot.is_none() && self.twice { 2 } else { 1 };
        let name = snapshot.map_or_else(|| self.name.clone(), |snapshot| format!("{}/{snapshot}", self.name));
        for _ in 0..times {
            self.session().wait(async |channels, op| {
                rsync::receive(landing, &self.features, &mut channels.fs, Progress::new(op, &name)).await
            })?;
        }
        let Some(rootfs) = &landing.rootfs else { return Ok(()) };
        let of_snapshot = snapshot.and_then(|name| self.snapshots.iter().find(|one| one.name == name));
        let shifted = match of_snapshot {
            Some(one) => on_disk(one)?,
            None => self.shifted.clone(),
        };
        if !shifted.is_empty() {
            shift::tree(rootfs, &Change::new(&shifted, &IdMap::default()))
                .map_err(|error| Error::internal(corten_api::error::chain(&error)))?;
        }
        Ok(())
    }

    /// Tells the source how it ended.
    ///
    /// # Errors
    /// That of `outcome`, or the source's words for it.
    pub fn end(&self, outcome: Result<()>) -> Result<()> {
        self.session().end(outcome)
    }
}

/// What the files of a snapshot are shifted by: its keys say it.
fn on_disk(snapshot: &Snapshot) -> Result<IdMap> {
    let said = snapshot.config.iter().find(|pair| pair.key == volatile::IDMAP_ON_DISK);
    let text = said.map(|pair| pair.value.as_str()).filter(|text| !text.is_empty()).unwrap_or("[]");
    IdMap::from_json(text).map_err(|error| Error::invalid(format!("Invalid {}: {error}", volatile::IDMAP_ON_DISK)))
}

struct Agreed {
    features: Features,
    twice: bool,
    shifted: IdMap,
    snapshots: Vec<Snapshot>,
    index: BackupConfig,
}

fn agree(session: &mut Session, wanted: &Wanted<'_>) -> Result<Agreed> {
    let offer = session.receive_header().map_err(|error| error.context("Failed receiving migration offer header"))?;
    let features = Features::ours(wanted.compress).common(offer.features);
    let twice = offer.criu == Some(CRIU_NONE);
    let shifted = wire::id_map(&offer.idmap)?;
    let mut snapshots = offered(&offer)?;
    if let Some(choose) = wanted.refresh {
        snapshots = choose(&snapshots);
    }
    let version = offer.index_version.unwrap_or(0).min(INDEX_VERSION);
    let answer = Header {
        // Every source can send by rsync, whatever it would rather do.
        kind: RSYNC,
        criu: offer.criu.filter(|_| twice),
        snapshot_names: snapshots.iter().map(|snapshot| snapshot.name.clone()).collect(),
        snapshots: snapshots.clone(),
        predump: Some(false),
        features: Some(features),
        refresh: Some(wanted.refresh.is_some()),
        index_version: Some(version),
        ..Header::default()
    };
    session.send_header(&answer)?;
    let index = if version == 0 {
        BackupConfig::default()
    } else {
        let text = session.wait(async |channels, _| channels.fs.receive_document().await)?;
        let index = index::read(&text)?;
        let answer = index::accept(wanted.refresh.is_some())?;
        session.wait(async |channels, _| channels.fs.send_document(answer).await)?;
        index
    };
    Ok(Agreed { features, twice, shifted, snapshots, index })
}

/// The snapshots of an offer. Old servers tell names only.
fn offered(offer: &Header) -> Result<Vec<Snapshot>> {
    let known = offer.snapshots.len() == offer.snapshot_names.len();
    let by_name = |name: &String| Snapshot { name: name.clone(), ..Snapshot::default() };
    let snapshots: Vec<Snapshot> =
        if known { offer.snapshots.clone() } else { offer.snapshot_names.iter().map(by_name).collect() };
    let mut seen = HashSet::new();
    for snapshot in &snapshots {
        corten_config::name::check_snapshot(&snapshot.name)?;
        if !seen.insert(&snapshot.name) {
            return Err(Error::invalid(format!("The source has two snapshots of the name {:?}", snapshot.name)));
        }
        on_disk(snapshot)?;
    }
    Ok(snapshots)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offers_are_looked_at_before_anything_is_done() {
        let snapshot = |name: &str| Snapshot { name: name.to_string(), ..Snapshot::default() };
        let offer = |names: &[&str], known: &[Snapshot]| Header {
            snapshot_names: names.iter().map(|name| (*name).to_string()).collect(),
            snapshots: known.to_vec(),
            ..Header::default()
        };
        let names = |offer: &Header| offered(offer).map(|all| all.into_iter().map(|one| one.name).collect::<Vec<_>>());
        assert_eq!(names(&offer(&["a", "b"], &[])).expect("names"), ["a", "b"]);
        assert_eq!(names(&offer(&["a"], &[snapshot("a")])).expect("snapshots"), ["a"]);
        for bad in [offer(&["../x"], &[]), offer(&["a", "a"], &[]), offer(&[".."], &[snapshot("..")])] {
            names(&bad).expect_err("it is refused");
        }
        let mut shifted = snapshot("a");
        shifted.config = wire::pairs(&[(volatile::IDMAP_ON_DISK.to_string(), "nonsense".to_string())].into());
        names(&offer(&["a"], &[shifted])).expect_err("no map");
    }
}
