//! Images: what is at hand, and what instances are made from.

pub mod alias;
pub mod archive;
pub mod delete;
pub mod export;
pub mod fetch;
pub mod find;
pub mod import;
pub mod origin;
pub mod progress;
pub mod publish;
pub mod push;
pub mod receive;
pub mod refresh;
pub mod source;
pub mod store;
pub mod sweep;
pub mod token;
pub mod update;
pub mod upkeep;
pub mod url;

use crate::rest::turn::Turns;

/// What is known of images beside the database.
#[derive(Default)]
pub struct Images {
    /// One change at a time for each fingerprint.
    pub turns: Turns,
    /// Asks for unused copies to be looked for now.
    pub prune: tokio::sync::Notify,
}
