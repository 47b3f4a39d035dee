//! What of AppArmor there is on this host, as LXD tells it apart.

use std::path::Path;

use super::KERNEL;
use crate::command::Command;
use crate::file;

/// What of AppArmor can be used here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "five facts that are independent of each other")]
pub struct Features {
    /// Kernel and parser are there and nobody has switched it off.
    pub available: bool,
    /// Why not, in the words of LXD's warning.
    pub unavailable_because: Option<&'static str>,
    /// The kernel can stack profiles, so that a container can have its own.
    pub stacking: bool,
    /// We run in such a container.
    pub stacked: bool,
    /// We may load profiles.
    pub admin: bool,
    /// We are confined by a profile ourselves.
    pub confined: bool,
}

/// Number of the capability `CAP_MAC_ADMIN`.
const MAC_ADMIN: u32 = 33;

impl Features {
    /// Looks at this host. `LXD_SECURITY_APPARMOR=false` switches AppArmor off, as with LXD.
    pub fn probe() -> Features {
        let disabled = std::env::var("LXD_SECURITY_APPARMOR").is_ok_and(|value| value == "false");
        let parser = Command::new("apparmor_parser", "apparmor").find().is_some();
        let read = |path: &str| file::read_if_there(Path::new(KERNEL).join(path)).ok().flatten();
        let because = match (disabled, Path::new(KERNEL).is_dir(), parser) {
            (true, _, _) => Some("Manually disabled"),
            (_, false, _) => Some("Disabled because of lack of kernel support"),
            (_, _, false) => Some("Disabled because 'apparmor_parser' couldn't be found"),
            _ => None,
        };
        let stacked = read(".ns_stacked").as_deref() == Some("yes");
        let label = super::label(std::process::id()).ok().flatten();
        Features {
            available: because.is_none(),
            unavailable_because: because,
            stacking: can_stack(read("features/domain/stack").as_deref(), read("features/domain/version").as_deref()),
            stacked,
            admin: has_capability(MAC_ADMIN) && (stacked || !in_user_namespace()),
            confined: label.is_some_and(|label| !label.is_empty() && label != "unconfined"),
        }
    }

    /// Whether containers get profiles of their own.
    pub fn per_container(&self) -> bool {
        self.available && self.admin && !self.confined
    }
}

/// Stacking is usable from version 1.2 of the domain feature on.
fn can_stack(stack: Option<&str>, version: Option<&str>) -> bool {
    let numbers: Option<Vec<u32>> =
        version.and_then(|version| version.split('.').map(|number| number.parse().ok()).collect());
    let enough = match numbers.as_deref() {
        Some([major, minor, ..]) => (*major, *minor) >= (1, 2),
        Some([major]) => *major > 1,
        _ => false,
    };
    stack == Some("yes") && enough
}

fn has_capability(number: u32) -> bool {
    let status = file::read("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let bits = effective.and_then(|bits| u64::from_str_radix(bits.trim(), 16).ok());
    bits.is_some_and(|bits| bits & (1 << number) != 0)
}

/// Whether the process is in a user namespace that does not have all ids.
pub(crate) fn in_user_namespace() -> bool {
    let map = file::read("/proc/self/uid_map").unwrap_or_default();
    let words: Vec<&str> = map.split_whitespace().collect();
    !words.is_empty() && words != ["0", "0", "4294967295"]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stacking_needs_a_version() {
        for (stack, version, can) in [
            (Some("yes"), Some("1.2"), true),
            (Some("yes"), Some("1.1"), false),
            (Some("yes"), Some("2.0"), true),
            (Some("no"), Some("1.2"), false),
            (Some("yes"), Some("x"), false),
            (None, None, false),
        ] {
            assert_eq!(can_stack(stack, version), can, "{stack:?} {version:?}");
        }
    }

    #[test]
    fn a_host_without_it_says_why() {
        let features = Features::probe();
        assert_eq!(features.available, features.unavailable_because.is_none());
    }
}
