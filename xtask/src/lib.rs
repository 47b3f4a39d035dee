//! The project's own chores: looking for what the house style refuses, writing documents that are made from tables, and
//! running LXD's own suite.
#![forbid(unsafe_code)]

pub mod crash;
pub mod docs;
pub mod fuzz;
pub mod tidy;
pub mod upstream;

use std::path::{Path, PathBuf};

/// The folder of the project.
///
/// # Panics
/// Never: this crate is in a folder of the project.
pub fn project() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate is in the project").to_path_buf()
}
