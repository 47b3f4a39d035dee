//! Starting an instance: check everything, start devices, build the spec, run it, remember it; or take it all back.

use std::collections::HashMap;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use corten_api::error::{Context, Error, Result, chain};
use corten_api::event::EventLifecycleRequestor;
use corten_api::time::Time;
use corten_db::table::instances;
use corten_host::cgroup::Layout;
use corten_host::idmap::IdMap;
use corten_host::kernel_module;
use corten_host::seccomp::{Policy, compile};
use corten_host::undo::Undo;
use corten_instance::container::seccomp;
use corten_instance::container::spec::{Facts, build};
use corten_instance::device::Attachment;
use corten_instance::instance::{Config, Instance};
use corten_instance::lifecycle::admission::Action;
use corten_instance::step::{pass, step};
use corten_instance::{idmap, volatile};
use corten_runtime::{Spec, StartFailed};

use super::claims::{Claim, Key, Taken};
use super::intent::{self, Intent};
use super::running::Entry;
use super::{Instances, devices, ended, ids, key, limits, observe, repair, root, shift, snapshots, tell, templates};
use crate::app::{App, apparmor};

/// Compiled seccomp filters, so that an ordinary start does not compile the same policy again.
#[derive(Default)]
pub struct Filters(Mutex<HashMap<String, Vec<u8>>>);

/// The ids that the host gives to root's containers, as LXD finds them.
///
/// # Errors
/// When `/etc/subuid` or `/etc/subgid` cannot be read.
pub fn host_ids() -> Result<Option<IdMap>> {
    corten_host::idmap::subid::host_map(Path::new("/"), "root").map_err(|error| Error::internal(chain(&error)))
}

/// The monitor program: beside the daemon's own.
///
/// # Errors
/// When it is not there.
pub fn monitor_program() -> Result<PathBuf> {
    let own = std::env::current_exe().context("Failed to find the daemon's program")?;
    let program = own.with_file_name("lxd-monitor");
    // A test's program is one folder below.
    let outer = own.parent().map(|folder| folder.with_file_name("lxd-monitor"));
    if let Some(found) = [Some(program.clone()), outer].into_iter().flatten().find(|program| program.is_file()) {
        return Ok(found);
    }
    let program = program.display();
    Err(Error::internal(format!("{program} is not there; it is installed beside lxd and needed to run containers")))
}

/// The directory of an instance's monitor.
pub fn run_dir(app: &App, instance: &Instance) -> PathBuf {
    app.dirs.run.join("containers").join(instance.host_name())
}

/// The directory of an instance's logs.
pub fn log_dir(app: &App, instance: &Instance) -> PathBuf {
    app.dirs.log.join(instance.host_name())
}

/// Starts the instance of this key for a client.
///
/// # Errors
/// When it runs already, is busy, or cannot be started; nothing is left of the attempt then.
pub fn start(app: &Arc<App>, key: &Key, requestor: Option<&EventLifecycleRequestor>) -> Result<()> {
    let claim = match app.instances.claims.take(key, Action::Start, || observe(app, key))? {
        Taken::Go(claim) => claim,
        Taken::Done => return Ok(()),
        Taken::Overtake(under_way) => return under_way.wait(),
    };
    let outcome = Instances::find(app, &key.0, &key.1).and_then(|instance| {
        run(app, &instance, &claim)?;
        tell(app, &instance, "instance-started", requestor);
        Ok(())
    });
    claim.end(outcome)
}

