//! What one instance becomes on this host: expansion, devices, limits, container spec.
#![forbid(unsafe_code)]

pub mod apparmor;
pub mod aspect;
pub mod cloud_init;
pub mod container;
pub mod device;
pub mod idmap;
pub mod instance;
pub mod instance_type;
pub mod lifecycle;
pub mod name;
pub mod size;
pub mod snapshot;
pub mod step;
pub mod template;
pub mod volatile;
