//! Server keys: images.

use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::compression::{Architecture, Compression};
use crate::value::number::Integer;

keys! {
    /// Images.
    IMAGES {
        /// Keep cached images fresh.
        IMAGES_AUTO_UPDATE_CACHED: Bool = "images.auto_update_cached" {
            default: "true", since: "projects_images_auto_update",
        };
        /// Hours between looks for newer images; 0 never.
        IMAGES_AUTO_UPDATE_INTERVAL: Integer = "images.auto_update_interval" {
            default: "6", since: "projects_images_auto_update",
        };
        /// Compressor for new images: any program on PATH with arguments, `squashfs` (tar2sqfs), or `none`.
        IMAGES_COMPRESSION_ALGORITHM: Compression = "images.compression_algorithm" {
            default: "gzip", since: "image_compression_algorithm",
        };
        /// Architecture taken where a cluster mixes them.
        IMAGES_DEFAULT_ARCHITECTURE: Architecture = "images.default_architecture" {
            since: "images_default_architecture",
        };
        /// Days after which an unused cached image goes.
        IMAGES_REMOTE_CACHE_EXPIRY: Integer = "images.remote_cache_expiry" {
            default: "10", since: "projects_images_remote_cache_expiry",
        };
    }
}
