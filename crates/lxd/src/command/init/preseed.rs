//! `lxd init --preseed`: a configuration read as YAML, unknown keys refused.

use corten_api::error::{Context, Result};
use corten_api::init::InitPreseed;
use corten_api::yaml;
use std::io::Read;

/// Reads it.
///
/// # Errors
/// When it is no YAML, of the wrong shape, or has keys that are unknown.
pub fn read(mut input: impl Read) -> Result<InitPreseed> {
    let mut text = String::new();
    input.read_to_string(&mut text).context("Failed to read from stdin")?;
    yaml::from_str_strict(&text).map_err(|error| error.context("Failed to parse the preseed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn preseeds_are_read_or_refused() {
        let parse = |text: &str| read(text.as_bytes());
        let text = "config:\n  core.https_address: ':8443'\n  images.auto_update_interval: 15\nnetworks:\n- name: br0\n  \
                    type: bridge\nstorage_pools:\n- name: data\n  driver: dir\nprofiles:\n- name: default\n  devices:\n    \
                    root:\n      path: /\n      pool: data\n      type: disk\n";
        let preseed = parse(text).expect("good");
        assert_eq!(preseed.storage_pools[0].driver, "dir");
        assert_eq!(preseed.profiles[0].devices["root"]["pool"], "data");
        assert!(parse("").expect("nothing is fine").profiles.is_empty());
        for (text, wanted) in [
            ("config: {}\nconfg: {}\n", "field confg not found in type api.InitPreseed at line 2"),
            ("profiles:\n- nam: x\n", "field nam not found in type api.ProfilesPost at line 2"),
        ] {
            let error = parse(text).expect_err("unknown").message;
            assert!(error.contains(wanted), "{error}");
        }
        assert!(parse("profiles: 5\n").is_err() && parse("a: [\n").is_err());
    }
}
