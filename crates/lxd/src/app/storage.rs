//! Storage pools as the daemon holds them: one open pool for each row, and the volumes on them.

pub mod attach;
pub mod boot;
pub mod by_clock;
pub mod change;
pub mod create;
pub mod custom;
pub mod custom_refresh;
pub mod custom_snapshots;
pub mod drivers;
pub mod image_volumes;
pub mod instance_volumes;
pub mod meant;
pub mod pools;
pub mod recover;
pub mod view;
pub mod volumes;
