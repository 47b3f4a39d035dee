//! What any driver gets for nothing: names on disk, copying of trees, filling from an image.

pub mod backup;
pub mod build;
pub mod content;
pub mod copy_tree;
pub mod image;
pub mod intent;
pub mod names;
pub mod source_directory;
