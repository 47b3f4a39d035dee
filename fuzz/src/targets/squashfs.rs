//! A squashfs, looked into and unpacked: nothing outside of the root is made or changed, and no more than the limits allow.

use corten_archive::squashfs;
use corten_archive::unpack::{Limits, Options, file};
use corten_archive::watch::Watch;

use super::unpack::{Place, confined};
use crate::scratch;

/// Most bytes that are read of one file at the top.
const LIMIT: u64 = 1 << 20;

pub fn run(data: &[u8]) {
    let image = scratch::file("squashfs", data);
    for entry in squashfs::top(&image).unwrap_or_default().iter().take(20) {
        if let Ok(Some(content)) = squashfs::read(&image, &entry.name, LIMIT) {
            assert!(content.len() as u64 <= LIMIT, "{} has {} bytes", entry.name, content.len());
        }
    }
    let limits = Limits { bytes: LIMIT, entries: 200 };
    confined(Place::new("squashfs"), limits, |root| {
        file(&image, root, &Options { limits, ..Options::default() }, Watch::default())
    });
}
