//! All that an image server offers, put together from its documents: images, aliases and files as LXD computes them.

use std::collections::{BTreeMap, HashMap};

use corten_api::error::{Error, Result};
use corten_api::image::{Image, ImageAlias, ImageAliasesEntry};

use super::architecture;
use super::product::{File, Products};

/// Servers whose aliases drop the name of the operating system: `ubuntu:22.04`, not `ubuntu:ubuntu/22.04`.
const DEFAULT_SYSTEM: [(&str, &str); 1] = [("https://cloud-images.ubuntu.com", "ubuntu")];

/// Kinds of root files, in the order of LXD's preference.
const PREFERENCE: [&str; 5] = ["squashfs", "root.tar.xz", "disk-kvm.img", "uefi1.img", "disk1.img"];

/// All that a server offers.
#[derive(Debug, Default)]
pub struct Catalogue {
    /// Images, best first among those that share an alias.
    pub images: Vec<Image>,
    aliases: Vec<Alias>,
    files: HashMap<String, Vec<File>>,
}

/// An alias for one kind and architecture; the same name may stand for others too.
#[derive(Clone, Debug)]
struct Alias {
    entry: ImageAliasesEntry,
    architecture: String,
}

impl Catalogue {
    /// Puts the products of a server together. `url` is the server's, `native` this host's architecture.
    pub fn new(url: &str, products: &[Products], native: &str) -> Catalogue {
        let mut catalogue = Catalogue::default();
        for all in products {
            for (image, files) in all.images() {
                catalogue.files.insert(image.fingerprint.clone(), files);
                catalogue.images.push(image);
            }
        }
        catalogue.images.sort_by(|left, right| rank(left).cmp(&rank(right)));
        let system = DEFAULT_SYSTEM.iter().find(|(start, _)| url.starts_with(start)).map(|(_, system)| *system);
        catalogue.name_images(system, native);
        // The host's own architecture comes first, then those it can run as well.
        catalogue.aliases.sort_by_key(|alias| architecture::distance(native, &alias.architecture));
        catalogue
    }

    /// Gives each image its aliases; the first of those that want a name gets it.
    fn name_images(&mut self, system: Option<&str>, native: &str) {
        let mut taken = BTreeMap::new();
        for image in &mut self.images {
            let wanted = std::mem::take(&mut image.aliases);
            for ImageAlias { name, .. } in wanted {
                let suffix = image.properties.get("architecture").cloned().unwrap_or_default();
                for (full, shown) in [(name.clone(), image.architecture == native), (format!("{name}/{suffix}"), true)]
                {
                    let short = system.and_then(|system| full.strip_prefix(&format!("{system}/")).map(str::to_owned));
                    let full = short.unwrap_or(full);
                    let key = (full.clone(), image.r#type.clone(), image.architecture.clone());
                    if taken.insert(key, ()).is_some() {
                        continue;
                    }
                    if shown {
                        image.aliases.push(ImageAlias { name: full.clone(), description: String::new() });
                    }
                    let entry = ImageAliasesEntry {
                        name: full,
                        target: image.fingerprint.clone(),
                        r#type: image.r#type.clone(),
                        ..ImageAliasesEntry::default()
                    };
                    self.aliases.push(Alias { entry, architecture: image.architecture.clone() });
                }
            }
        }
    }

    /// All aliases; of those that stand for several architectures, the one best for this host.
    pub fn aliases(&self) -> Vec<&ImageAliasesEntry> {
        let mut seen = BTreeMap::new();
        self.aliases
            .iter()
            .map(|alias| &alias.entry)
            .filter(|entry| seen.insert((&entry.name, &entry.r#type), ()).is_none())
            .collect()
    }

    /// What an alias stands for on this host. `kind` is `container`, `virtual-machine` or empty for either, containers
    /// first.
    ///
    /// # Errors
    /// When no such alias is known.
    pub fn alias(&self, kind: &str, name: &str) -> Result<&ImageAliasesEntry> {
        let kinds: &[&str] = if kind.is_empty() { &["container", "virtual-machine"] } else { &[kind] };
        kinds
            .iter()
            .find_map(|kind| {
                self.aliases.iter().map(|alias| &alias.entry).find(|entry| entry.name == name && entry.r#type == *kind)
            })
            .ok_or_else(|| Error::not_found(format!("Alias '{name}' doesn't exist")))
    }

    /// What an alias stands for on each architecture; `kind` as for [`Catalogue::alias`].
    ///
    /// # Errors
    /// When no such alias is known.
    pub fn alias_architectures(&self, kind: &str, name: &str) -> Result<BTreeMap<String, &ImageAliasesEntry>> {
        let kinds: &[&str] = if kind.is_empty() { &["container", "virtual-machine"] } else { &[kind] };
        for kind in kinds {
            let found: BTreeMap<String, &ImageAliasesEntry> = self
                .aliases
                .iter()
                .filter(|alias| alias.entry.name == name && alias.entry.r#type == *kind)
                .map(|alias| (alias.architecture.clone(), &alias.entry))
                .collect();
            if !found.is_empty() {
                return Ok(found);
            }
        }
        Err(Error::not_found(format!("Alias '{name}' doesn't exist")))
    }

    /// The image with a fingerprint, or with one that starts so.
    ///
    /// # Errors
    /// When none does, or several do.
    pub fn image(&self, fingerprint: &str) -> Result<&Image> {
        let mut matches = self.images.iter().filter(|image| image.fingerprint.starts_with(fingerprint));
        match (matches.next(), matches.next()) {
            (None, _) => Err(Error::not_found("The requested image couldn't be found")),
            (Some(image), None) => Ok(image),
            (Some(_), Some(_)) => Err(Error::invalid("More than one match for the provided partial fingerprint")),
        }
    }

    /// The image that a name means: an alias, else a fingerprint or its start.
    ///
    /// # Errors
    /// When neither is known.
    pub fn find(&self, kind: &str, name: &str) -> Result<&Image> {
        match self.alias(kind, name) {
            Ok(alias) => self.image(&alias.target),
            Err(_) => self.image(name),
        }
    }

    /// The files of an image (full fingerprint), in the order in which its fingerprint is taken over them.
    ///
    /// # Errors
    /// When there is no such image.
    pub fn files(&self, fingerprint: &str) -> Result<&[File]> {
        self.files
            .get(fingerprint)
            .map(Vec::as_slice)
            .ok_or_else(|| Error::not_found("Couldn't find the requested image"))
    }
}

/// What decides which of two images gets an alias that both want: system, release and variant group them, then the
/// newest serial wins, then the preferred kind of root file. Empty values come last.
fn rank(image: &Image) -> impl Ord {
    let property = |name: &str| image.properties.get(name).cloned().unwrap_or_default();
    let grouped = |name: &str| {
        let value = property(name);
        (value.is_empty(), value)
    };
    let kind = property("type");
    (
        grouped("os"),
        grouped("release"),
        grouped("variant"),
        std::cmp::Reverse(property("serial")),
        grouped("architecture"),
        PREFERENCE.iter().position(|preferred| *preferred == kind).unwrap_or_default(),
        // Nothing is left to chance.
        image.fingerprint.clone(),
    )
}
