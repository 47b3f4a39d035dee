//! How to talk to an LXD server.
#![forbid(unsafe_code)]

pub mod body;
pub mod call;
pub mod console;
pub mod endpoint;
pub mod events;
pub mod exec;
pub mod file;
pub mod http;
pub mod identity;
pub mod image_source;
pub mod image_transfer;
pub mod multipart;
pub mod operation;
mod patient;
pub mod proxy;
pub mod server;
pub mod sftp;
pub mod simplestreams;
pub mod tls;
pub mod websocket;
