//! Snapshots of an instance or volume, as far as they can be thought about without touching one.

pub mod expiry;
pub mod pattern;