/// Starts a stopped instance under a claim that the caller has.
///
/// # Errors
/// See [`start`].
pub fn run(app: &Arc<App>, instance: &Instance, _claim: &Claim) -> Result<()> {
    let layout = Layout::discover().context("Failed to find the cgroups")?;
    check(instance, &layout)?;
    load_modules(instance)?;
    repair::must_match(app, instance)?;
    snapshots::by_clock::at_start(app, instance)?;
    let trigger = instance.volatile(volatile::APPLY_TEMPLATE).to_string();
    let mut instance = instance.clone();
    let (map, changes) = prepare(app, &instance)?;
    remember_in(&mut instance, &changes);
    let (key, mut undo) = (key(&instance), Undo::default());
    // Whoever works with the files of the stopped instance is sent away; he finds them in the running one.
    let _bar = app.instances.visits.bar(&key);
    let nics = devices::names(&instance.expanded_devices);
    let links = devices::name_links(app, &mut instance, &nics)?;
    intent::note(app, &key, &Intent::Start(links), &mut undo)?;
    make_folders(app, &instance)?;
    pass("make files from templates")?;
    templates::apply(app, &instance, &[trigger.as_str(), "start"])?;
    let root = root::open(app, &instance, &map, &mut undo)?;
    let attachments = devices::start_all(app, &instance, &mut undo)?;
    let label = apparmor::load(app, &instance, &mut undo)?;
    let changes = devices::volatile_changes(&attachments).into_iter().chain(changes).collect::<Config>();
    let parts: Vec<Attachment> = attachments.iter().map(|(_, attachment)| attachment.clone()).collect();
    let spec = build(&instance, facts(app, &instance, &layout, &map, root, label)?, &parts)?;
    let entry = launch(app, &instance, &spec, &map, &mut undo)?;
    pass("start the proxies")?;
    devices::after_start(app, &instance, &entry, &attachments)?;
    remember(app, &instance, &changes)?;
    undo.keep();
    intent::done(app, &key)?;
    // A container may be gone again by now; then this was its start all the same.
    drop(entry);
    if !instance.get("limits.cpu").is_empty() {
        limits::rebalance(app)?;
    }
    Ok(())
}

fn check(instance: &Instance, layout: &Layout) -> Result<()> {
    let wants_v1 = instance.volatile("image.requirements.cgroup") == "v1";
    if wants_v1 && layout.is_pure_v2() && instance.is_privileged() {
        return Err(Error::invalid("The image used by this instance requires a CGroupV1 host system"));
    }
    Ok(())
}

/// Loads the kernel's modules that the instance asks for.
///
/// # Errors
/// When one cannot be had.
pub fn load_modules(instance: &Instance) -> Result<()> {
    let names = instance.get("linux.kernel_modules").split(',').map(str::trim).filter(|name| !name.is_empty());
    for name in names {
        kernel_module::load(name)
            .map_err(|error| Error::internal(format!("Failed to load kernel module '{name}': {error}")))?;
    }
    Ok(())
}

/// The id map of this start, and the volatile keys that it changes.
fn prepare(app: &App, instance: &Instance) -> Result<(IdMap, Config)> {
    let (map, base) = ids::choose(app, instance)?;
    let mut changes = Config::from([
        (volatile::IDMAP_BASE.to_string(), base.to_string()),
        (volatile::IDMAP_CURRENT.to_string(), map.to_json()),
        (volatile::IDMAP_NEXT.to_string(), map.to_json()),
        (volatile::POWER.to_string(), "RUNNING".to_string()),
        (volatile::APPLY_TEMPLATE.to_string(), String::new()),
    ]);
    if instance.volatile(volatile::UUID).is_empty() {
        changes.insert(volatile::UUID.to_string(), volatile::new_uuid()?);
    }
    Ok((map, changes))
}

fn remember_in(instance: &mut Instance, changes: &Config) {
    for config in [&mut instance.config, &mut instance.expanded_config] {
        config.extend(changes.clone());
    }
}

fn make_folders(app: &App, instance: &Instance) -> Result<()> {
    let folder = |path: &Path, mode| {
        let made = std::fs::DirBuilder::new().recursive(true).mode(mode).create(path);
        made.with_context(|| format!("Failed to make {}", path.display()))
    };
    let logs = log_dir(app, instance);
    folder(&logs, 0o700)?;
    folder(&run_dir(app, instance), 0o711)?;
    let log = logs.join("lxc.log");
    match std::fs::rename(&log, logs.join("lxc.log.old")) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error).context("Failed to rotate the log"),
        _ => Ok(()),
    }
}

