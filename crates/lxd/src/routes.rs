//! The list of lists: every endpoint that this daemon answers.

pub mod certificates;
pub mod events;
pub mod internal;
pub mod operations;
pub mod profiles;
pub mod projects;
pub mod server;
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
    internal::ENDPOINTS,
];
