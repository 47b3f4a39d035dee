//! The user's configuration: remotes, aliases, the default remote (`config.yml`), in LXD's places.

pub mod document;

use std::path::{Path, PathBuf};

use corten_api::error::{Context, Result};

use crate::arguments::Arguments;
use crate::printer;
pub use document::{Config, DEFAULT_REMOTE, Remote};

impl Config {
    /// The certificate that we know a remote by.
    pub fn server_certificate(&self, remote: &str) -> PathBuf {
        let global = self.remotes.get(remote).is_some_and(|remote| remote.global);
        let folder = if global { global_folder() } else { self.folder.clone() };
        folder.join("servercerts").join(format!("{remote}.crt"))
    }

    /// Writes the user's file: everything but what is built in or system-wide.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self) -> Result<()> {
        std::fs::write(self.file(), self.text()?).context("Unable to create the configuration file")
    }
}

/// The folder of the user's configuration: `LXD_CONF`, else `~/.config/lxc`.
fn folder() -> PathBuf {
    let given = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    given("LXD_CONF").unwrap_or_else(|| given("HOME").unwrap_or_else(|| PathBuf::from("/root")).join(".config/lxc"))
}

/// The folder of the system-wide configuration: `LXD_GLOBAL_CONF`, else `/etc/lxd`.
fn global_folder() -> PathBuf {
    std::env::var_os("LXD_GLOBAL_CONF")
        .filter(|value| !value.is_empty())
        .map_or_else(|| PathBuf::from("/etc/lxd"), PathBuf::from)
}

/// Reads the configuration, or gives the one to start with when there is none.
///
/// # Errors
/// When a file is there but cannot be read or understood.
pub fn load() -> Result<Config> {
    let folder = folder();
    let text = match std::fs::read_to_string(folder.join("config.yml")) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Config::new(folder)),
        Err(error) => return Err(error).context("Unable to read the configuration file"),
    };
    let global = std::fs::read_to_string(global_folder().join("config.yml")).ok();
    let mut config = document::read(&text, global.as_deref())?;
    if let Some(remote) = std::env::var("LXC_REMOTE").ok().filter(|name| !name.is_empty()) {
        config.default_remote = remote;
    }
    config.folder = folder;
    config.exists = true;
    Ok(config)
}

/// What happens once for a user whose configuration does not exist yet, on a host with a server: hints about first
/// steps, and the file is written. `command` is the last word of the command that runs.
///
/// # Errors
/// When the file cannot be written.
pub fn first_use(mut config: Config, arguments: &Arguments, command: &str) -> Result<Config> {
    if arguments.is_set("force-local") {
        return Ok(Config::new(PathBuf::new()));
    }
    if config.exists || !server_folder().exists() {
        return Ok(config);
    }
    std::fs::create_dir_all(&config.folder).context("Failed to create the configuration folder")?;
    let seen = crate::remote::look_at_local();
    if let Some(project) = seen.only_project
        && let Some(local) = config.remotes.get_mut(DEFAULT_REMOTE)
    {
        local.project = project;
    }
    let mut hints = Vec::new();
    if !seen.has_storage {
        hints.push("If this is your first time running LXD on this machine, you should also run: lxd init");
    }
    if command != "init" && command != "launch" {
        hints.push("To start your first container, try: lxc launch ubuntu:22.04");
        hints.push("Or for a virtual machine: lxc launch ubuntu:22.04 --vm");
    }
    if !hints.is_empty() {
        printer::warn_line(&format!("{}\n", hints.join("\n")));
    }
    config.save()?;
    Ok(config)
}

/// Where the local server keeps its things: `LXD_DIR`, else the usual place.
fn server_folder() -> PathBuf {
    std::env::var_os("LXD_DIR")
        .filter(|folder| !folder.is_empty())
        .map_or_else(|| Path::new("/var/lib/lxd").to_owned(), PathBuf::from)
}
