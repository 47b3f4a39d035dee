//! Unpacking an archive: nothing outside of the root is made or changed, and no more than the limits allow.

use std::path::Path;

use corten_archive::unpack::{Limits, Options, stream};
use corten_archive::watch::Watch;
use corten_host::rooted::Rooted;

use super::archive::summed;
use crate::scratch;

pub fn run(data: &[u8]) {
    let folder = scratch::folder("unpack");
    let (root, outside) = (folder.join("root"), folder.join("outside"));
    std::fs::create_dir(&root).expect("a root");
    std::fs::create_dir(&outside).expect("a folder beside it");
    std::fs::write(outside.join("file"), "untouched").expect("a file beside it");
    let limits = Limits { bytes: 1 << 20, entries: 200 };
    let rooted = Rooted::open(&root).expect("opened");
    let unpacked = stream(summed(data).as_slice(), &rooted, &Options { limits, ..Options::default() }, Watch::default());
    if let Ok(totals) = unpacked {
        assert!(totals.bytes <= limits.bytes && totals.entries <= limits.entries, "{totals:?}");
    }
    drop(rooted);
    assert_eq!(std::fs::read(outside.join("file")).expect("still there"), b"untouched");
    assert_eq!(names(&outside), ["file"]);
    assert_eq!(names(&folder), ["outside", "root"]);
    // What lies in the root may be unreadable for all but root, who this is.
    let _ = std::fs::remove_dir_all(&folder);
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
