//! A list of products: which images there are in which versions, and the files they are made of.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};
use corten_api::image::{Image, ImageAlias};
use corten_api::time::Time;
use serde::Deserialize;
use serde_json::Value;

use super::architecture;

/// A file of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Path below the server's URL.
    pub path: String,
    /// SHA-256 of the file in hexadecimal; may be empty where a server does not tell.
    pub sha256: String,
    /// Bytes.
    pub size: i64,
    /// What it holds.
    pub holds: Holds,
}

/// What a file of an image holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Metadata; for unified images the root file system too.
    Metadata,
    /// The root file system, or the disk of a machine.
    Root,
    /// The difference (VCDIFF) of the root from that of the image with this fingerprint.
    DeltaFrom(String),
}

/// One document of products.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Products {
    products: BTreeMap<String, Product>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Product {
    aliases: String,
    arch: String,
    os: String,
    lxd_requirements: BTreeMap<String, Value>,
    release: String,
    release_title: String,
    support_eol: Option<String>,
    version: String,
    versions: BTreeMap<String, Version>,
    variant: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Version {
    items: BTreeMap<String, Item>,
    label: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Item {
    ftype: String,
    path: String,
    sha256: String,
    size: i64,
    delta_base: String,
    combined_sha256: String,
    combined_rootxz_sha256: String,
    combined_squashfs_sha256: String,
    #[serde(rename = "combined_disk1-img_sha256")]
    combined_disk1: String,
    #[serde(rename = "combined_disk-kvm-img_sha256")]
    combined_disk_kvm: String,
    #[serde(rename = "combined_uefi1-img_sha256")]
    combined_uefi1: String,
}

impl Item {
    /// The fingerprint of the image made of this metadata and a root file of that kind.
    fn fingerprint_with(&self, kind: &str) -> &str {
        match kind {
            "root.tar.xz" if !self.combined_rootxz_sha256.is_empty() => &self.combined_rootxz_sha256,
            "root.tar.xz" => &self.combined_sha256,
            "squashfs" => &self.combined_squashfs_sha256,
            "disk-kvm.img" => &self.combined_disk_kvm,
            "disk1.img" => &self.combined_disk1,
            "uefi1.img" => &self.combined_uefi1,
            _ => "",
        }
    }

    fn file(&self, holds: Holds) -> File {
        File { path: self.path.clone(), sha256: self.sha256.clone(), size: self.size, holds }
    }
}

const ROOT_KINDS: [&str; 5] = ["disk1.img", "disk-kvm.img", "uefi1.img", "root.tar.xz", "squashfs"];
const MACHINE_KINDS: [&str; 3] = ["disk1.img", "disk-kvm.img", "uefi1.img"];

impl Products {
    /// Reads a document; `path` is for messages only.
    ///
    /// # Errors
    /// When the text is not such a document.
    pub fn parse(text: &[u8], path: &str) -> Result<Products> {
        serde_json::from_slice(text)
            .map_err(|error| Error::internal(format!("Failed decoding products JSON from {path:?}: {error}")))
    }

    /// All images that LXD can use, with their files. Their aliases are as the server names them.
    pub fn images(&self) -> Vec<(Image, Vec<File>)> {
        let mut found = Vec::new();
        for product in self.products.values() {
            let Some(architecture) = architecture::canonical(&product.arch) else { continue };
            for (serial, version) in &product.versions {
                let Some(created) = serial.get(..8).and_then(|digits| day(digits, "")) else { continue };
                let place = Place { product, serial, version, architecture, created };
                for meta in version.items.values() {
                    match meta.ftype.as_str() {
                        "lxd_combined.tar.gz" => found.extend(place.image(meta, None)),
                        "lxd.tar.xz" => found.extend(
                            version
                                .items
                                .values()
                                .filter(|item| ROOT_KINDS.contains(&item.ftype.as_str()))
                                .filter_map(|root| place.image(meta, Some(root))),
                        ),
                        _ => {}
                    }
                }
            }
        }
        found
    }
}

/// Where in a document an image stands.
struct Place<'a> {
    product: &'a Product,
    serial: &'a str,
    version: &'a Version,
    architecture: &'static str,
    created: Time,
}

impl Place<'_> {
    /// The image of a metadata file and, unless unified, a root file; `None` when the server gives no fingerprint.
    fn image(&self, meta: &Item, root: Option<&Item>) -> Option<(Image, Vec<File>)> {
        let kind = root.map_or("tar.gz", |root| root.ftype.as_str());
        let fingerprint = root.map_or(meta.sha256.as_str(), |_| meta.fingerprint_with(kind));
        if fingerprint.is_empty() || meta.path.is_empty() {
            return None;
        }
        let product = self.product;
        let aliases = product.aliases.split(',').filter(|name| !name.is_empty());
        let expiry = product.support_eol.as_deref().and_then(|date| day(date, "-"));
        let machine = MACHINE_KINDS.contains(&kind);
        let image = Image {
            architecture: self.architecture.to_owned(),
            public: true,
            size: meta.size.saturating_add(root.map_or(0, |root| root.size)),
            created_at: self.created,
            uploaded_at: self.created,
            expires_at: expiry.unwrap_or_else(|| Time::from_unix(0, 0)),
            filename: meta.path.rsplit('/').next().unwrap_or_default().to_owned(),
            fingerprint: fingerprint.to_owned(),
            properties: self.properties(kind),
            r#type: if machine { "virtual-machine" } else { "container" }.to_owned(),
            aliases: aliases.map(|name| ImageAlias { name: name.to_owned(), description: String::new() }).collect(),
            ..Image::default()
        };
        let mut files = vec![meta.file(Holds::Metadata)];
        files.extend(root.map(|root| root.file(Holds::Root)));
        if kind == "squashfs" {
            files.extend(self.deltas());
        }
        Some((image, files))
    }

    fn properties(&self, kind: &str) -> BTreeMap<String, String> {
        let (product, label) = (self.product, self.version.label.as_str());
        let mut description = format!("{} {} {}", product.os, product.release_title, product.arch);
        if !label.is_empty() {
            description.push_str(&format!(" ({label})"));
        }
        description.push_str(&format!(" ({})", self.serial));
        let own = [
            ("os", product.os.as_str()),
            ("release", &product.release),
            ("version", &product.version),
            ("architecture", &product.arch),
            ("label", label),
            ("serial", self.serial),
            ("description", &description),
            ("variant", &product.variant),
            ("type", kind),
        ];
        let required = product.lxd_requirements.iter().map(|(name, value)| {
            let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            (format!("requirements.{name}"), text)
        });
        let own = own.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()));
        own.chain(required).filter(|(_, value)| !value.is_empty()).collect()
    }

    /// Differences from earlier roots, where these are still listed.
    fn deltas(&self) -> Vec<File> {
        let items = self.version.items.values().filter(|item| item.ftype == "squashfs.vcdiff");
        items
            .filter_map(|item| {
                let base = self.product.versions.get(&item.delta_base)?;
                let meta = base.items.values().find(|item| item.ftype == "lxd.tar.xz")?;
                let from = &meta.combined_squashfs_sha256;
                (!from.is_empty()).then(|| item.file(Holds::DeltaFrom(from.clone())))
            })
            .collect()
    }
}

/// Midnight UTC of a day written `YYYYMMDD` with a separator between the parts.
fn day(text: &str, separator: &str) -> Option<Time> {
    let digits = text.replace(separator, "");
    let well_formed = digits.len() == 8 && digits.bytes().all(|byte| byte.is_ascii_digit());
    if !well_formed || text.len() != 8 + 2 * separator.len() {
        return None;
    }
    format!("{}-{}-{}T00:00:00Z", &digits[..4], &digits[4..6], &digits[6..]).parse().ok()
}
