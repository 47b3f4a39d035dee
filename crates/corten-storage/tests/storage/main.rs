//! Pools on a real filesystem: each test runs alone in a mount namespace of its own, on an ext4 in a file.

mod alike;
mod dir;
mod hostile;
mod killed;
mod overlay;
mod sandbox;
