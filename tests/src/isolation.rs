//! Every story runs in a process of its own, in network, mount and control group namespaces of its own, in a folder of
//! its own: several can be told at once.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::daemon::Daemon;
use crate::leftovers::Before;

/// Set in the process that tells the story.
const INSIDE: &str = "CORTEN_STORY_FOLDER";

/// Makes the namespaces, runs a command in them, and fails when control groups or processes are left in them.
const NAMESPACES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../scripts/in-private-namespaces");

/// The small world of one story.
pub struct Host {
    folder: PathBuf,
}

/// Tells a story: runs `tell` in namespaces of its own, and looks afterwards for what it left behind.
///
/// Without root this prints a line that says so, and tells nothing.
///
/// # Panics
/// When the story fails, or leaves something behind.
#[track_caller]
pub fn story(tell: impl FnOnce(&Host)) {
    if let Some(folder) = std::env::var_os(INSIDE) {
        return tell(&Host { folder: folder.into() });
    }
    let name = std::thread::current().name().expect("the test runner names its threads").to_string();
    if !rustix::process::geteuid().is_root() {
        println!("skipped: the story \"{name}\" needs root");
        return;
    }
    let folder = scratch_folder(&name);
    let before = Before::look();
    let program = std::env::current_exe().expect("a process knows its program");
    let mut inside = Command::new(NAMESPACES);
    inside.arg(program).args([name.as_str(), "--exact", "--nocapture", "--test-threads=1"]);
    let status = inside.env(INSIDE, &folder).env_remove("NEXTEST").process_group(0).status();
    let status = status.unwrap_or_else(|error| panic!("running {NAMESPACES}: {error}"));
    let left = before.left_behind(&folder);
    let _ = std::fs::remove_dir_all(&folder);
    assert!(status.success(), "the story \"{name}\" ended with {status}");
    assert!(left.is_empty(), "the story \"{name}\" left behind:\n{}", left.join("\n"));
}

/// A fresh folder that containers' mapped root may enter.
fn scratch_folder(name: &str) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;
    let short: String = name.rsplit("::").next().unwrap_or(name).chars().take(24).collect();
    let folder = std::env::temp_dir().join(format!("corten-{}-{short}", std::process::id()));
    std::fs::create_dir(&folder).unwrap_or_else(|error| panic!("making {}: {error}", folder.display()));
    std::fs::set_permissions(&folder, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    folder
}

impl Host {
    /// The story's own folder, gone when it ends.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// A running daemon on a directory of its own.
    pub fn daemon(&self) -> Daemon {
        Daemon::start(&self.folder, "one")
    }

    /// The same with a pool of this driver, and the image `busybox`.
    #[track_caller]
    pub fn daemon_on(&self, driver: &str) -> Daemon {
        let daemon = self.daemon();
        daemon.with_pool(driver);
        daemon.import_busybox("busybox");
        daemon
    }

    /// A running daemon that believes the certificate of an image server of the story, as its client does.
    pub fn daemon_trusting(&self, server: &crate::ImageServer) -> Daemon {
        Daemon::start_with(&self.folder, "one", vec![("SSL_CERT_FILE", server.authority().to_path_buf())])
    }

    /// Another daemon, beside the first.
    pub fn another_daemon(&self, name: &str) -> Daemon {
        Daemon::start(&self.folder, name)
    }

    /// Runs a shell command on the host; its standard output.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn sh(&self, script: &str) -> String {
        let mut shell = Command::new("sh");
        shell.args(["-ec", script]).current_dir(&self.folder);
        crate::run::run(shell, b"").ok().to_string()
    }
}
