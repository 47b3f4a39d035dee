//! Turns a spec into a running container and watches it.
//!
//! [`start`] runs one small monitor process per container; [`Container`] is what the daemon holds of it, and what a
//! later daemon finds again with [`Container::find`]. Neither knows anything of LXD's keys, database or API.
#![forbid(unsafe_code)]

mod client;
pub mod failure;
pub mod handle;
pub mod launch;
pub mod monitor;
pub mod protocol;
pub mod proxy;
pub mod spec;
pub mod state_file;

pub use failure::{Error, StartFailed};
pub use handle::{Container, Exit, ExitWatch, Session, State};
pub use launch::start;
pub use spec::Spec;
