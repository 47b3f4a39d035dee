//! When a snapshot goes by itself.

use corten_api::error::{Error, Result};
use corten_api::time::Time;
use corten_config::value::Kind;
use corten_config::value::expiry::Expiry;

/// When something made at `start` has lived as long as `lifetime` (`1d 2H`) says; `None` is never.
///
/// # Errors
/// 400 when the text is no lifetime.
pub fn after(lifetime: &str, start: Time) -> Result<Option<Time>> {
    if lifetime.trim().is_empty() {
        return Ok(None);
    }
    let lifetime = Expiry.parse(lifetime).map_err(Error::invalid)?;
    Ok(lifetime.after(start.timestamp()).map(Time::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_said_is_for_ever() {
        let start = Time::from_unix(10, 0);
        assert_eq!(after(" ", start), Ok(None));
        assert_eq!(after("1d", start), Ok(Some(Time::from_unix(86_410, 0))));
        assert!(after("soon", start).is_err());
    }
}
