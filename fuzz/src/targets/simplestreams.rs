//! The documents of an image server.

use crate::library::simplestreams::catalogue::Catalogue;
use crate::library::simplestreams::index;
use crate::library::simplestreams::product::Products;

pub fn run(data: &[u8]) {
    let _ = index::image_lists(data);
    let Ok(products) = Products::parse(data, "streams/v1/images.json") else { return };
    for url in ["https://images.example", "https://cloud-images.ubuntu.com/releases"] {
        let catalogue = Catalogue::new(url, std::slice::from_ref(&products), "x86_64");
        for alias in catalogue.aliases() {
            catalogue.image(&alias.target).map(drop).unwrap_or_default();
            assert!(catalogue.alias(&alias.r#type, &alias.name).is_ok(), "{alias:?}");
            let _ = catalogue.alias_architectures("", &alias.name);
        }
        for image in &catalogue.images {
            assert!(!catalogue.files(&image.fingerprint).expect("files of every image").is_empty());
        }
    }
}
