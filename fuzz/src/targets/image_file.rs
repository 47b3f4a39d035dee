//! An image file or a backup as it is uploaded: compression found out, unpacked as a stream, described.

use crate::app::backups::index;
use crate::app::images::archive;
use crate::scratch;

pub fn run(data: &[u8]) {
    let summed = super::archive::summed(data);
    let path = scratch::file("image", &summed);
    if let Ok(described) = archive::describe(&path, true) {
        assert!(described.metadata.creation_date != 0);
    }
    if let Ok(index) = index::read(&path) {
        assert!(!index.r#type.is_empty());
    }
}
