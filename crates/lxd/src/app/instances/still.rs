//! Holding a running instance still while its files are copied.

use std::sync::Arc;

use corten_api::error::Result;
use corten_instance::instance::Instance;
use corten_instance::lifecycle::admission::Observed;
use corten_instance::step::pass;
use corten_runtime::handle::Hold;
use corten_storage::pool::Pool;

use super::files::visits::Bar;
use super::running::{Entry, failed};
use super::{key, observe};
use crate::app::App;

/// An instance whose files do not change until this is dropped: its processes stand still when it runs, and nobody works
/// with the files of a stopped one through us.
pub struct Still {
    frozen: Option<(Arc<Entry>, Hold)>,
    _bar: Option<Bar>,
}

impl Still {
    /// Freezes the instance when it runs, is not frozen anyway, and the pool copies consistently only what stands still.
    ///
    /// # Errors
    /// When it cannot be frozen; it runs on then.
    pub fn for_copy(app: &App, instance: &Instance, pool: &Pool) -> Result<Still> {
        let key = key(instance);
        let Some(entry) = app.instances.running.get(&key) else {
            return Ok(Still { frozen: None, _bar: Some(app.instances.visits.bar(&key)) });
        };
        if !pool.freezes_for_snapshots() || observe(app, &key)? != Observed::Running {
            return Ok(Still { frozen: None, _bar: None });
        }
        pass("freeze the instance")?;
        let hold = entry.container.hold().map_err(|error| failed("Failed to freeze the instance", &error))?;
        Ok(Still { frozen: Some((entry, hold)), _bar: None })
    }
}

impl Drop for Still {
    fn drop(&mut self) {
        let Some((entry, hold)) = self.frozen.take() else { return };
        if let Err(error) = entry.container.release(hold) {
            tracing::error!(instance = entry.key.1, %error, "Failed to let an instance run on after its snapshot");
        }
    }
}
