//! Pausing an instance and letting it run on.

use corten_api::error::Result;
use corten_api::event::EventLifecycleRequestor;
use corten_instance::lifecycle::admission::Action;

use super::claims::{Key, Taken};
use super::running::failed;
use super::{Instances, observe, tell};
use crate::app::App;

/// Makes all processes stand still.
///
/// # Errors
/// When it does not run, or the kernel does not stop it in time.
pub fn freeze(app: &App, key: &Key, requestor: Option<&EventLifecycleRequestor>) -> Result<()> {
    change(app, key, Action::Freeze, requestor)
}

/// Lets them run on.
///
/// # Errors
/// When it is not frozen.
pub fn thaw(app: &App, key: &Key, requestor: Option<&EventLifecycleRequestor>) -> Result<()> {
    change(app, key, Action::Thaw, requestor)
}

fn change(app: &App, key: &Key, action: Action, requestor: Option<&EventLifecycleRequestor>) -> Result<()> {
    let Taken::Go(claim) = app.instances.claims.take(key, action, || observe(app, key))? else { return Ok(()) };
    let outcome = Instances::find(app, &key.0, &key.1).and_then(|instance| {
        let Some(entry) = app.instances.running.get(key) else { return Ok(()) };
        let (done, event) = match action {
            Action::Thaw => (entry.container.thaw(), "instance-resumed"),
            _ => (entry.container.freeze(), "instance-paused"),
        };
        done.map_err(|error| failed("Failed to change the state of the instance", &error))?;
        tell(app, &instance, event, requestor);
        Ok(())
    });
    claim.end(outcome)
}
