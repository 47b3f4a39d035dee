//! The index header: what a source says of its volume before the data, as JSON with the names of LXD's Go structures.

use corten_api::backup_config::BackupConfig;
use corten_api::error::{Error, Result};
use corten_api::instance::Instance;
use corten_api::instance_snapshot::InstanceSnapshot;
use corten_api::profile::Profile;
use corten_api::storage_pool::StoragePool;
use corten_api::storage_pool_volume::StorageVolume;
use corten_api::storage_pool_volume_snapshot::StorageVolumeSnapshot;
use serde::{Deserialize, Serialize};

/// The header.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Index {
    config: Option<Described>,
}

/// As [`BackupConfig`], whose names are those of YAML files.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Described {
    container: Option<Instance>,
    snapshots: Option<Vec<InstanceSnapshot>>,
    pool: Option<StoragePool>,
    profiles: Option<Vec<Profile>>,
    volume: Option<StorageVolume>,
    volume_snapshots: Option<Vec<StorageVolumeSnapshot>>,
}

/// What the target answers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
struct Answer {
    status_code: u16,
    error: String,
    refresh: Option<bool>,
}

/// The text of the header that tells of `config`.
///
/// # Errors
/// When it cannot be written as JSON.
pub fn write(config: BackupConfig) -> Result<Vec<u8>> {
    let described = Described {
        container: config.container,
        snapshots: Some(config.snapshots),
        pool: config.pool,
        profiles: Some(config.profiles),
        volume: config.volume,
        volume_snapshots: Some(config.volume_snapshots),
    };
    text(&Index { config: Some(described) })
}

/// What a header tells.
///
/// # Errors
/// When it is none.
pub fn read(text: &[u8]) -> Result<BackupConfig> {
    let index: Index = serde_json::from_slice(text)
        .map_err(|error| Error::invalid(format!("Failed decoding migration index header: {error}")))?;
    let described = index.config.unwrap_or_default();
    Ok(BackupConfig {
        container: described.container,
        snapshots: described.snapshots.unwrap_or_default(),
        pool: described.pool,
        profiles: described.profiles.unwrap_or_default(),
        volume: described.volume,
        volume_snapshots: described.volume_snapshots.unwrap_or_default(),
    })
}

/// The text of the answer that all is well.
///
/// # Errors
/// Never in fact.
pub fn accept(refresh: bool) -> Result<Vec<u8>> {
    text(&Answer { status_code: 200, error: String::new(), refresh: Some(refresh) })
}

/// Reads the answer.
///
/// # Errors
/// When the target refuses, in its words, or it is none.
pub fn judge(text: &[u8]) -> Result<()> {
    let answer: Answer = serde_json::from_slice(text)
        .map_err(|error| Error::invalid(format!("Failed decoding migration index header response: {error}")))?;
    match answer.status_code {
        200 => Ok(()),
        _ => Err(Error::internal(format!("Failed negotiating migration options: {}", answer.error))),
    }
}

fn text(value: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(value)
        .map_err(|error| Error::internal(format!("Failed encoding migration index header: {error}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_have_the_names_of_gos_structures() {
        let volume = StorageVolume { name: "c1".into(), ..StorageVolume::default() };
        let config = BackupConfig { volume: Some(volume), ..BackupConfig::default() };
        let text = write(config.clone()).expect("text");
        let json: serde_json::Value = serde_json::from_slice(&text).expect("JSON");
        assert_eq!(json["config"]["Volume"]["name"], "c1");
        assert!(json["config"]["VolumeSnapshots"].is_array());
        assert_eq!(read(&text).expect("a header"), config);
        let of_lxd = br#"{"config":{"Container":null,"Snapshots":null,"Pool":null,"Profiles":null,
            "Volume":{"config":null,"name":"v","used_by":null,"created_at":"0001-01-01T00:00:00Z"},"VolumeSnapshots":null}}"#;
        assert_eq!(read(of_lxd).expect("a header").volume.map(|volume| volume.name), Some("v".to_string()));
        read(b"[").expect_err("no JSON");
    }

    #[test]
    fn answers_are_lxds() {
        let text = accept(false).expect("text");
        assert_eq!(String::from_utf8_lossy(&text), r#"{"StatusCode":200,"Error":"","Refresh":false}"#);
        judge(&text).expect("it is accepted");
        assert!(judge(br#"{"StatusCode":500,"Error":"no room"}"#).expect_err("refused").message.ends_with("no room"));
    }
}
