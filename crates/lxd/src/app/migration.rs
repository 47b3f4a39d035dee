//! Migration: instances and custom volumes that go to another server, or come from one, as LXD 5.0.2 does it by rsync.
//!
//! Two websockets connect the servers: `control` carries messages of protobuf ([`wire`]), `fs` the index header ([`index`])
//! and then one conversation of rsync for each snapshot and for the volume itself, each ended by an empty text message. Either
//! side may have opened them: pull, push, or relayed by a client.

pub mod channel;
pub mod incoming;
pub mod index;
pub mod instance;
pub mod instance_source;
pub mod outgoing;
pub mod progress;
pub mod request;
pub mod rows;
pub mod rsync;
pub mod session;
pub mod target_pool;
pub mod volume;
pub mod volume_source;
pub mod wire;

use corten_storage::pool::Pool;

/// Whether rsync may compress what goes to or comes from this pool.
pub fn compresses(pool: &Pool) -> bool {
    let value = pool.config_value("rsync.compression");
    value.is_empty() || crate::app::settings::is_true(&value)
}
