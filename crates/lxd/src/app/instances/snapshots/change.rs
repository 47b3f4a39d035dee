//! Changing what is said of a snapshot: when it goes.

use std::sync::Arc;

use corten_api::error::Result;
use corten_api::event::EventLifecycleRequestor;
use corten_api::time::Time;
use corten_db::table::snapshots;
use corten_instance::lifecycle::admission::Action;

use super::super::claims::{Key, Taken};
use super::super::{Instances, observe};
use crate::app::App;

/// Lets the snapshot `name` go at `expires`; the zero time is never.
///
/// # Errors
/// 404.
pub fn change(
    app: &Arc<App>,
    key: &Key,
    name: &str,
    expires: Time,
    requestor: Option<&EventLifecycleRequestor>,
) -> Result<()> {
    let Taken::Go(claim) = app.instances.claims.take(key, Action::Snapshot, || observe(app, key))? else {
        return Ok(());
    };
    let outcome = Instances::find(app, &key.0, &key.1).and_then(|instance| {
        let snapshot = super::find(app, &instance, name)?;
        let expires = Some(expires).filter(|time| !time.is_never()).map(Time::timestamp);
        app.write(|tx| Ok(snapshots::update(tx, snapshot.id, &snapshot.description, expires)?))?;
        super::show_again(app, key);
        super::tell(app, &instance, name, "instance-snapshot-updated", requestor);
        Ok(())
    });
    claim.end(outcome)
}
