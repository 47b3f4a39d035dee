//! Seccomp: LXD's policies, read from liblxc's text form and compiled into what the kernel takes.

pub mod compile;
pub mod policy;
pub mod settings;

pub use compile::compile;
pub use policy::Policy;
pub use settings::{Intercept, Settings};
