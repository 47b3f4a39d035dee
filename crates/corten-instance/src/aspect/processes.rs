//! `limits.processes`: how many processes and threads there may be.

use corten_api::error::{Error, Result};
use corten_host::cgroup::Limit;

use crate::instance::Instance;

/// The limit that the key asks for; an unset key takes an older one away.
///
/// # Errors
/// When the value is not a number.
pub fn limits(instance: &Instance) -> Result<Vec<Limit>> {
    let limit = match instance.get("limits.processes") {
        "" => None,
        // As for LXD, a negative number is no limit.
        text if text.strip_prefix('-').is_some_and(|rest| rest.parse::<u64>().is_ok()) => None,
        text => Some(text.parse().map_err(|_| Error::invalid(format!("Invalid limits.processes: {text}")))?),
    };
    Ok(vec![Limit::Pids(limit)])
}
