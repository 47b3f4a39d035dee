//! What the files below /proc say, as values (proc(5)).

pub mod memory;
pub mod mounts;
pub mod process;
pub mod system;
