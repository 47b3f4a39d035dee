//! Which layers a volume is made of: the link `layers`, and what becomes of layers that no such link names.
//!
//! The list is the target of a symbolic link, which points nowhere. Filesystems journal such a target with the rest of
//! their metadata, so that it is there whole whenever its name is, without waiting for the disk as a file would have
//! to; and a rename replaces it.

use std::collections::HashSet;
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use corten_host::rooted::remove;

use super::image;
use crate::error::{Doing, Error, Result};
use crate::generic::names;
use crate::pool::Pool;

/// Name of the link in a volume's directory, and of the directory in the pool.
pub const LAYERS: &str = "layers";

/// One layer of a volume.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Layer {
    /// `layers/ID`.
    Own(String),
    /// `images/FINGERPRINT`.
    Image(String),
}

impl Layer {
    /// As it stands in the list: its path below the pool.
    fn word(&self) -> String {
        match self {
            Layer::Own(id) => format!("{LAYERS}/{id}"),
            Layer::Image(fingerprint) => format!("images/{fingerprint}"),
        }
    }

    fn parse(word: &str) -> Option<Layer> {
        let (directory, name) = word.split_once('/')?;
        let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        match (directory, is_name) {
            (LAYERS, true) => Some(Layer::Own(name.to_string())),
            ("images", true) => Some(Layer::Image(name.to_string())),
            _ => None,
        }
    }

    /// Its directory in the pool.
    pub fn directory(&self, pool: &Pool) -> PathBuf {
        pool.directory().join(self.word())
    }

    /// The tree that is seen through; that of an image is mounted when it has to be.
    ///
    /// # Errors
    /// Why an image cannot be mounted.
    pub fn tree(&self, pool: &Pool) -> Result<PathBuf> {
        match self {
            Layer::Own(_) => Ok(self.directory(pool).join("upper")),
            Layer::Image(fingerprint) => image::root(pool, fingerprint),
        }
    }
}

/// Reads the layers of the volume or snapshot at `path`, topmost first.
///
/// # Errors
/// When the list is missing or says something else than layers.
pub fn read(path: &Path) -> Result<Vec<Layer>> {
    let link = path.join(LAYERS);
    let text = std::fs::read_link(&link).doing(|| format!("Failed to read \"{}\"", link.display()))?;
    understand(&link, &text)
}

fn understand(link: &Path, text: &Path) -> Result<Vec<Layer>> {
    let layers = text.to_str().and_then(parse);
    layers.ok_or_else(|| Error::internal(format!("\"{}\" names something else than layers: {text:?}", link.display())))
}

fn parse(text: &str) -> Option<Vec<Layer>> {
    text.split(':').map(Layer::parse).collect()
}

/// Writes the layers of the volume at `path`, whole or not at all.
///
/// # Errors
/// What the kernel says; the old layers stay then.
pub fn write(path: &Path, layers: &[Layer]) -> Result<()> {
    let words: Vec<String> = layers.iter().map(Layer::word).collect();
    let (link, building) = (path.join(LAYERS), path.join(".tmp-layers"));
    let written = remove::tree(&building)
        .and_then(|()| std::os::unix::fs::symlink(words.join(":"), &building))
        .and_then(|()| std::fs::rename(&building, &link));
    written.doing(|| format!("Failed to write \"{}\"", link.display()))
}

/// Makes the directory of layers where it is missing. Setuid programs of containers are in there under their real
/// owners, so that nobody but root may enter.
///
/// # Errors
/// What the kernel says.
pub fn make_directory(pool: &Pool) -> Result<()> {
    let path = pool.directory().join(LAYERS);
    let made = match std::fs::create_dir(&path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        made => made.and_then(|()| std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700))),
    };
    made.doing(|| format!("Failed to create directory \"{}\"", path.display()))
}

