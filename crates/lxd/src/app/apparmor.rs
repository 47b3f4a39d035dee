//! AppArmor profiles of instances: loaded before a start, replaced when their keys change, unloaded after the end. Where
//! this host has no AppArmor, or may not load profiles, instances run without.

use corten_api::error::{Error, Result, chain};
use corten_host::apparmor::load::{create_namespace, delete_namespace};
use corten_host::apparmor::{Features, Profiles};
use corten_host::undo::Undo;
use corten_instance::apparmor::{label, names, profile};
use corten_instance::instance::Instance;
use corten_instance::step::step;

use super::App;
use super::dirs::Dirs;

/// What there is of AppArmor, looked at once.
pub struct AppArmor {
    /// What this host offers.
    pub features: Features,
    /// The profiles on disk.
    pub profiles: Profiles,
}

impl AppArmor {
    /// Looks at the host; profiles are below the daemon's own folder.
    pub fn look(dirs: &Dirs) -> AppArmor {
        AppArmor { features: Features::probe(), profiles: Profiles::new(dirs.var.join("security/apparmor")) }
    }

    /// Whether the guest's own profiles go to a policy namespace of its own.
    fn stacks(&self) -> bool {
        self.features.stacking && !self.features.stacked
    }
}

/// Loads the profile of an instance that is about to start; gives the label that its processes are to have, `None` where
/// they have none.
///
/// # Errors
/// The parser's words, as when `raw.apparmor` is wrong.
pub fn load(app: &App, instance: &Instance, undo: &mut Undo) -> Result<Option<String>> {
    if !app.apparmor.features.per_container() {
        return Ok(None);
    }
    let names = names(instance, &app.dirs.var);
    step(
        undo,
        "load the AppArmor profile",
        || put(app, instance),
        |()| {
            let (profiles, names) = (app.apparmor.profiles.clone(), names.clone());
            move || profiles.unload(&names.profile, &names.file).map_err(|error| Error::internal(chain(&error)))
        },
    )?;
    Ok(Some(label(&names, app.apparmor.stacks())))
}

fn put(app: &App, instance: &Instance) -> Result<()> {
    let names = names(instance, &app.dirs.var);
    let stacking = app.apparmor.stacks();
    if stacking {
        create_namespace(&names.namespace).map_err(|error| failed(chain(&error)))?;
    }
    app.apparmor.profiles.load(&names.file, &text(app, instance)).map_err(|error| failed(chain(&error)))
}

fn failed(reason: String) -> Error {
    Error::internal(reason).context("Failed to load the AppArmor profile")
}

fn text(app: &App, instance: &Instance) -> String {
    profile::text(&profile::Facts {
        names: &names(instance, &app.dirs.var),
        unprivileged: !instance.is_privileged(),
        nesting: instance.is_on("security.nesting"),
        stacking: app.apparmor.stacks(),
        raw: instance.get("raw.apparmor"),
    })
}

/// Brings a changed `raw.apparmor` into force on a running instance, or looks whether the parser would take it.
///
/// # Errors
/// The parser's words; the old profile stays then.
pub fn change(app: &App, old: &Instance, new: &Instance, runs: bool) -> Result<()> {
    if !app.apparmor.features.per_container() || old.get("raw.apparmor") == new.get("raw.apparmor") {
        return Ok(());
    }
    // What shapes the rest of the profile is what the container was started with.
    let keys = ["security.nesting", "security.privileged"];
    let mut wanted = new.clone();
    for key in keys.iter().filter(|_| runs) {
        wanted.expanded_config.remove(*key);
        wanted.expanded_config.extend(old.expanded_config.get(*key).map(|value| ((*key).to_string(), value.clone())));
    }
    if runs {
        return put(app, &wanted);
    }
    let file = names(new, &app.dirs.var).file;
    let checked = app.apparmor.profiles.check(&file, &text(app, &wanted));
    checked.map_err(|error| Error::invalid(format!("Parse AppArmor profile: {}", chain(&error))))
}

/// Takes the profile of an instance that has ended out of the kernel.
pub fn unload(app: &App, instance: &Instance) {
    if !app.apparmor.features.per_container() {
        return;
    }
    let names = names(instance, &app.dirs.var);
    let emptied =
        if app.apparmor.stacks() { delete_namespace(&names.namespace).map_err(|error| chain(&error)) } else { Ok(()) };
    let unloaded = app.apparmor.profiles.unload(&names.profile, &names.file).map_err(|error| chain(&error));
    if let Err(error) = emptied.and(unloaded) {
        tracing::warn!(instance = instance.name, error, "Failed to unload the AppArmor profile");
    }
}

/// Removes all that there is of the profile of an instance that goes.
pub fn delete(app: &App, instance: &Instance) {
    if !app.apparmor.features.per_container() {
        return;
    }
    let names = names(instance, &app.dirs.var);
    if let Err(error) = app.apparmor.profiles.delete(&names.profile, &names.file) {
        tracing::warn!(instance = instance.name, error = chain(&error), "Failed to remove the AppArmor profile");
    }
}
