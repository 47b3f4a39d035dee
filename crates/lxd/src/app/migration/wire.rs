//! The messages of the control channel, as LXD's `migrate.proto` numbers their fields, and what both sides agree on.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};
use corten_api::instance_snapshot::InstanceSnapshot;
use corten_db::table::architecture;
use corten_host::idmap::{Entry, IdMap, Kind};

/// The way of rsync, in [`Header::kind`]; other numbers are storage drivers' own.
pub const RSYNC: i32 = 0;

/// [`Header::criu`] of a container that runs and whose memory stays behind: its files are sent twice then.
pub const CRIU_NONE: i32 = 2;

/// The newest index header that is known: JSON before the data.
pub const INDEX_VERSION: u32 = 1;

/// A range of ids, as the files that are sent have them.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct IdRange {
    /// Whether it is for users.
    #[prost(bool, required, tag = "1")]
    pub is_uid: bool,
    /// Whether it is for groups.
    #[prost(bool, required, tag = "2")]
    pub is_gid: bool,
    /// First id on the host.
    #[prost(int32, required, tag = "3")]
    pub host: i32,
    /// First id in the container.
    #[prost(int32, required, tag = "4")]
    pub ns: i32,
    /// How many.
    #[prost(int32, required, tag = "5")]
    pub count: i32,
}

/// A key and its value.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Pair {
    /// The key.
    #[prost(string, required, tag = "1")]
    pub key: String,
    /// The value.
    #[prost(string, required, tag = "2")]
    pub value: String,
}

/// A device with its keys.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Device {
    /// Its name.
    #[prost(string, required, tag = "1")]
    pub name: String,
    /// Its keys.
    #[prost(message, repeated, tag = "2")]
    pub config: Vec<Pair>,
}

/// A snapshot. Times are seconds since 1970; 0 and what is before are none.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Snapshot {
    /// Its own name.
    #[prost(string, required, tag = "1")]
    pub name: String,
    /// Its keys.
    #[prost(message, repeated, tag = "2")]
    pub config: Vec<Pair>,
    /// Names of its profiles.
    #[prost(string, repeated, tag = "3")]
    pub profiles: Vec<String>,
    /// Whether the instance was ephemeral.
    #[prost(bool, required, tag = "4")]
    pub ephemeral: bool,
    /// Its devices.
    #[prost(message, repeated, tag = "5")]
    pub devices: Vec<Device>,
    /// LXD's number of its architecture.
    #[prost(int32, required, tag = "6")]
    pub architecture: i32,
    /// Whether memory was saved with it.
    #[prost(bool, required, tag = "7")]
    pub stateful: bool,
    /// When it was made.
    #[prost(int64, optional, tag = "8")]
    pub created: Option<i64>,
    /// When the instance was used last.
    #[prost(int64, optional, tag = "9")]
    pub last_used: Option<i64>,
    /// When it is to be removed.
    #[prost(int64, optional, tag = "10")]
    pub expires: Option<i64>,
}

/// What a side's rsync is to do beyond the least.
#[derive(Clone, Copy, PartialEq, Eq, prost::Message)]
pub struct Features {
    /// Extended attributes, but for those of SELinux.
    #[prost(bool, optional, tag = "1")]
    pub xattrs: Option<bool>,
    /// Removing what the other side does not have.
    #[prost(bool, optional, tag = "2")]
    pub delete: Option<bool>,
    /// Compression.
    #[prost(bool, optional, tag = "3")]
    pub compress: Option<bool>,
    /// Whether the other side may choose among these; servers before LXD 3.10 know no choice.
    #[prost(bool, optional, tag = "4")]
    pub bidirectional: Option<bool>,
    /// Hard links, which LXD does not send, and ACLs by rsync's own option, where LXD sends them as attributes. No number of
    /// LXD's: it does not say yes to it.
    #[prost(bool, optional, tag = "1001")]
    pub whole: Option<bool>,
}

