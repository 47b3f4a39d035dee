//! `limits.disk.priority`: a share of disk time when others want the disk too.

use corten_api::error::{Error, Result};
use corten_host::cgroup::Limit;

use crate::instance::Instance;

/// The kernel's weight of an ordinary group.
const ORDINARY_WEIGHT: u16 = 500;
/// The least weight that the kernel takes.
const LEAST_WEIGHT: u16 = 10;

/// The weight that the key asks for, nothing when it is unset and never was.
///
/// # Errors
/// When the value is not a number from 0 to 10.
pub fn limits(instance: &Instance) -> Result<Vec<Limit>> {
    let weight = match instance.get("limits.disk.priority") {
        "" => ORDINARY_WEIGHT,
        text => {
            let priority: u16 = text
                .parse()
                .ok()
                .filter(|priority| *priority <= 10)
                .ok_or_else(|| Error::invalid(format!("Invalid limits.disk.priority: {text}")))?;
            (priority * 100).max(LEAST_WEIGHT)
        }
    };
    Ok(vec![Limit::BlkioWeight(weight)])
}