fn facts(
    app: &App,
    instance: &Instance,
    layout: &Layout,
    map: &IdMap,
    root: corten_runtime::spec::Root,
    label: Option<String>,
) -> Result<Facts> {
    let wants_v1 = instance.volatile("image.requirements.cgroup") == "v1";
    Ok(Facts {
        run_dir: run_dir(app, instance),
        log: log_dir(app, instance).join("lxc.log"),
        containers: app.dirs.var.join("containers"),
        devlxd: app.dirs.var.join("devlxd"),
        root,
        idmap: idmap::for_runtime(map),
        layout: Some(layout.clone()),
        limits: limits::for_start(app, instance, layout)?,
        seccomp: filter(app, instance)?,
        apparmor: label,
        named_systemd_hierarchy: wants_v1 && layout.is_pure_v2(),
    })
}

/// The compiled seccomp filter of an instance; empty when it has none.
fn filter(app: &App, instance: &Instance) -> Result<Vec<u8>> {
    let Some(text) = seccomp::settings(instance).text() else { return Ok(Vec::new()) };
    let wrong =
        |error: &dyn std::fmt::Display| Error::invalid(format!("Failed to compile the seccomp policy: {error}"));
    app.instances.filters.get(&text, || {
        let policy: Policy = text.parse().map_err(|error| wrong(&error))?;
        compile(&policy).map_err(|error| wrong(&error))
    })
}

fn launch(app: &App, instance: &Instance, spec: &Spec, map: &IdMap, undo: &mut Undo) -> Result<Arc<Entry>> {
    // A monitor that was killed may have left its groups.
    corten_runtime::handle::cleanup_dead(&spec.run_dir)
        .map_err(|error| super::running::failed("Failed to start", &error))?;
    let monitor = &app.instances.monitor;
    let entry = step(
        undo,
        "run the container",
        || {
            let container = match corten_runtime::start(monitor, spec) {
                Err(failed) if failed.is_root_unmappable(&spec.root) => start_shifted(app, instance, spec, map)?,
                outcome => outcome.map_err(|error| not_run(&error))?,
            };
            app.instances.running.add(key(instance), container, map.clone(), limits::wish(instance)?)
        },
        |entry| {
            let (entry, running) = (entry.clone(), app.instances.running.clone());
            move || {
                running.remove(&entry);
                entry.container.kill().map_err(|error| super::running::failed("Failed to kill it", &error))?;
                entry.exit().map(|_| ()).map_err(|error| super::running::failed("Failed to wait for its end", &error))
            }
        },
    )?;
    Ok(entry)
}

fn not_run(error: &StartFailed) -> Error {
    Error::internal(format!("Failed to run the container: {}", chain(error)))
}

/// Starts a container whose file system cannot map ids: its files get the host's ids instead.
fn start_shifted(app: &App, instance: &Instance, spec: &Spec, map: &IdMap) -> Result<corten_runtime::Container> {
    tracing::info!(instance = instance.name, "The file system cannot map ids; the files are given others");
    shift::change(app, instance, &spec.root.source, &IdMap::default(), map)?;
    let mut spec = spec.clone();
    spec.root.idmapped = false;
    corten_runtime::start(&app.instances.monitor, &spec).map_err(|error| not_run(&error))
}

/// Writes the volatile keys and the time of the start, in one decision; an empty value removes its key.
fn remember(app: &App, instance: &Instance, changes: &Config) -> Result<()> {
    pass("remember the start")?;
    let now = Time::now().timestamp();
    let keys = ended::as_rows(changes);
    app.write(|tx| {
        instances::set_keys(tx, instance.id, &keys)?;
        instances::set_last_used(tx, instance.id, now)?;
        Ok(())
    })
}

impl Filters {
    /// The filter of this policy text, compiled when it is not known yet.
    ///
    /// # Errors
    /// Those of `compile`.
    pub fn get(&self, policy: &str, compile: impl FnOnce() -> Result<Vec<u8>>) -> Result<Vec<u8>> {
        if let Some(known) = self.0.lock().unwrap_or_else(PoisonError::into_inner).get(policy) {
            return Ok(known.clone());
        }
        let made = compile()?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(policy.to_string(), made.clone());
        Ok(made)
    }
}