/// What begins the conversation, and what answers it.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Header {
    /// How the data come: [`RSYNC`] or a storage driver's own way.
    #[prost(int32, required, tag = "1")]
    pub kind: i32,
    /// How memory comes, if it does.
    #[prost(int32, optional, tag = "2")]
    pub criu: Option<i32>,
    /// What the files' ids are shifted by.
    #[prost(message, repeated, tag = "3")]
    pub idmap: Vec<IdRange>,
    /// Names of the snapshots, oldest first.
    #[prost(string, repeated, tag = "4")]
    pub snapshot_names: Vec<String>,
    /// The same snapshots with all that is known of them.
    #[prost(message, repeated, tag = "5")]
    pub snapshots: Vec<Snapshot>,
    /// Whether memory comes in several rounds.
    #[prost(bool, optional, tag = "7")]
    pub predump: Option<bool>,
    /// What rsync is to do.
    #[prost(message, optional, tag = "8")]
    pub features: Option<Features>,
    /// Whether the target is there and gets what is new only.
    #[prost(bool, optional, tag = "9")]
    pub refresh: Option<bool>,
    /// Size of a block volume in bytes.
    #[prost(int64, optional, tag = "11")]
    pub volume_size: Option<i64>,
    /// Which index header comes before the data; 0 for none.
    #[prost(uint32, optional, tag = "13")]
    pub index_version: Option<u32>,
}

/// How it ended, or that it cannot go on.
#[derive(Clone, PartialEq, Eq, prost::Message)]
pub struct Control {
    /// Whether it went well.
    #[prost(bool, required, tag = "1")]
    pub success: bool,
    /// Why not.
    #[prost(string, optional, tag = "2")]
    pub message: Option<String>,
}

impl Features {
    /// What we can do, on a pool with this `rsync.compression`.
    pub fn ours(compress: bool) -> Features {
        let yes = Some(true);
        Features { xattrs: yes, delete: yes, compress: Some(compress), bidirectional: yes, whole: yes }
    }

    /// What both sides can do. Who says nothing of it, or is too old to choose, does what every such server does.
    pub fn common(self, offered: Option<Features>) -> Features {
        let offered = offered.filter(|offered| offered.bidirectional == Some(true)).unwrap_or(Features {
            xattrs: Some(true),
            delete: Some(true),
            compress: Some(true),
            bidirectional: None,
            whole: None,
        });
        let both = |one: Option<bool>, other: Option<bool>| Some(one == Some(true) && other == Some(true));
        Features {
            xattrs: both(self.xattrs, offered.xattrs),
            delete: both(self.delete, offered.delete),
            compress: both(self.compress, offered.compress),
            bidirectional: both(self.bidirectional, offered.bidirectional),
            whole: Some(true).filter(|_| both(self.whole, offered.whole) == Some(true)),
        }
    }
}

/// Ranges of an id map.
pub fn ranges(map: &IdMap) -> Vec<IdRange> {
    let number = |id: u32| i32::try_from(id).unwrap_or(i32::MAX);
    let range = |entry: &Entry| IdRange {
        is_uid: entry.kind.uid(),
        is_gid: entry.kind.gid(),
        host: number(entry.host),
        ns: number(entry.ns),
        count: number(entry.count),
    };
    map.entries.iter().map(range).collect()
}

/// The id map of ranges that another server says.
///
/// # Errors
/// When they are none.
pub fn id_map(ranges: &[IdRange]) -> Result<IdMap> {
    let invalid = |words: String| Error::invalid(format!("Invalid id map of the source: {words}"));
    let mut map = IdMap::default();
    for range in ranges {
        let number = |id: i32| u32::try_from(id).map_err(|_| invalid(format!("{id} is no id")));
        let kind = match (range.is_uid, range.is_gid) {
            (true, true) => Kind::Both,
            (true, false) => Kind::Uid,
            (false, true) => Kind::Gid,
            (false, false) => return Err(invalid("a range for neither users nor groups".to_string())),
        };
        let entry = Entry { kind, host: number(range.host)?, ns: number(range.ns)?, count: number(range.count)? };
        let entry = entry.checked().ok_or_else(|| invalid("a range beyond all ids".to_string()))?;
        map.add(entry).map_err(|error| invalid(error.to_string()))?;
    }
    Ok(map)
}

