//! Instance types by name: what the cache says of them.

use corten_api::error::Result;
use corten_api::yaml;
use corten_instance::instance::Config;
use corten_instance::instance_type::{self, Known};

use crate::app::App;

/// The keys that an instance type stands for. Names are known from `instance_types.yaml` in the cache, which an
/// administrator may put there as LXD would fetch it; written out limits (`c2-m4`) need no such file.
///
/// # Errors
/// 400 in LXD's words when there is no such type.
pub fn keys(app: &App, text: &str) -> Result<Config> {
    let file = std::fs::read_to_string(app.dirs.cache.join("instance_types.yaml")).unwrap_or_default();
    // A file that cannot be read names nothing, as one that is not there.
    let known: Known = yaml::from_str(&file).unwrap_or_default();
    instance_type::keys(text, &known)
}
