//! What this host lacks, told as LXD tells it: by warnings that an administrator can list.

use crate::app::App;
use crate::app::warnings::Kind;
use corten_api::error::Result;
use corten_host::cgroup::layout::Feature;
use corten_host::cgroup::{Controller, Layout};
use std::sync::Arc;

/// Controllers with the warning that their lack raises, and what then does not work.
const CONTROLLERS: [(Controller, Kind, &str); 10] = [
    (Controller::Blkio, Kind::MissingBlkio, "disk I/O limits will be ignored"),
    (Controller::Cpu, Kind::MissingCpu, "CPU time limits will be ignored"),
    (Controller::CpuAcct, Kind::MissingCpuacct, "CPU accounting will not be available"),
    (Controller::CpuSet, Kind::MissingCpuset, "CPU pinning will be ignored"),
    (Controller::Devices, Kind::MissingDevices, "device access control won't work"),
    (Controller::Freezer, Kind::MissingFreezer, "pausing/resuming containers won't work"),
    (Controller::Hugetlb, Kind::MissingHugetlb, "hugepage limits will be ignored"),
    (Controller::Memory, Kind::MissingMemory, "memory limits will be ignored"),
    (Controller::NetPrio, Kind::MissingNetworkPriority, "network priority will be ignored"),
    (Controller::Pids, Kind::MissingPids, "process limits will be ignored"),
];

/// As above, of what a controller may have.
const FEATURES: [(Feature, Kind, &str); 2] = [
    (Feature::BlkioWeight, Kind::MissingBlkioWeight, "disk priority will be ignored"),
    (Feature::MemorySwap, Kind::MissingSwapAccounting, "swap limits will be ignored"),
];

/// Raises the warnings that hold now, and resolves those that did.
///
/// # Errors
/// None: what cannot be found out is not warned of.
pub fn raise(app: &Arc<App>) -> Result<()> {
    let mut found: Vec<(Kind, Option<&str>)> = Vec::new();
    if let Ok(layout) = Layout::discover() {
        let lacks = |here: bool, text| if here { None } else { Some(text) };
        found.extend(
            CONTROLLERS.iter().map(|(one, kind, text)| (*kind, lacks(layout.controller(*one).is_some(), *text))),
        );
        found.extend(FEATURES.iter().map(|(one, kind, text)| (*kind, lacks(layout.supports(*one), *text))));
    }
    found.push((Kind::AppArmorMissing, app.apparmor.features.unavailable_because));
    let raised = app.raised_warnings();
    for (kind, lack) in found {
        match lack {
            Some(text) => app.warn(kind, None, None, text),
            None if raised.contains(&(kind as i64)) => app.resolve_warning(kind, None),
            None => (),
        }
    }
    Ok(())
}
