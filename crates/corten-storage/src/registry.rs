//! The drivers there are: one line each.

use crate::driver::{Driver, Info};
use crate::error::{Error, Result};

/// All drivers, in the order in which LXD lists its own.
const DRIVERS: &[&dyn Driver] = &[&crate::dir::Dir, &crate::overlay::Overlay];

/// The driver with this name.
///
/// # Errors
/// LXD's words for an unknown one.
pub fn find(name: &str) -> Result<&'static dyn Driver> {
    let found = DRIVERS.iter().find(|driver| driver.info().name == name);
    found.copied().ok_or_else(|| Error::invalid(format!("Invalid storage driver \"{name}\"")))
}

/// All drivers that work on this host with their versions, for `storage_supported_drivers` of `GET /1.0`.
pub fn supported() -> Vec<(&'static Info, String)> {
    let infos = DRIVERS.iter().map(|driver| driver.info());
    infos.filter_map(|info| (info.version)().map(|version| (info, version))).collect()
}
