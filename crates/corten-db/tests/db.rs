//! The database as its callers see it.

#[path = "db/console.rs"]
mod console;
#[path = "db/crash.rs"]
mod crash;
#[path = "db/decisions.rs"]
mod decisions;
#[path = "db/full_disk.rs"]
mod full_disk;
#[path = "db/listing.rs"]
mod listing;
#[path = "db/replay.rs"]
mod replay;
#[path = "db/scratch.rs"]
mod scratch;
#[path = "db/tables.rs"]
mod tables;
#[path = "db/zones.rs"]
mod zones;
