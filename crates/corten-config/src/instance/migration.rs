//! Keys of instances: how they move to another server.

use crate::key::{Live, On};
use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::number::Unsigned;

keys! {
    /// Migration.
    MIGRATION {
        /// Copy memory in rounds before the final stop (CRIU).
        MIGRATION_INCREMENTAL_MEMORY: Bool = "migration.incremental.memory" {
            default: "false", live: Live::Yes, on: On::Container,
        };
        /// Percent in sync that ends the rounds.
        MIGRATION_INCREMENTAL_MEMORY_GOAL: Unsigned = "migration.incremental.memory.goal" {
            default: "70", live: Live::Yes, on: On::Container,
        };
        /// Rounds at most.
        MIGRATION_INCREMENTAL_MEMORY_ITERATIONS: Unsigned = "migration.incremental.memory.iterations" {
            default: "10", live: Live::Yes, on: On::Container,
        };
        /// Allow stateful stop, snapshot and live migration; shuts out devices that cannot take part.
        MIGRATION_STATEFUL: Bool = "migration.stateful" {
            default: "false", on: On::Machine, since: "migration_stateful",
        };
    }
}
