//! Giving a volume another content.

use corten_archive::watch::Watch;

use super::Pool;
use crate::error::{Doing, Error, Result};
use crate::fill::Fill;
use crate::generic::build::owned_as_now;
use crate::generic::names;
use crate::volume::Volume;

impl Pool {
    /// Makes the content of a volume, which nobody may be using, that of `fill`. It is made beside the volume, and both
    /// change places in one step. Snapshots stay.
    ///
    /// # Errors
    /// When the volume is in use, or what went wrong; the volume is as it was then.
    pub fn refill_volume(&self, volume: &Volume, fill: &Fill, watch: &Watch) -> Result<()> {
        if !self.has_volume(volume) {
            return Err(Error::not_found("Storage volume not found"));
        }
        self.must_be_idle(volume)?;
        let owned = owned_as_now(self, volume)?;
        let beside = Volume { name: names::passing("refill"), ..owned };
        let (fresh, place) = (self.path(&beside), self.path(volume));
        let fill = match fill {
            Fill::Copy { pool, source, snapshots, .. } => {
                Fill::Copy { pool, source, snapshots, like: Some(place.as_path()) }
            }
            fill => *fill,
        };
        let undo = self.driver().create(self, &beside, &fill, watch)?;
        corten_host::undo::reach("exchange the volume and its replacement")?;
        names::exchange(&fresh, &place).doing(|| format!("Failed to replace '{}'", place.display()))?;
        undo.keep();
        // What is beside now is what the volume was; its limit stays with the volume.
        self.driver().delete(self, &Volume { id: None, ..beside })
    }
}
