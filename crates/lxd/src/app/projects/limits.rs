//! The `limits.*` keys of a project: counts, and sums over all that it holds. Pure.

use corten_api::error::{Error, Result};
use corten_config::value::byte_size;
use corten_config::value::go_text::parse_int;
use corten_db::table::Config;
use corten_instance::instance::root_disk;

use super::holdings::{Guest, Holdings, Member};

/// A limit on a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sum {
    /// CPUs.
    Cpu,
    /// Bytes of root disks and custom volumes.
    Disk,
    /// Bytes of memory.
    Memory,
    /// Processes.
    Processes,
}

/// What is done about an instance or volume that does not say how much it may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unset {
    /// It counts as nothing, as when usage is shown.
    Skip,
    /// It is an error: with a limit on the sum everyone must have a limit.
    Refuse,
}

impl Sum {
    /// All of them.
    pub const ALL: [Sum; 4] = [Sum::Cpu, Sum::Disk, Sum::Memory, Sum::Processes];

    /// The key, of the project and (but for the disk) of its instances.
    pub fn key(self) -> &'static str {
        match self {
            Sum::Cpu => "limits.cpu",
            Sum::Disk => "limits.disk",
            Sum::Memory => "limits.memory",
            Sum::Processes => "limits.processes",
        }
    }

    /// Reads a value that can be summed up.
    ///
    /// # Errors
    /// Such as for a percentage of memory, or pinned CPUs.
    pub fn parse(self, text: &str) -> Result<i64, String> {
        match self {
            Sum::Memory if text.ends_with('%') => Err("Value can't be a percentage".to_string()),
            Sum::Cpu if text.contains([',', '-']) => Err("CPUs can't be pinned if project limits are used".to_string()),
            Sum::Cpu | Sum::Processes => parse_int("Atoi", text),
            Sum::Disk | Sum::Memory => byte_size::parse(text),
        }
    }

    fn print(self, value: i64) -> String {
        match self {
            Sum::Cpu | Sum::Processes => value.to_string(),
            Sum::Disk | Sum::Memory => byte_size::binary(value, 1),
        }
    }

    /// The project's limit; `None` when it has none.
    ///
    /// # Errors
    /// When the value cannot be read.
    pub fn limit(self, config: &Config) -> Result<Option<i64>> {
        let text = config.get(self.key()).filter(|text| !text.is_empty());
        text.map(|text| self.parse(text).map_err(Error::internal)).transpose()
    }

    /// How much all that the project holds may use together; `members` are expanded.
    ///
    /// # Errors
    /// In LXD's words when something has no limit, or one that cannot be summed up (unless it is to be skipped).
    pub fn total(self, held: &Holdings, members: &[Member], unset: Unset) -> Result<i64> {
        let project = held.project.name.as_str();
        let mut total = 0_i64;
        if self == Sum::Disk {
            for (name, config) in &held.volumes {
                total = total.saturating_add(of_volume(project, name, config, unset)?);
            }
        }
        for member in members {
            total = total.saturating_add(self.of_member(project, member, unset)?);
        }
        Ok(total)
    }

    fn of_member(self, project: &str, member: &Member, unset: Unset) -> Result<i64> {
        let name = &member.name;
        let (value, missing) = if self == Sum::Disk {
            let Some((_, disk)) = root_disk(&member.devices) else {
                let failed = format!("Failed getting root disk device for instance {name:?} in project {project:?}");
                return Err(Error::internal(format!("{failed}: No root device could be found")));
            };
            let missing = format!(
                "Instance {name:?} in project {project:?} has no \"size\" config set on the root device either \
                 directly or via a profile"
            );
            (disk.get("size"), missing)
        } else {
            let key = self.key();
            let missing = format!(
                "Instance {name:?} in project {project:?} has no {key:?} config, either directly or via a profile"
            );
            (member.config.get(key), missing)
        };
        let value = value.filter(|value| !value.is_empty());
        match (value.map(|value| self.parse(value)), unset) {
            (Some(Ok(value)), _) => Ok(value),
            (_, Unset::Skip) => Ok(0),
            (None, Unset::Refuse) => Err(Error::internal(missing)),
            (Some(Err(_)), Unset::Refuse) => {
                let key = self.key();
                Err(Error::internal(format!("Failed parsing {key:?} for instance {name:?} in project {project:?}")))
            }
        }
    }
}

