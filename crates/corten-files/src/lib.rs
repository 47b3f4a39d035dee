//! Files below a root that belongs to someone else, over SFTP (version 3, draft-ietf-secsh-filexfer-02).
//!
//! [`server::serve`] answers one connection for a [`Tree`]; no path, link or race leads out of that tree. It runs in a
//! child of the container's monitor, as root of the container, or on a thread of the daemon for a stopped one.
//! [`Client`] is the other end.
#![forbid(unsafe_code)]

pub mod attributes;
pub mod client;
pub mod server;
pub mod transfer;
pub mod tree;
pub mod wire;

pub use attributes::Attributes;
pub use client::{Client, Failure};
pub use tree::Tree;
