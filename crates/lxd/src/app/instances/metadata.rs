//! What an instance's image said about itself, and the templates that came with it: files beside the root.
//!
//! They were unpacked from an image, so that none of them is followed when it is a link.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::Path;

use corten_api::error::{Context, Error, Result};
use corten_api::image::ImageMetadata;
use corten_api::yaml;
use corten_host::rooted::directory::Directory;
use corten_instance::instance::Instance;
use corten_storage::driver::View;
use corten_storage::pool::mounted::Mounted;
use rustix::fs::{FileType, Mode, OFlags};

use super::root;
use crate::app::App;

const METADATA: &str = "metadata.yaml";
const TEMPLATES: &str = "templates";

/// The longest file of these that is read, in bytes.
const LONGEST: u64 = 1 << 20;

/// The folder of an instance's volume, while it may be looked at.
pub struct Beside {
    folder: Directory,
    mounted: Mounted,
}

/// Opens the folder beside the root.
///
/// # Errors
/// When the instance has no volume, or it cannot be had.
pub fn open(app: &App, instance: &Instance) -> Result<Beside> {
    let (pool, volume) = root::volume(app, instance)?;
    let mounted = pool.mount_volume(&volume, View::Files)?;
    let opened = Directory::open(mounted.path());
    let folder = opened.with_context(|| format!("Failed to open {}", mounted.path().display()))?;
    Ok(Beside { folder, mounted })
}

/// The content of a file beside a root, which is not followed when it is a link.
///
/// # Errors
/// What the kernel says; when it is no regular file, or too long.
pub fn read_file(folder: &Directory, name: &str) -> std::io::Result<Vec<u8>> {
    let file = File::from(folder.open_fd(OsStr::new(name), OFlags::RDONLY | OFlags::NONBLOCK, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(std::io::Error::other("it is no regular file"));
    }
    let mut content = Vec::new();
    if file.take(LONGEST + 1).read_to_end(&mut content)? as u64 > LONGEST {
        return Err(std::io::Error::other(format!("it is longer than {LONGEST} bytes")));
    }
    Ok(content)
}

impl Beside {
    /// What the image said about itself; nothing where there is no such file.
    ///
    /// # Errors
    /// When the file cannot be read, or is no metadata.
    pub fn metadata(&self) -> Result<Option<ImageMetadata>> {
        let content = match read_file(&self.folder, METADATA) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            content => content.context("Failed to read metadata")?,
        };
        let text = String::from_utf8_lossy(&content);
        yaml::from_str(&text).map(Some).map_err(|error| error.context(format!("Could not parse {METADATA}")))
    }

    /// Writes it anew, whole or not at all.
    ///
    /// # Errors
    /// When the disk does not take it; the old file stays then.
    pub fn set_metadata(&self, metadata: &ImageMetadata) -> Result<()> {
        let text = yaml::to_string(metadata)?;
        let path = self.mounted.path().join(METADATA);
        corten_host::file::replace(path, text, 0o644).context("Failed to write metadata")
    }

    /// Names of the templates, in order.
    ///
    /// # Errors
    /// When their folder cannot be read.
    pub fn templates(&self) -> Result<Vec<String>> {
        let Some(folder) = self.folder_of_templates()? else { return Ok(Vec::new()) };
        let entries = folder.entries().context("Failed to list the templates")?;
        let files = entries.into_iter().filter(|(_, kind)| *kind != FileType::Directory);
        Ok(files.map(|(name, _)| name.to_string_lossy().into_owned()).collect())
    }

    fn folder_of_templates(&self) -> Result<Option<Directory>> {
        match self.folder.enter(OsStr::new(TEMPLATES)) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context("Could not access template directory"),
        }
    }

    /// A template's text.
    ///
    /// # Errors
    /// 404 when there is none of that name.
    pub fn template(&self, name: &str) -> Result<Vec<u8>> {
        checked(name)?;
        let missing = || Error::not_found(format!("Template {name:?} not found"));
        let folder = self.folder_of_templates()?.ok_or_else(missing)?;
        match read_file(&folder, name) {
            Err(error) if error.kind() == ErrorKind::NotFound => Err(missing()),
            content => content.with_context(|| format!("Failed to read template {name:?}")),
        }
    }

    /// Writes a template, whole or not at all.
    ///
    /// # Errors
    /// 500 for a name that is none; when the disk does not take it.
    pub fn set_template(&self, name: &str, content: &[u8]) -> Result<()> {
        checked(name)?;
        if self.folder_of_templates()?.is_none() {
            let made = self.folder.mkdir(OsStr::new(TEMPLATES), Mode::from_raw_mode(0o711));
            made.context("Failed to create template directory")?;
        }
        let path = self.mounted.path().join(TEMPLATES).join(name);
        corten_host::file::replace(path, content, 0o644).with_context(|| format!("Failed to write template {name:?}"))
    }

    /// Removes a template.
    ///
    /// # Errors
    /// 404 when there is none of that name.
    pub fn remove_template(&self, name: &str) -> Result<()> {
        checked(name)?;
        let missing = || Error::not_found(format!("Template {name:?} not found"));
        let folder = self.folder_of_templates()?.ok_or_else(missing)?;
        match folder.unlink(OsStr::new(name)) {
            Err(error) if error.kind() == ErrorKind::NotFound => Err(missing()),
            done => done.with_context(|| format!("Failed to remove template {name:?}")),
        }
    }
}

/// A template is a file of one folder.
fn checked(name: &str) -> Result<()> {
    let is_name = Path::new(name).file_name().is_some_and(|file| file == name);
    if is_name { Ok(()) } else { Err(Error::internal("Invalid template filename")) }
}
