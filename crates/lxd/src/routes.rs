//! The list of lists: every endpoint that this daemon answers.

pub mod backup;
pub mod certificates;
pub mod cluster;
pub mod devlxd;
pub mod events;
pub mod image;
pub mod image_aliases;
pub mod image_download;
pub mod images;
pub mod instance;
pub mod instance_backups;
pub mod instance_exec;
pub mod instance_files;
pub mod instance_logs;
pub mod instance_metadata;
pub mod instance_snapshots;
pub mod instance_state;
pub mod instances;
pub mod internal;
pub mod internal_recover;
pub mod internal_testing;
pub mod metrics;
pub mod network_acls;
pub mod network_forwards;
pub mod network_peers;
pub mod network_zone_records;
pub mod network_zones;
pub mod networks;
pub mod operations;
pub mod profiles;
pub mod projects;
pub mod resources;
pub mod server;
pub mod storage_pools;
pub mod storage_volume_backups;
pub mod storage_volume_snapshots;
pub mod storage_volumes;
pub mod warnings;

use crate::app::Endpoint;

/// What `core.metrics_address` answers: figures, and the server itself.
pub const METRICS: &[&[Endpoint]] = &[server::ENDPOINTS, metrics::ENDPOINTS];

/// All endpoints, by file.
pub const ALL: &[&[Endpoint]] = &[
    server::ENDPOINTS,
    events::ENDPOINTS,
    metrics::ENDPOINTS,
    networks::ENDPOINTS,
    network_acls::ENDPOINTS,
    network_forwards::ENDPOINTS,
    network_peers::ENDPOINTS,
    network_zones::ENDPOINTS,
    network_zone_records::ENDPOINTS,
    operations::ENDPOINTS,
    profiles::ENDPOINTS,
    projects::ENDPOINTS,
    certificates::ENDPOINTS,
    cluster::ENDPOINTS,
    warnings::ENDPOINTS,
    resources::ENDPOINTS,
    instances::ENDPOINTS,
    instance::ENDPOINTS,
    instance_backups::ENDPOINTS,
    instance_exec::ENDPOINTS,
    instance_files::ENDPOINTS,
    instance_logs::ENDPOINTS,
    instance_metadata::ENDPOINTS,
    instance_snapshots::ENDPOINTS,
    instance_state::ENDPOINTS,
    storage_pools::ENDPOINTS,
    storage_volumes::ENDPOINTS,
    storage_volume_backups::ENDPOINTS,
    storage_volume_snapshots::ENDPOINTS,
    images::ENDPOINTS,
    image::ENDPOINTS,
    image_aliases::ENDPOINTS,
    internal::ENDPOINTS,
    internal_recover::ENDPOINTS,
    internal_testing::ENDPOINTS,
];
