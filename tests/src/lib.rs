//! Black-box stories told against a scratch daemon, in network and mount namespaces of their own.
//!
//! ```no_run
//! stories::story(|host| {
//!     let daemon = host.daemon();
//!     daemon.import_busybox("busybox");
//!     daemon.lxc(["launch", "busybox", "c1"]).ok();
//! });
//! ```
#![forbid(unsafe_code)]

pub mod bridge;
pub mod crash;
pub mod daemon;
pub mod http;
pub mod https;
pub mod image;
pub mod image_server;
pub mod isolation;
pub mod leftovers;
pub mod older_monitor;
pub mod run;
pub mod terminal;
pub mod websocket;

pub use daemon::Daemon;
pub use image_server::ImageServer;
pub use isolation::{Host, story};
pub use run::Ran;
pub use terminal::Terminal;
pub use websocket::Websocket;
