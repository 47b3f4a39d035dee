//! Volumes on storage pools: blocking, knowing nothing of instances, projects or the database.
#![forbid(unsafe_code)]

pub mod dir;
pub mod driver;
pub mod error;
pub mod fill;
pub mod generic;
pub mod mounts;
pub mod overlay;
pub mod pool;
pub mod registry;
pub mod volume;
