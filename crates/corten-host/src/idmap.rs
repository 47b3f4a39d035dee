//! Id maps: which ids of a container are which ids of the host, in LXD's forms and the kernel's.

pub mod allocate;
pub mod raw;
pub mod shift;
pub mod subid;
pub mod userns;

use serde::{Deserialize, Serialize};

use crate::xattr::IdShift;

/// Whether an entry maps users, groups or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Kind {
    Both,
    Uid,
    Gid,
}

impl Kind {
    /// Whether users are mapped.
    pub fn uid(self) -> bool {
        self != Kind::Gid
    }

    /// Whether groups are mapped.
    pub fn gid(self) -> bool {
        self != Kind::Uid
    }
}

/// A range of ids: `ns..ns+count` inside is `host..host+count` outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
pub struct Entry {
    /// Users, groups or both.
    pub kind: Kind,
    /// First id on the host.
    pub host: u32,
    /// First id in the container.
    pub ns: u32,
    /// How many.
    pub count: u32,
}

/// The form in which LXD writes an entry into `volatile.idmap.*`.
#[derive(Serialize, Deserialize)]
struct Written {
    #[serde(rename = "Isuid")]
    uid: bool,
    #[serde(rename = "Isgid")]
    gid: bool,
    #[serde(rename = "Hostid")]
    host: i64,
    #[serde(rename = "Nsid")]
    ns: i64,
    #[serde(rename = "Maprange")]
    count: i64,
}

impl From<Entry> for Written {
    fn from(Entry { kind, host, ns, count }: Entry) -> Written {
        Written { uid: kind.uid(), gid: kind.gid(), host: host.into(), ns: ns.into(), count: count.into() }
    }
}

impl TryFrom<Written> for Entry {
    type Error = Error;

    fn try_from(written: Written) -> Result<Entry, Error> {
        let kind = match (written.uid, written.gid) {
            (true, true) => Kind::Both,
            (true, false) => Kind::Uid,
            (false, true) => Kind::Gid,
            (false, false) => return Err(Error::NoKind),
        };
        let Written { host, ns, count, .. } = written;
        let beyond = || Error::Beyond { host, ns, count };
        let number = |value: i64| u32::try_from(value).map_err(|_| beyond());
        Entry { kind, host: number(host)?, ns: number(ns)?, count: number(count)? }.checked().ok_or_else(beyond)
    }
}

/// What is wrong with an id map. The first four are LXD's own words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[allow(missing_docs, reason = "the texts say it")]
pub enum Error {
    #[error("Invalid ID map line {0:?}")]
    Line(String),
    #[error("Invalid ID map range {0:?}")]
    Range(String),
    #[error("Invalid ID map type {0:?}")]
    Kind(String),
    #[error("The ID map ranges are of different sizes {0:?}")]
    Sizes(String),
    #[error("Host id is in the range of subids")]
    HostIdIsSubId,
    #[error("Not enough uid/gid available for the container")]
    NotEnough,
    #[error("An ID map entry maps neither users nor groups")]
    NoKind,
    #[error("The ID map of {count} ids from {ns} to {host} goes beyond the ids that exist (0 to 4294967294)")]
    Beyond { host: i64, ns: i64, count: i64 },
    #[error("Unexpected values in {path:?}: {line:?}")]
    SubId { path: String, line: String },
    #[error("The '{0}' map can't work in the current user namespace")]
    Unusable(String),
    #[error("Invalid ID map {text:?}: {reason}")]
    Json { text: String, reason: String },
}

impl Entry {
    /// The entry itself when it is not empty and all its ids exist.
    pub fn checked(self) -> Option<Entry> {
        // The last 32-bit number means "no change" to the kernel and is no id.
        let fits = |first: u32| u64::from(first) + u64::from(self.count) <= u64::from(u32::MAX);
        (self.count > 0 && fits(self.host) && fits(self.ns)).then_some(self)
    }

    fn same_kind(&self, other: &Entry) -> bool {
        (self.kind.uid() && other.kind.uid()) || (self.kind.gid() && other.kind.gid())
    }

    /// Whether both map some id of the host.
    pub fn hosts_overlap(&self, other: &Entry) -> bool {
        self.same_kind(other) && overlap((self.host, self.count), (other.host, other.count))
    }

    /// Whether both map some id, on either side.
    pub fn overlaps(&self, other: &Entry) -> bool {
        self.hosts_overlap(other) || (self.same_kind(other) && overlap((self.ns, self.count), (other.ns, other.count)))
    }

    /// `u 0 1000000 65536`, as liblxc writes it; two lines for both kinds.
    pub fn lines(&self) -> Vec<String> {
        let kinds = [(self.kind.uid(), 'u'), (self.kind.gid(), 'g')];
        let line = |letter| format!("{letter} {} {} {}", self.ns, self.host, self.count);
        kinds.iter().filter(|(has, _)| *has).map(|(_, letter)| line(letter)).collect()
    }
}

