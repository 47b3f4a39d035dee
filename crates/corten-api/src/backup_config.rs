//! What is written beside an instance's root (`backup.yaml`) and into exports (`index.yaml`): all that is remembered of it.

use crate::instance::Instance;
use crate::instance_snapshot::InstanceSnapshot;
use crate::profile::Profile;
use crate::storage_pool::StoragePool;
use crate::storage_pool_volume::StorageVolume;
use crate::storage_pool_volume_snapshot::StorageVolumeSnapshot;
use serde::{Deserialize, Serialize};

/// An instance or custom volume with everything that a server needs to take it up. Written with [`crate::yaml`], it
/// is LXD's file bit for bit; what is empty is left out.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct BackupConfig {
    /// The instance, a virtual machine too; absent for a custom volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<Instance>,
    /// Its snapshots, oldest first, each under its own name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub snapshots: Vec<InstanceSnapshot>,
    /// The pool that it was on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pool: Option<StoragePool>,
    /// All profiles of its project.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub profiles: Vec<Profile>,
    /// Its volume.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub volume: Option<StorageVolume>,
    /// The volume's snapshots, oldest first, each under its own name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub volume_snapshots: Vec<StorageVolumeSnapshot>,
}
