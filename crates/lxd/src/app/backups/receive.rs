//! Files that are on their way: backups being made, and ones that clients send.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use corten_api::error::{Context, Error, Result};

use crate::app::App;
use crate::app::projects::quota::Quota;
use crate::rest::operation::random_secret;

/// Begins the names of files that are on their way, as in LXD; such a one that is found at a start is a leftover.
pub const PASSING: &str = "lxd_backup_";

/// How much is read at once, in bytes.
const PIECE: usize = 256 << 10;

/// The place of a file that is on its way, beside the folders of backups; what is there goes with this.
#[derive(Debug)]
pub struct Scratch(PathBuf);

impl Scratch {
    /// A place where nothing is yet.
    ///
    /// # Errors
    /// When there are no random bytes.
    pub fn new(app: &App) -> Result<Scratch> {
        Ok(Scratch(app.dirs.var.join("backups").join(format!("{PASSING}{}", &random_secret()?[..16]))))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // It took its place, or was never made.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Receives a backup that a client sends.
///
/// # Errors
/// When it does not arrive whole, is more than the project has room for, or cannot be stored.
pub fn receive(app: &App, mut body: impl Read, quota: &Quota) -> Result<Scratch> {
    let scratch = Scratch::new(app)?;
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(scratch.path());
    let mut file = quota.meter(file.context("Failed to store the backup")?);
    let mut piece = vec![0; PIECE];
    loop {
        match body.read(&mut piece) {
            Ok(0) => return Ok(scratch),
            Ok(length) => file.write_all(&piece[..length]).context("Failed to store the backup")?,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => return Err(Error::internal(format!("Failed to receive the backup: {error}"))),
        }
    }
}