fn of_volume(project: &str, name: &str, config: &Config, unset: Unset) -> Result<i64> {
    match (config.get("size"), unset) {
        (Some(size), _) => byte_size::parse(size).map_err(|why| {
            Error::internal(format!("Parse \"size\" for custom volume {name:?} in project {project:?}: {why}"))
        }),
        (None, Unset::Skip) => Ok(0),
        (None, Unset::Refuse) => {
            Err(Error::internal(format!("Custom volume {name:?} in project {project:?} has no \"size\" config set")))
        }
    }
}

/// A limit on a count, such as `limits.containers`; `None` when there is none.
///
/// # Errors
/// When the value is no number.
pub fn count(config: &Config, key: &str) -> Result<Option<i64>> {
    let text = config.get(key).filter(|text| !text.is_empty());
    text.map(|text| parse_int("Atoi", text).map_err(Error::internal)).transpose()
}

/// How many instances of a kind there are.
pub fn instances(held: &Holdings, guest: Guest) -> i64 {
    as_count(held.instances.iter().filter(|member| member.guest == guest).count())
}

fn as_count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// Refuses one instance more than the project may have.
///
/// # Errors
/// In LXD's words.
pub fn room_for(held: &Holdings, guest: Guest) -> Result<()> {
    let (project, config) = (&held.project.name, &held.project.config);
    if count(config, guest.limit())?.is_some_and(|limit| instances(held, guest) >= limit) {
        let kind = guest.word();
        return Err(Error::internal(format!(
            "Reached maximum number of instances of type {kind:?} in project {project:?}"
        )));
    }
    if count(config, "limits.instances")?.is_some_and(|limit| as_count(held.instances.len()) >= limit) {
        return Err(Error::internal(format!("Reached maximum number of instances in project {project:?}")));
    }
    Ok(())
}

/// Refuses what makes a sum larger than the project may have; `members` are expanded.
///
/// # Errors
/// In LXD's words.
pub fn sums(held: &Holdings, members: &[Member]) -> Result<()> {
    for sum in Sum::ALL {
        let Some(limit) = sum.limit(&held.project.config)? else { continue };
        let total = sum.total(held, members, Unset::Refuse);
        let total = total.map_err(|error| error.context("Failed getting usage of project entities"))?;
        if total > limit {
            let (key, project) = (sum.key(), &held.project.name);
            let value = held.project.config.get(key).cloned().unwrap_or_default();
            return Err(Error::internal(format!(
                "Reached maximum aggregate value {value:?} for {key:?} in project {project:?}"
            )));
        }
    }
    Ok(())
}

/// Refuses a new value of a project's limit that is below what it holds already; `members` are expanded. Keys that
/// limit nothing here are not looked at.
///
/// # Errors
/// In LXD's words.
pub fn new_value(held: &Holdings, members: &[Member], key: &str, config: &Config) -> Result<()> {
    let project = &held.project.name;
    let low = |what: String| Err(Error::internal(what));
    match key {
        "limits.instances" => {
            let there = as_count(held.instances.len());
            if count(config, key)?.is_some_and(|limit| limit < there) {
                return low(format!(
                    "Can't change limits.instances in project {project:?}: \"limits.instances\" is too low: there \
                     currently are {there} total instances in project {project:?}"
                ));
            }
        }
        "limits.containers" | "limits.virtual-machines" => {
            let guest = if key == "limits.containers" { Guest::Container } else { Guest::VirtualMachine };
            let (there, kind) = (instances(held, guest), guest.word());
            if count(config, key)?.is_some_and(|limit| limit < there) {
                return low(format!(
                    "Can't change {key:?} in project {project:?}: {key:?} is too low: there currently are {there} \
                     instances of type {kind} in project {project:?}"
                ));
            }
        }
        _ => {
            let Some(sum) = Sum::ALL.into_iter().find(|sum| sum.key() == key) else { return Ok(()) };
            let Some(text) = config.get(key).filter(|text| !text.is_empty()) else { return Ok(()) };
            let total = sum.total(held, members, Unset::Refuse)?;
            let limit = sum
                .parse(text)
                .map_err(|why| Error::internal(format!("Invalid value {text:?} for limit {key:?}: {why}")))?;
            if limit < total {
                let total = sum.print(total);
                return low(format!("{key:?} is too low: current total is {total:?}"));
            }
        }
    }
    Ok(())
}
