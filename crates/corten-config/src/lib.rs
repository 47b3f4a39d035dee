//! What may be configured: every key, its type, default and rules.
//!
//! Each key is declared once (`instance/*.rs`, `device/*.rs`, …) and gives a typed handle
//! ([`instance::limits::LIMITS_CPU`]) and an entry in a table that validation, updates, the reference and completion
//! read.
#![forbid(unsafe_code)]

pub mod change;
pub mod device;
pub mod entity;
pub mod expand;
pub mod instance;
pub mod key;
pub mod name;
pub mod network;
pub mod project;
pub mod reference;
pub mod server;
pub mod storage;
mod table;
#[cfg(test)]
mod tests;
pub mod value;

pub use entity::{Entity, check, check_keys, lookup};
pub use key::{AnyKey, Config, Key};

/// Devices by name, each with its `type` among the keys.
pub type Devices = std::collections::BTreeMap<String, Config>;
