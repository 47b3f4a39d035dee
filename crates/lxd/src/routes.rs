//! The list of lists: every endpoint that this daemon answers.

pub mod certificates;
pub mod events;
pub mod instance;
pub mod instance_exec;
pub mod instance_logs;
pub mod instance_state;
pub mod instances;
pub mod internal;
pub mod operations;
pub mod profiles;
pub mod projects;
pub mod resources;
pub mod server;
pub mod storage_pools;
pub mod warnings;

use crate::app::Endpoint;

/// All endpoints, by file.
pub const ALL: &[&[Endpoint]] = &[
    server::ENDPOINTS,
    events::ENDPOINTS,
    operations::ENDPOINTS,
    profiles::ENDPOINTS,
    projects::ENDPOINTS,
    certificates::ENDPOINTS,
    warnings::ENDPOINTS,
    resources::ENDPOINTS,
    instances::ENDPOINTS,
    instance::ENDPOINTS,
    instance_exec::ENDPOINTS,
    instance_logs::ENDPOINTS,
    instance_state::ENDPOINTS,
    storage_pools::ENDPOINTS,
    internal::ENDPOINTS,
];
