//! Archives that others made, and ones for others: compressors, tar, squashfs. Knows streams and files, not images.
#![forbid(unsafe_code)]

pub mod compress;
pub mod compression;
pub mod decompress;
pub mod error;
pub mod pack;
pub mod squashfs;
pub mod tar;
pub mod tree_size;
pub mod unpack;
pub mod watch;
