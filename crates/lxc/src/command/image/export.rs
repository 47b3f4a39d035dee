//! `lxc image export`: the files of an image onto this host.

use std::fs::File;
use std::path::{Path, PathBuf};

use corten_api::error::{Context, Error, Result};
use corten_client::image_transfer::{self, Received};

use super::import::open_failed;
use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::progress::Transfer;
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "export",
    usage: "[<remote>:]<image> [<target>]",
    about: "Export and download images",
    long: "Export and download images\n\nWithout a target the files go into the working directory.",
    flags: &[Flag::switch("vm", "Query virtual machine images")],
    words: (1, Some(2)),
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let (source, image) = super::source(session, arguments).await?;
    let fingerprint = source.image(&image).await?.fingerprint;
    let target = arguments.words.get(1).map(Path::new);
    let first = match target {
        Some(target) if target.is_dir() => target.join(&fingerprint),
        Some(target) => target.to_owned(),
        None => PathBuf::from(&fingerprint),
    };
    let files = Files::create(first)?;
    let transfer = Transfer::new("Exporting the image: %s", session.quiet);
    let (mut metadata, mut root) = (&files.metadata.1, &files.root.1);
    let received = image_transfer::download(&source, &fingerprint, &mut metadata, &mut root, transfer.watcher()).await;
    let kept = received.and_then(|received| files.keep(&received, target));
    transfer.done(if kept.is_ok() { "Image exported successfully!" } else { "" });
    kept
}

/// The files being written; they go away unless they are kept.
struct Files {
    metadata: (PathBuf, File),
    root: (PathBuf, File),
    kept: bool,
}

impl Files {
    fn create(metadata: PathBuf) -> Result<Files> {
        let create = |path: &Path| File::create(path).map_err(|error| Error::invalid(open_failed(path, &error)));
        let mut root = metadata.clone().into_os_string();
        root.push(".root");
        let root = PathBuf::from(root);
        let file = create(&metadata)?;
        let metadata = (metadata, file);
        match create(&root) {
            Ok(file) => Ok(Files { metadata, root: (root, file), kept: false }),
            Err(error) => {
                let _ = std::fs::remove_file(&metadata.0);
                Err(error)
            }
        }
    }

    /// Gives the files their last names: those that the server suggests in a folder, else the one that the user gave
    /// (with the suggested ending for a unified image).
    fn keep(mut self, received: &Received, target: Option<&Path>) -> Result<()> {
        let folder = match target {
            None => Some(Path::new(".")),
            Some(target) if target.is_dir() => Some(target),
            Some(_) => None,
        };
        let rename = |from: &Path, to: PathBuf| {
            std::fs::rename(from, &to).with_context(|| format!("Failed to name the file {}", to.display()))
        };
        if received.root_name.is_none() {
            std::fs::remove_file(&self.root.0).context("Failed to remove the file for the root")?;
        }
        let suggested = plain_name(&received.metadata_name);
        match (folder, suggested) {
            (Some(folder), Some(name)) => rename(&self.metadata.0, folder.join(name))?,
            (None, Some(name)) if received.root_name.is_none() => {
                if let Some((_, ending)) = name.split_once('.') {
                    rename(&self.metadata.0, PathBuf::from(format!("{}.{ending}", self.metadata.0.display())))?;
                }
            }
            _ => {}
        }
        if let (Some(folder), Some(name)) = (folder, received.root_name.as_deref().and_then(plain_name)) {
            rename(&self.root.0, folder.join(name))?;
        }
        self.kept = true;
        Ok(())
    }
}

/// The last part of a name that a server suggests: it must not choose the folder.
fn plain_name(name: &str) -> Option<&str> {
    Path::new(name).file_name()?.to_str()
}

impl Drop for Files {
    fn drop(&mut self) {
        if !self.kept {
            let _ = std::fs::remove_file(&self.metadata.0);
            let _ = std::fs::remove_file(&self.root.0);
        }
    }
}