fn overlap((a, a_count): (u32, u32), (b, b_count): (u32, u32)) -> bool {
    u64::from(a) < u64::from(b) + u64::from(b_count) && u64::from(b) < u64::from(a) + u64::from(a_count)
}

/// A whole map. An empty one stands for a privileged container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdMap {
    /// Its entries, in the order in which LXD writes them.
    pub entries: Vec<Entry>,
}

impl IdMap {
    /// One range for users and one for groups, as LXD's own maps are.
    pub fn both(host: u32, count: u32) -> IdMap {
        IdMap { entries: [Kind::Uid, Kind::Gid].map(|kind| Entry { kind, host, ns: 0, count }).to_vec() }
    }

    /// Whether nothing is mapped.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The text of `volatile.idmap.*`.
    pub fn to_json(&self) -> String {
        serde_json::to_string(&self.entries).unwrap_or_default()
    }

    /// Reads the text of `volatile.idmap.*`.
    ///
    /// # Errors
    /// [`Error::Json`] when it is not of LXD's form.
    pub fn from_json(text: &str) -> Result<IdMap, Error> {
        let wrong = |error: serde_json::Error| Error::Json { text: text.to_string(), reason: error.to_string() };
        // Go writes an empty list as null.
        let entries = serde_json::from_str::<Option<Vec<Entry>>>(text).map_err(wrong)?;
        Ok(IdMap { entries: entries.unwrap_or_default() })
    }

    /// Adds an entry; where an older one maps the same ids of the container, that is cut out of it.
    ///
    /// # Errors
    /// [`Error::HostIdIsSubId`] when an older entry maps the same ids of the host.
    pub fn add(&mut self, new: Entry) -> Result<(), Error> {
        let mut entries = Vec::with_capacity(self.entries.len() + 2);
        let mut added = false;
        for old in &self.entries {
            if !old.overlaps(&new) {
                entries.push(*old);
                continue;
            }
            if old.hosts_overlap(&new) {
                return Err(Error::HostIdIsSubId);
            }
            // LXD lists the new entry in the place of each that it cuts, twice if it cuts users and groups.
            let below = new.ns.saturating_sub(old.ns);
            entries.extend(Entry { count: below, ..*old }.checked());
            entries.push(new);
            added = true;
            let taken = (new.ns + new.count).saturating_sub(old.ns);
            if taken < old.count {
                let (host, ns, count) = (old.host + taken, old.ns + taken, old.count - taken);
                entries.push(Entry { kind: old.kind, host, ns, count });
            }
        }
        if !added {
            entries.push(new);
        }
        self.entries = entries;
        Ok(())
    }

    /// All entries as liblxc's lines, each once.
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for line in self.entries.iter().flat_map(Entry::lines) {
            if !lines.contains(&line) {
                lines.push(line);
            }
        }
        lines
    }

    /// The text for /proc/PID/uid_map.
    pub fn uid_map(&self) -> String {
        self.kernel_text("u ")
    }

    /// The text for /proc/PID/gid_map.
    pub fn gid_map(&self) -> String {
        self.kernel_text("g ")
    }

    fn kernel_text(&self, kind: &str) -> String {
        self.lines().iter().filter_map(|line| line.strip_prefix(kind)).map(|line| format!("{line}\n")).collect()
    }

    /// The same map the other way round: ids of the host become those of the container.
    #[must_use]
    pub fn reversed(&self) -> IdMap {
        let turn = |entry: &Entry| Entry { host: entry.ns, ns: entry.host, ..*entry };
        IdMap { entries: self.entries.iter().map(turn).collect() }
    }

    /// The host's id of the container's root user; 0 for an empty map.
    pub fn root_uid(&self) -> Option<u32> {
        if self.is_empty() { Some(0) } else { self.uid(0) }
    }

    /// The host's id of the container's root group; 0 for an empty map.
    pub fn root_gid(&self) -> Option<u32> {
        if self.is_empty() { Some(0) } else { self.gid(0) }
    }

    /// Whether both maps mean the same, however they are written.
    pub fn same_as(&self, other: &IdMap) -> bool {
        let sorted = |map: &IdMap| {
            let mut lines = map.lines();
            lines.sort();
            lines
        };
        sorted(self) == sorted(other)
    }
}

fn translate(entries: &[Entry], mapped: impl Fn(Kind) -> bool, id: u32) -> Option<u32> {
    let inside = |entry: &&Entry| mapped(entry.kind) && id >= entry.ns && id - entry.ns < entry.count;
    entries.iter().find(inside).map(|entry| id - entry.ns + entry.host)
}

/// From the container's ids to the host's.
impl IdShift for IdMap {
    fn uid(&self, uid: u32) -> Option<u32> {
        translate(&self.entries, Kind::uid, uid)
    }

    fn gid(&self, gid: u32) -> Option<u32> {
        translate(&self.entries, Kind::gid, gid)
    }
}

#[cfg(test)]
mod tests;