/// Pairs of a table of keys.
pub fn pairs(config: &BTreeMap<String, String>) -> Vec<Pair> {
    config.iter().map(|(key, value)| Pair { key: key.clone(), value: value.clone() }).collect()
}

/// A table of keys from pairs.
pub fn table(pairs: &[Pair]) -> BTreeMap<String, String> {
    pairs.iter().map(|pair| (pair.key.clone(), pair.value.clone())).collect()
}

impl From<&InstanceSnapshot> for Snapshot {
    fn from(shown: &InstanceSnapshot) -> Snapshot {
        let architecture = architecture::id(&shown.architecture).unwrap_or_default();
        let device =
            |(name, keys): (&String, &BTreeMap<String, String>)| Device { name: name.clone(), config: pairs(keys) };
        Snapshot {
            name: shown.name.clone(),
            config: pairs(&shown.config),
            profiles: shown.profiles.clone(),
            ephemeral: shown.ephemeral,
            devices: shown.devices.iter().map(device).collect(),
            architecture: i32::try_from(architecture).unwrap_or_default(),
            stateful: shown.stateful,
            created: Some(shown.created_at.unix()),
            last_used: Some(shown.last_used_at.unix()),
            expires: Some(shown.expires_at.unix()),
        }
    }
}

impl Snapshot {
    /// A snapshot of a volume, of which only the name is told here.
    pub fn of_volume(name: &str, config: &BTreeMap<String, String>) -> Snapshot {
        Snapshot {
            name: name.to_string(),
            config: pairs(config),
            created: Some(0),
            last_used: Some(0),
            expires: Some(0),
            ..Snapshot::default()
        }
    }

    /// Its devices.
    pub fn devices(&self) -> BTreeMap<String, BTreeMap<String, String>> {
        self.devices.iter().map(|device| (device.name.clone(), table(&device.config))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use prost::Message;

    #[test]
    fn a_header_has_lxds_bytes() {
        let header = Header {
            kind: RSYNC,
            idmap: ranges(&IdMap::both(1_000_000, 65536)),
            snapshot_names: vec!["s".into()],
            features: Some(Features { whole: None, ..Features::ours(true) }),
            refresh: Some(false),
            index_version: Some(1),
            ..Header::default()
        };
        let hex = data_encoding::HEXLOWER.encode(&header.encode_to_vec());
        let ranges = "1a0e0801100018c0843d200028808004".to_string() + "1a0e0800100118c0843d200028808004";
        assert_eq!(hex, format!("0800{ranges}2201734208080110011801200148006801"));
        assert_eq!(Header::decode(header.encode_to_vec().as_slice()), Ok(header.clone()));
        assert_eq!(id_map(&header.idmap).expect("a map"), IdMap::both(1_000_000, 65536));
        let bad = IdRange { host: -1, ..header.idmap[0] };
        assert!(id_map(&[bad]).expect_err("no id").message.contains("-1 is no id"));
        id_map(&[header.idmap[0], header.idmap[0]]).expect_err("twice the same");
    }

    #[test]
    fn both_sides_do_what_both_can() {
        let (yes, no) = (Some(true), Some(false));
        let ours = Features::ours(true);
        let lxd = Features { xattrs: yes, delete: yes, compress: no, bidirectional: yes, whole: None };
        assert_eq!(ours.common(Some(lxd)), lxd);
        assert_eq!(ours.common(Some(ours)), ours);
        let old = Features { xattrs: no, ..Features::default() };
        for offered in [None, Some(old)] {
            let agreed = ours.common(offered);
            assert_eq!((agreed.xattrs, agreed.delete, agreed.compress, agreed.whole), (yes, yes, yes, None));
        }
        assert_eq!(Features::ours(false).common(Some(ours)).compress, no);
    }
}
