//! Keys of projects, and the rule that binds two of them.

pub mod keys;

use corten_api::error::{Error, Result};

use crate::key::Config;
use crate::value::boolean::{is_false, is_true};

pub use keys::PROJECT;

/// A restricted project must have profiles of its own: those of `default` are not held to its restrictions.
pub(crate) fn check_together(config: &Config) -> Result<()> {
    let get = |key: &str| config.get(key).map_or("", String::as_str);
    match is_true(get("restricted")) && is_false(get("features.profiles")) {
        true => Err(Error::invalid("Projects without their own profiles cannot be restricted")),
        false => Ok(()),
    }
}
