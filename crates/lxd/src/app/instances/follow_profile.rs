//! After a profile has changed: the instances that use it become what it says now.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_api::instance::InstancePut;
use corten_instance::instance::Instance;
use corten_instance::lifecycle::admission::Action;

use super::claims::Taken;
use super::update::{bring_about, planned};
use super::{key, observe, tell};
use crate::app::App;

/// Brings every instance to its profiles; each of `olds` is as it was before the change.
///
/// # Errors
/// Which instances could not follow, and why, in LXD's words; the profile stays changed.
pub fn all(app: &Arc<App>, olds: &[Instance]) -> Result<()> {
    let failures: Vec<String> = olds
        .iter()
        .filter_map(|old| {
            let error = one(app, old).err()?;
            Some(format!(" - Project: {}, Instance: {}: {error}\n", old.project, old.name))
        })
        .collect();
    if failures.is_empty() {
        return Ok(());
    }
    let list = failures.concat();
    Err(Error::internal(format!("The following instances failed to update (profile change still saved):\n{list}")))
}

fn one(app: &Arc<App>, old: &Instance) -> Result<()> {
    let key = key(old);
    let Taken::Go(claim) = app.instances.claims.take(&key, Action::Update, || observe(app, &key))? else {
        return Ok(());
    };
    let same = InstancePut {
        architecture: old.architecture.clone(),
        config: old.config.clone(),
        devices: old.devices.clone(),
        ephemeral: old.ephemeral,
        profiles: old.profiles.clone(),
        description: old.description.clone(),
        ..InstancePut::default()
    };
    let outcome = planned(app, old, &same).and_then(|new| {
        bring_about(app, old, &new)?;
        tell(app, &new, "instance-updated", None);
        Ok(())
    });
    claim.end(outcome)
}