/// All layers that some container or snapshot names.
fn in_use(pool: &Pool) -> Result<HashSet<Layer>> {
    let mut used = HashSet::new();
    let containers = pool.directory().join("containers");
    let snapshots = pool.directory().join("containers-snapshots");
    let mut volumes: Vec<PathBuf> = names::volumes(&containers)?.iter().map(|name| containers.join(name)).collect();
    for name in names::volumes(&snapshots)? {
        let directory = snapshots.join(name);
        volumes.extend(names::volumes(&directory)?.iter().map(|name| directory.join(name)));
    }
    for volume in volumes {
        let link = volume.join(LAYERS);
        match std::fs::read_link(&link) {
            Ok(text) => used.extend(understand(&link, &text)?),
            // A volume of another content has no layers; one that goes away meanwhile has none any more.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidInput) => {}
            Err(error) => return Err(error).doing(|| format!("Failed to read \"{}\"", link.display())),
        }
    }
    Ok(used)
}

/// Removes those of `layers` that nobody names any more; images only when they are not wanted either. `own` is the
/// writable layer of a volume that is gone: it never had another user.
///
/// # Errors
/// What could not be removed.
pub fn drop_unused(pool: &Pool, own: Option<&Layer>, layers: &[Layer]) -> Result<()> {
    let could_go = |layer: &&Layer| match layer {
        Layer::Own(_) => true,
        Layer::Image(fingerprint) => image::is_unwanted(pool, fingerprint),
    };
    let shared: Vec<&Layer> = layers.iter().filter(could_go).collect();
    let mut going = Vec::new();
    if let Some(layer) = own {
        going.extend(set_aside(pool, layer)?);
    }
    // Looking through all volumes is spared where nothing could go.
    if !shared.is_empty() {
        let _frozen = pool.freeze_references();
        let used = in_use(pool)?;
        for layer in shared.into_iter().filter(|layer| !used.contains(*layer)) {
            going.extend(set_aside(pool, layer)?);
        }
    }
    for path in going {
        remove::tree(&path).doing(|| format!("Failed to remove '{}'", path.display()))?;
    }
    Ok(())
}

/// Renames a layer so that it counts as a leftover; `None` when it is not there.
fn set_aside(pool: &Pool, layer: &Layer) -> Result<Option<PathBuf>> {
    let path = layer.directory(pool);
    if let Layer::Image(fingerprint) = layer {
        image::unmount(pool, fingerprint)?;
    }
    let going = names::beside(&path);
    match names::rename_new(&path, &going) {
        Ok(()) => Ok(Some(going)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).doing(|| format!("Failed to remove '{}'", path.display())),
    }
}

/// Removes every layer and every unwanted image that nobody names. Nothing else may be changing the pool.
///
/// # Errors
/// What could not be removed.
pub fn sweep(pool: &Pool) -> Result<()> {
    let used = in_use(pool)?;
    let directory = pool.directory().join(LAYERS);
    let entries = std::fs::read_dir(&directory).doing(|| format!("Failed to read \"{}\"", directory.display()))?;
    for entry in entries {
        let name = entry.doing(|| format!("Failed to read \"{}\"", directory.display()))?.file_name();
        let name = name.to_string_lossy().into_owned();
        if !used.contains(&Layer::Own(name.clone())) {
            let path = directory.join(name);
            remove::tree(&path).doing(|| format!("Failed to remove '{}'", path.display()))?;
        }
    }
    for fingerprint in names::volumes(&pool.directory().join("images"))? {
        let layer = Layer::Image(fingerprint.clone());
        if image::is_unwanted(pool, &fingerprint)
            && !used.contains(&layer)
            && let Some(path) = set_aside(pool, &layer)?
        {
            remove::tree(&path).doing(|| format!("Failed to remove '{}'", path.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_says_layers_or_is_refused() {
        let layers = vec![Layer::Own("a-1".to_string()), Layer::Image("0bf".to_string())];
        assert_eq!(parse("layers/a-1:images/0bf"), Some(layers));
        for bad in
            ["", ":", "layers/a:", "layers/", "layers/..", "layers/a/b", "other/a", "layers/a::layers/b", "/layers/a"]
        {
            assert_eq!(parse(bad), None, "{bad:?}");
        }
    }
}
