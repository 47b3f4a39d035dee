//! Limits of instances: what a start writes, what a change applies at once, and who gets which processor.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, PoisonError};

use corten_api::error::{Context, Error, Result, chain};
use corten_config::value::cpu_set::{parse_set, write_set};
use corten_host::cgroup::layout::Feature;
use corten_host::cgroup::{Controller, Group, Layout, Limit};
use corten_instance::aspect::cpu_balance::{Wish, balance};
use corten_instance::aspect::{Aspect, memory};
use corten_instance::instance::Instance;

use super::claims::Key;
use super::key;
use super::running::{Entry, failed};
use crate::app::App;

/// What of the host decides about memory limits.
fn memory_facts(layout: &Layout) -> Result<memory::Facts> {
    let info = std::fs::read_to_string("/proc/meminfo").context("Failed to read /proc/meminfo")?;
    let total =
        info.lines().find_map(|line| line.strip_prefix("MemTotal:")?.trim().strip_suffix("kB")?.trim().parse().ok());
    let total: u64 = total.ok_or_else(|| Error::internal("/proc/meminfo has no MemTotal"))?;
    Ok(memory::Facts {
        total: total * 1024,
        swap: layout.supports(Feature::MemorySwap),
        swappiness: layout.supports(Feature::MemorySwappiness),
    })
}

/// What a start sets on the container's groups: only what the configuration speaks of.
///
/// # Errors
/// When a value cannot be read.
pub fn for_start(app: &App, instance: &Instance, layout: &Layout) -> Result<Vec<Limit>> {
    let mut all = Vec::new();
    for aspect in Aspect::OWN.into_iter().filter(|aspect| aspect.is_configured(instance)) {
        all.extend(aspect.limits(instance, memory_facts(layout)?)?);
    }
    all.extend(cpu_set(app, instance)?.map(Limit::CpuSet));
    Ok(all)
}

/// Applies one aspect to a running instance.
///
/// # Errors
/// When a value cannot be read, or the kernel refuses it.
pub fn apply(app: &App, instance: &Instance, aspect: Aspect) -> Result<()> {
    if aspect == Aspect::CpuSet {
        return rebalance(app);
    }
    let layout = Layout::discover().context("Failed to find the cgroups")?;
    let limits = aspect.limits(instance, memory_facts(&layout)?)?;
    let entry = entry(app, instance)?;
    apply_limits(&entry, &limits)
}

fn apply_limits(entry: &Entry, limits: &[Limit]) -> Result<()> {
    let group = group_of(entry)?;
    group.apply(limits).map_err(|error| Error::invalid(format!("Failed to apply the limits: {}", chain(&error))))
}

/// The control group of an instance's processes.
///
/// # Errors
/// When it does not run.
pub fn group(app: &App, instance: &Instance) -> Result<Group> {
    let entry = entry(app, instance)?;
    group_of(&entry)
}

fn entry(app: &App, instance: &Instance) -> Result<Arc<Entry>> {
    app.instances.running.get(&key(instance)).ok_or_else(|| Error::invalid("Instance is not running"))
}

fn group_of(entry: &Entry) -> Result<Group> {
    entry.container.group().map_err(|error| failed("Failed to find the cgroup of the instance", &error))
}

/// The processors of the host that may be given out.
fn online() -> Result<BTreeSet<u32>> {
    let text = std::fs::read_to_string("/sys/devices/system/cpu/online").context("Failed to read the list of CPUs")?;
    parse_set(text.trim()).map_err(Error::internal)
}

/// Which processors an instance asks for.
///
/// # Errors
/// When `limits.cpu` cannot be read.
pub fn wish(instance: &Instance) -> Result<Wish> {
    Wish::parse(instance.get("limits.cpu")).map_err(Error::invalid)
}

/// Which processors `instance` gets beside all that run; `None` when it asks for none in particular.
fn cpu_set(app: &App, instance: &Instance) -> Result<Option<String>> {
    if instance.get("limits.cpu").is_empty() {
        return Ok(None);
    }
    let running = app.instances.running.all();
    let mut wishes: BTreeMap<&Key, Wish> = running.iter().map(|entry| (&entry.key, entry.cpus())).collect();
    let key = key(instance);
    wishes.insert(&key, wish(instance)?);
    Ok(balance(&online()?, &wishes).get(&&key).map(write_set))
}

/// Gives every running instance its processors anew, after one has come, changed or gone.
///
/// # Errors
/// When a value cannot be read, or the kernel refuses it.
pub fn rebalance(app: &App) -> Result<()> {
    let layout = Layout::discover().context("Failed to find the cgroups")?;
    if layout.controller(Controller::CpuSet).is_none() {
        return Ok(());
    }
    let turn = &app.instances.running.balancing;
    let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
    let running = app.instances.running.all();
    let wishes = running.iter().map(|entry| (&entry.key, entry.cpus())).collect();
    let given = balance(&online()?, &wishes);
    for entry in &running {
        if let Some(set) = given.get(&&entry.key) {
            apply_limits(entry, &[Limit::CpuSet(write_set(set))])?;
        }
    }
    Ok(())
}

/// A running instance may ask for other processors now: then all get theirs anew.
///
/// # Errors
/// See [`rebalance`].
pub fn follow_cpus(app: &App, new: &Instance) -> Result<()> {
    let Some(entry) = app.instances.running.get(&key(new)) else { return Ok(()) };
    if entry.set_cpus(wish(new)?) { rebalance(app) } else { Ok(()) }
}
