//! Unpacking an archive: nothing outside of the root is made or changed, and no more than the limits allow.

use std::path::{Path, PathBuf};

use corten_archive::error::Error;
use corten_archive::unpack::{Limits, Options, Totals, stream};
use corten_archive::watch::Watch;
use corten_host::rooted::Rooted;

use super::archive::summed;
use crate::scratch;

pub fn run(data: &[u8]) {
    let limits = Limits { bytes: 1 << 20, entries: 200 };
    confined(Place::new("unpack"), limits, |root| {
        stream(summed(data).as_slice(), root, &Options { limits, ..Options::default() }, Watch::default())
    });
}

/// A folder with a root to unpack to, and something beside it that nobody may touch.
pub struct Place(PathBuf);

impl Place {
    /// One of this name, empty.
    pub fn new(name: &str) -> Place {
        let place = Place(scratch::folder(name));
        std::fs::create_dir(place.0.join("root")).expect("a root");
        std::fs::create_dir(place.outside()).expect("a folder beside it");
        std::fs::write(place.outside().join("file"), "untouched").expect("a file beside it");
        place
    }

    fn outside(&self) -> PathBuf {
        self.0.join("outside")
    }
}

/// Unpacks there, and looks at the limits and at what lies beside the root.
pub fn confined(place: Place, limits: Limits, unpack: impl FnOnce(&Rooted) -> Result<Totals, Error>) {
    let root = Rooted::open(&place.0.join("root")).expect("opened");
    if let Ok(totals) = unpack(&root) {
        assert!(totals.bytes <= limits.bytes && totals.entries <= limits.entries, "{totals:?}");
    }
    drop(root);
    assert_eq!(std::fs::read(place.outside().join("file")).expect("still there"), b"untouched");
    assert_eq!(names(&place.outside()), ["file"]);
    assert_eq!(names(&place.0), ["outside", "root"]);
    // What lies in the root may be unreadable for all but root, who this is.
    let _ = std::fs::remove_dir_all(&place.0);
}

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut names: Vec<String> =
        entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}
