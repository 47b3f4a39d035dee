//! Receiving the files of an image: written where nobody looks for images, and hashed on the way.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{Read, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use corten_api::error::{Context, Error, Result};
use corten_client::multipart::{Found, Parser};
use sha2::{Digest, Sha256};

use crate::rest::operation::random_secret;

/// Begins the names of directories that images are built in, as in LXD; such a one that is found at a start is a leftover.
pub const BUILD: &str = "lxd_build_";

/// A directory beside the images in which one is put together; it goes with all that is left in it.
pub struct Build(PathBuf);

impl Build {
    /// Makes one in the directory of images.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn new(images: &Path) -> Result<Build> {
        let path = images.join(format!("{BUILD}{}", &random_secret()?[..16]));
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.with_context(|| format!("Failed to create {}", path.display()))?;
        Ok(Build(path))
    }

    /// A path in it.
    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// A new file in it.
    ///
    /// # Errors
    /// What the kernel says.
    pub fn file(&self, name: &str) -> Result<File> {
        let path = self.path(name);
        let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
        made.with_context(|| format!("Failed to create {}", path.display()))
    }
}

impl Drop for Build {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!("Failed to remove {}: {error}", self.0.display());
        }
    }
}

/// Name of the metadata, or the whole image, in a [`Build`].
pub const META: &str = "meta";
/// Name of the second file in a [`Build`].
pub const ROOT: &str = "rootfs";

/// The files of an image, complete.
pub struct Received {
    /// Where they are.
    pub build: Build,
    /// SHA-256 over all of them.
    pub fingerprint: String,
    /// Bytes of all of them.
    pub size: u64,
    /// The kind of image that the name of the second file means; `None` when there is no second file.
    pub split: Option<&'static str>,
    /// The name that the second file came with.
    pub filename: String,
}

/// Why files were not received.
pub enum Failed {
    /// They did not arrive, or could not be stored.
    Broken(Error),
    /// They arrived, and are no image.
    Refused(Error),
}

/// How much is read at once.
const PIECE: usize = 256 << 10;

fn each_piece(mut body: impl Read, mut take: impl FnMut(&[u8]) -> Result<()>) -> Result<(), Failed> {
    let mut piece = vec![0; PIECE];
    loop {
        match body.read(&mut piece) {
            Ok(0) => return Ok(()),
            Ok(length) => take(&piece[..length]).map_err(Failed::Broken)?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => {
                return Err(Failed::Broken(Error::internal(format!("Failed to receive the image: {error}"))));
            }
        }
    }
}

/// Receives an image in one file.
///
/// # Errors
/// When it does not arrive whole, or cannot be stored.
pub fn unified(images: &Path, body: impl Read) -> Result<Received, Failed> {
    let build = Build::new(images).map_err(Failed::Broken)?;
    let mut file = build.file(META).map_err(Failed::Broken)?;
    let (mut hash, mut size) = (Sha256::new(), 0);
    each_piece(body, |piece| {
        hash.update(piece);
        size += piece.len() as u64;
        file.write_all(piece).context("Failed to store the image")
    })?;
    let fingerprint = data_encoding::HEXLOWER.encode(&hash.finalize());
    Ok(Received { build, fingerprint, size, split: None, filename: String::new() })
}

/// What arrives of an image in two files.
struct Parts {
    build: Build,
    hash: Sha256,
    size: u64,
    file: Option<File>,
    /// Files begun so far.
    begun: usize,
    split: Option<&'static str>,
    filename: String,
    refused: Option<Error>,
}

impl Parts {
    fn take(&mut self, found: &Found<'_>) -> Result<()> {
        match found {
            Found::File(field, name) => self.begin(field, name),
            Found::Data(data) => {
                let Some(file) = &mut self.file else { return Ok(()) };
                self.hash.update(data);
                self.size += data.len() as u64;
                file.write_all(data).context("Failed to store the image")
            }
        }
    }

    /// LXD wants the metadata first, then the root, and does not look at what comes after.
    fn begin(&mut self, field: &str, name: &str) -> Result<()> {
        self.file = None;
        self.begun += 1;
        match (self.begun, field) {
            (1, "metadata") => self.file = Some(self.build.file(META)?),
            (2, "rootfs" | "rootfs.img") => {
                self.split = Some(if field == "rootfs" { "container" } else { "virtual-machine" });
                self.filename = name.to_string();
                self.file = Some(self.build.file(ROOT)?);
            }
            (1 | 2, _) => self.refused = Some(Error::invalid("Invalid multipart image")),
            _ => {}
        }
        Ok(())
    }
}

/// Receives an image in two files, as a form (RFC 7578) with `metadata` and then `rootfs` or `rootfs.img`.
///
/// # Errors
/// When it does not arrive whole or cannot be stored, or is something else.
pub fn split(images: &Path, mut parser: Parser, body: impl Read) -> Result<Received, Failed> {
    let build = Build::new(images).map_err(Failed::Broken)?;
    let mut parts = Parts {
        build,
        hash: Sha256::new(),
        size: 0,
        file: None,
        begun: 0,
        split: None,
        filename: String::new(),
        refused: None,
    };
    let mut broken = None;
    each_piece(body, |piece| {
        if broken.is_some() || parts.refused.is_some() {
            return Ok(());
        }
        let mut stored = Ok(());
        let fed = parser.feed(piece, |found| {
            stored = parts.take(&found);
            stored.clone()
        });
        if stored.is_ok() {
            broken = fed.err();
        }
        stored
    })?;
    if let Some(error) = parts.refused.or(broken).or_else(|| parser.finish().err()) {
        return Err(Failed::Refused(Error::invalid(error.message)));
    }
    let Some(split) = parts.split else { return Err(Failed::Refused(Error::invalid("Invalid multipart image"))) };
    let fingerprint = data_encoding::HEXLOWER.encode(&parts.hash.finalize());
    Ok(Received { build: parts.build, fingerprint, size: parts.size, split: Some(split), filename: parts.filename })
}
