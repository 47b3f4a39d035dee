//! A volume that goes to another server: what the two agree on, and its pieces, oldest first.

use corten_api::backup_config::BackupConfig;
use corten_api::error::{Error, Result};
use corten_archive::watch::Watch;
use corten_storage::pool::Pool;
use corten_storage::volume::Volume;

use super::progress::Progress;
use super::session::Session;
use super::wire::{Features, Header, INDEX_VERSION, RSYNC};
use super::{compresses, index, rsync};

/// What a source offers.
pub struct Offer {
    /// The snapshots and what the files are shifted by.
    pub header: Header,
    /// All that is said of the volume.
    pub index: BackupConfig,
}

/// What a target wants of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    features: Features,
    /// Names of the snapshots to send, oldest first.
    pub snapshots: Vec<String>,
}

/// Agrees with the target on what it gets of `offer`.
///
/// # Errors
/// When the target is gone, or wants what cannot be had from here.
pub fn agree(session: &mut Session, pool: &Pool, offer: Offer) -> Result<Agreed> {
    let Offer { header, mut index } = offer;
    let offered = header.snapshot_names.clone();
    let ours = Features::ours(compresses(pool));
    let header = Header {
        kind: RSYNC,
        features: Some(ours),
        predump: Some(false),
        index_version: Some(INDEX_VERSION),
        ..header
    };
    session.send_header(&header)?;
    let answer = session.receive_header()?;
    if answer.kind != RSYNC {
        let words = format!("No matching migration types found. Offered types: [{}], our types: [RSYNC]", answer.kind);
        return Err(Error::internal(words));
    }
    let snapshots = if answer.refresh == Some(true) { wanted(&offered, &answer.snapshot_names)? } else { offered };
    index.snapshots.retain(|one| snapshots.contains(&one.name));
    index.volume_snapshots.retain(|one| snapshots.contains(&one.name));
    if answer.index_version.unwrap_or(0) > 0 {
        let text = index::write(index)?;
        session.wait(async |channels, _| channels.fs.send_document(text).await)?;
        let answer = session.wait(async |channels, _| channels.fs.receive_document().await)?;
        index::judge(&answer)?;
    }
    Ok(Agreed { features: ours.common(answer.features), snapshots })
}

/// Those snapshots of ours that a target asks for, in our order.
fn wanted(offered: &[String], asked: &[String]) -> Result<Vec<String>> {
    if let Some(unknown) = asked.iter().find(|name| !offered.contains(name)) {
        return Err(Error::invalid(format!("The target asks for the snapshot {unknown:?}, which was not offered")));
    }
    Ok(offered.iter().filter(|name| asked.contains(name)).cloned().collect())
}

impl Agreed {
    /// Sends a volume or snapshot. `opened` is called when its content can be read and does not change any more.
    ///
    /// # Errors
    /// When it cannot be read, the target is gone, or what rsync says.
    pub fn send(
        &self,
        session: &mut Session,
        (pool, volume): (&Pool, &Volume),
        name: &str,
        may_vanish: bool,
        opened: impl FnOnce(),
    ) -> Result<()> {
        corten_instance::step::pass("send a piece")?;
        let reading = pool.read_volume(volume, &Watch::default())?;
        opened();
        let limit = pool.config_value("rsync.bwlimit");
        let sent = rsync::Sent { directory: reading.path(), without: pool.private_names(), limit: &limit, may_vanish };
        let sent = session.wait(async |channels, op| {
            rsync::send(&sent, &self.features, &mut channels.fs, Progress::new(op, name)).await
        });
        let ended = reading.end();
        sent?;
        Ok(ended?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_gets_what_was_offered() {
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_string()).collect::<Vec<_>>();
        let offered = names(&["a", "b", "c"]);
        assert_eq!(wanted(&offered, &names(&["c", "a"])).expect("both are there"), names(&["a", "c"]));
        assert!(wanted(&offered, &names(&["d"])).expect_err("unknown").message.contains("\"d\""));
    }
}
