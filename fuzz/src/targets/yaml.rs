//! YAML documents into the types they are read as, and back: what is written means the same.

use std::fmt::Debug;

use corten_api::backup_config::BackupConfig;
use corten_api::image::ImageMetadata;
use corten_api::instance::InstancePut;
use corten_api::network::NetworkPut;
use corten_api::profile::Profile;
use corten_api::project::ProjectPut;
use corten_api::storage_pool::StoragePoolPut;
use corten_api::yaml;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::app::backups::index::{Index, parse_config};

/// What is read is written so that it reads the same.
fn round<T: DeserializeOwned + Serialize + Default + PartialEq + Debug>(text: &str) {
    let Ok(read) = yaml::from_str::<T>(text) else { return };
    let written = yaml::to_string(&read).expect("what was read can be written");
    // Newer readers do not take these for line breaks, which the writer (YAML 1.1) does.
    if written.contains(['\u{2028}', '\u{2029}', '\u{85}']) {
        return;
    }
    let again = yaml::from_str::<T>(&written).unwrap_or_else(|error| panic!("{error} in {written}"));
    assert_eq!(again, read, "{written}");
}

pub fn image_metadata(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        round::<ImageMetadata>(text);
    }
}

pub fn backup_index(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        round::<Index>(text);
        round::<BackupConfig>(text);
    }
    let _ = parse_config(data);
}

/// What `lxc … edit` and `lxd init --preseed` read.
pub fn documents(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    round::<InstancePut>(text);
    round::<Profile>(text);
    round::<ProjectPut>(text);
    round::<NetworkPut>(text);
    round::<StoragePoolPut>(text);
    let _ = yaml::from_str_strict::<corten_api::init::InitPreseed>(text);
    let _ = yaml::from_str_strict::<Profile>(text);
}

/// Any text as key and as value survives the way through YAML.
pub fn text(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    // Newer readers do not take these for line breaks, which the writer (YAML 1.1) does.
    if text.contains(['\u{2028}', '\u{2029}', '\u{85}']) {
        return;
    }
    let (key, value) = text.split_once('\0').unwrap_or(("user.key", text));
    let config = [(key.to_owned(), value.to_owned()), ("z".to_owned(), key.to_owned())].into();
    let profile = Profile { config, description: value.to_owned(), ..Profile::default() };
    let written = yaml::to_string(&profile).expect("text can be written");
    let again: Profile = yaml::from_str(&written).unwrap_or_else(|error| panic!("{error} in {written:?}"));
    assert_eq!(again, profile, "{written:?}");
}
