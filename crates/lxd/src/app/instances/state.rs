//! The state of an instance: status, processes, memory, processors, disks, interfaces.

use std::collections::BTreeMap;

use corten_api::error::Result;
use corten_api::instance_state::{InstanceState, InstanceStateCPU, InstanceStateDisk, InstanceStateMemory};
use corten_api::status::StatusCode;
use corten_host::cgroup::Group;
use corten_instance::instance::Instance;

use super::{key, network_state, root, status};
use crate::app::App;
use crate::app::storage::pools::Pools;

/// The state of this instance.
///
/// # Errors
/// When the kernel cannot be asked.
pub fn state(app: &App, instance: &Instance) -> Result<InstanceState> {
    state_of(app, instance, status(app, instance))
}

/// The same, of an instance whose status is known.
///
/// # Errors
/// When the kernel cannot be asked.
pub fn state_of(app: &App, instance: &Instance, code: StatusCode) -> Result<InstanceState> {
    let mut state = InstanceState {
        status: code.name().to_string(),
        status_code: code,
        disk: Some(disk(app, instance)),
        ..InstanceState::default()
    };
    let Some(entry) = app.instances.running.get(&key(instance)) else { return Ok(state) };
    state.pid = i64::from(entry.container.init_pid());
    if let Ok(group) = entry.container.counters() {
        state.memory = memory(&group);
        state.cpu = InstanceStateCPU { usage: number(group.cpu_usage().ok()) };
        // Where processes are not counted LXD says -1.
        state.processes = group.process_count().map_or(-1, |count| number(Some(count)));
    }
    state.network = Some(network_state::interfaces(&entry.container, instance));
    Ok(state)
}

/// A figure that this host may not have.
fn number(figure: Option<u64>) -> i64 {
    figure.and_then(|figure| i64::try_from(figure).ok()).unwrap_or(0)
}

fn memory(group: &Group) -> InstanceStateMemory {
    let memory = group.memory().unwrap_or_default();
    InstanceStateMemory {
        usage: number(Some(memory.usage)),
        usage_peak: number(memory.peak),
        swap_usage: number(memory.swap_usage),
        swap_usage_peak: number(memory.swap_peak),
    }
}

/// How much the root disk takes, where that is known without counting files.
fn disk(app: &App, instance: &Instance) -> BTreeMap<String, InstanceStateDisk> {
    let pool = instance.pool().and_then(|pool| Pools::get(app, pool).ok());
    if pool.is_some_and(|pool| !pool.counts_usage()) {
        return BTreeMap::new();
    }
    let name = instance.root_disk().map(|(name, _)| name.to_string());
    let usage = root::volume(app, instance).ok().and_then(|(pool, volume)| pool.usage(&volume).ok().flatten());
    let usage = usage.and_then(|bytes| i64::try_from(bytes).ok());
    name.zip(usage).map(|(name, usage)| (name, InstanceStateDisk { usage })).into_iter().collect()
}
