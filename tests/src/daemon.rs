//! A daemon of the story's own, and the client that talks to it.

use std::ffi::OsStr;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};

use crate::run::{Ran, run};
use crate::{http, image};

/// Names the programs under test instead of those built beside the test: `CORTEN_LXD=/usr/bin/lxd` tells the stories
/// about the original.
const LXD: &str = "CORTEN_LXD";
const LXC: &str = "CORTEN_LXC";

/// A running daemon.
pub struct Daemon {
    /// Its `LXD_DIR`.
    pub dir: PathBuf,
    client: PathBuf,
    folder: PathBuf,
    lxd: PathBuf,
    lxc: PathBuf,
    env: Vec<(&'static str, PathBuf)>,
    child: Option<Child>,
}

/// The folder of the programs that were built with this test.
fn built() -> PathBuf {
    let test = std::env::current_exe().expect("a process knows its program");
    let deps = test.parent().expect("a program is in a folder");
    if deps.ends_with("deps") { deps.parent().expect("deps is in a folder").to_path_buf() } else { deps.to_path_buf() }
}

fn program(variable: &str, name: &str) -> PathBuf {
    std::env::var_os(variable).map_or_else(|| built().join(name), PathBuf::from)
}

/// Debian's LXD, where it is installed.
pub const ORIGINAL_LXD: &str = "/usr/bin/lxd";
/// Its client.
pub const ORIGINAL_LXC: &str = "/usr/bin/lxc";

/// Whether Debian's program is there to compare with; without it that is said in a line.
pub fn has_original(program: &str) -> bool {
    let there = Path::new(program).exists();
    if !there {
        println!("skipped: {program} is not installed (Debian's packages lxd and lxd-client), nothing to compare with");
    }
    there
}

impl Daemon {
    /// Starts a daemon on `folder/NAME` and waits until it is ready.
    ///
    /// # Panics
    /// When it does not get ready.
    pub fn start(folder: &Path, name: &str) -> Daemon {
        Daemon::start_with(folder, name, Vec::new())
    }

    /// As [`Daemon::start`], with more in the environment of the daemon and its clients.
    ///
    /// # Panics
    /// When it does not get ready.
    pub fn start_with(folder: &Path, name: &str, env: Vec<(&'static str, PathBuf)>) -> Daemon {
        let dir = folder.join(name);
        std::fs::create_dir_all(&dir).expect("the story's folder is ours");
        let client = folder.join(format!("{name}-client"));
        std::fs::create_dir_all(&client).expect("the story's folder is ours");
        let (lxd, lxc) = (program(LXD, "lxd"), program(LXC, "lxc"));
        let mut daemon = Daemon { dir, client, folder: folder.to_path_buf(), lxd, lxc, env, child: None };
        daemon.begin();
        daemon
    }

    /// Goes on with Debian's own client in the place of ours.
    pub fn with_original_lxc(mut self) -> Daemon {
        self.lxc = ORIGINAL_LXC.into();
        self
    }

    /// As [`Daemon::start`], but Debian's own daemon.
    ///
    /// # Panics
    /// When it does not get ready.
    pub fn start_original(folder: &Path, name: &str) -> Daemon {
        let (dir, client) = (folder.join(name), folder.join(format!("{name}-client")));
        for folder in [&dir, &client] {
            std::fs::create_dir_all(folder).expect("the story's folder is ours");
        }
        let (lxd, lxc, folder) = (ORIGINAL_LXD.into(), program(LXC, "lxc"), folder.to_path_buf());
        let mut daemon = Daemon { dir, client, folder, lxd, lxc, env: Vec::new(), child: None };
        daemon.begin();
        daemon
    }

    /// The same where Debian's daemon is installed; a line that says so where it is not.
    ///
    /// # Panics
    /// When it does not get ready.
    pub fn debian(folder: &Path, name: &str) -> Option<Daemon> {
        has_original(ORIGINAL_LXD).then(|| Daemon::start_original(folder, name))
    }

    /// Copies the programs to a folder, as an installation or an upgrade does, and takes them from there from now on.
    ///
    /// # Panics
    /// When they cannot be copied.
    pub fn install(&mut self, folder: &Path) {
        std::fs::create_dir_all(folder).expect("the story's folder is ours");
        for name in ["lxd", "lxc", "lxd-monitor"] {
            // A program that runs cannot be written to; the new file takes the old one's place.
            let new = folder.join(format!("{name}.new"));
            std::fs::copy(built().join(name), &new).expect("it was built");
            std::fs::rename(new, folder.join(name)).expect("the folder is ours");
        }
        (self.lxd, self.lxc) = (folder.join("lxd"), folder.join("lxc"));
    }

    /// Starts the daemon, after [`Daemon::kill`] or [`Daemon::stop`].
    ///
    /// # Panics
    /// When it does not get ready.
    pub fn begin(&mut self) {
        let log = File::options().create(true).append(true).open(self.log()).expect("the story's folder is ours");
        let mut lxd = self.command(&self.lxd);
        lxd.args(["--group", "root", "--verbose"]).stdout(log.try_clone().expect("a descriptor")).stderr(log);
        self.child = Some(lxd.spawn().expect("the daemon was built: cargo build --workspace"));
        let mut ready = self.command(&self.lxd);
        ready.args(["waitready", "--timeout", "60"]);
        let ran = run(ready, b"");
        assert_eq!(ran.status, 0, "the daemon did not get ready: {}\n{}", ran.err, self.log_text());
    }

    fn log(&self) -> PathBuf {
        self.dir.with_extension("log")
    }

    /// What the daemon wrote to its standard output and error.
    pub fn log_text(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env("LXD_DIR", &self.dir).env("LXD_CONF", &self.client).env("HOME", &self.client);
        command.env("LC_ALL", "C.UTF-8").env_remove("LXC_REMOTE").current_dir(&self.folder);
        command.envs(self.env.iter().cloned());
        command
    }

    /// The daemon's process.
    ///
    /// # Panics
    /// When it does not run.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("the daemon runs").id()
    }

    /// Runs `lxc` with nothing on standard input.
    pub fn lxc<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Ran {
        self.lxc_with(args, b"")
    }

    /// Runs `lxc` with `input` on standard input.
    pub fn lxc_with<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>, input: &[u8]) -> Ran {
        run(self.lxc_command(args), input)
    }

    /// Another client's command line, in the same environment as `lxc`'s.
    pub fn client_command(&self, program: &Path) -> Command {
        self.command(program)
    }

    /// The home directory of its clients.
    pub fn home(&self) -> &Path {
        &self.client
    }

    /// A command line of `lxc` that is not run yet.
    pub fn lxc_command<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Command {
        let mut lxc = self.command(&self.lxc);
        lxc.args(args);
        lxc
    }

    /// Runs Debian's own `lxc` against this daemon, where it is installed: what it prints is what ours must print.
    ///
    /// # Panics
    /// When it cannot be run.
    pub fn original_lxc<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>) -> Option<Ran> {
        if !has_original(ORIGINAL_LXC) {
            return None;
        }
        let mut lxc = self.command(ORIGINAL_LXC);
        lxc.args(args);
        Some(run(lxc, b""))
    }

    /// Runs `lxd` with these arguments.
    pub fn lxd<A: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = A>, input: &[u8]) -> Ran {
        let mut lxd = self.command(&self.lxd);
        lxd.args(args);
        run(lxd, input)
    }

    /// A GET of the API; the metadata of the reply.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn get(&self, path: &str) -> serde_json::Value {
        let ran = self.lxc(["query", path]);
        serde_json::from_str(ran.ok()).unwrap_or_else(|error| panic!("{path} is not JSON: {error}: {}", ran.out))
    }

    /// One request to the API, and its answer; `body` need not be JSON.
    ///
    /// # Panics
    /// When the daemon does not answer.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> http::Answer {
        http::ask(&self.dir.join("unix.socket"), method, path, body)
    }

    /// The same, if what is there still has this ETag.
    ///
    /// # Panics
    /// When the daemon does not answer.
    pub fn ask_if(&self, method: &str, path: &str, tag: &str, body: &str) -> http::Answer {
        http::ask_if(&self.dir.join("unix.socket"), method, path, tag, body)
    }

    /// A pool named `default` of this driver, as the root disk of the default profile.
    #[track_caller]
    pub fn with_pool(&self, driver: &str) {
        self.lxc(["storage", "create", "default", driver]).ok();
        self.lxc(["profile", "device", "add", "default", "root", "disk", "path=/", "pool=default"]).ok();
    }

    /// Imports the busybox image under this alias.
    #[track_caller]
    pub fn import_busybox(&self, alias: &str) {
        let file = image::busybox(&self.folder);
        self.lxc([OsStr::new("image"), "import".as_ref(), file.as_ref(), "--alias".as_ref(), alias.as_ref()]).ok();
    }

    /// Ends the daemon with SIGKILL; its containers run on.
    ///
    /// # Panics
    /// When it does not run.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("the daemon runs");
        child.kill().expect("it is our child");
        child.wait().expect("it is our child");
    }

    /// Ends the daemon with SIGTERM; its containers run on.
    ///
    /// # Panics
    /// When it does not run.
    pub fn stop(&mut self) {
        let mut child = self.child.take().expect("the daemon runs");
        let pid = rustix::process::Pid::from_child(&child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("it is our child");
        child.wait().expect("it is our child");
    }

    /// The daemon has been asked to end, and does.
    ///
    /// # Panics
    /// When it did not run.
    pub fn ended(&mut self) {
        self.child.take().expect("the daemon ran").wait().expect("it is our child");
    }

    /// Deletes all instances and ends the daemon, as a careful administrator would.
    fn end(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let list = self.lxc(["list", "-c", "n", "-f", "csv", "--all-projects"]);
        for name in list.out.lines().filter(|name| !name.is_empty()) {
            let _ = self.lxc(["delete", "--force", name.rsplit(',').next().unwrap_or(name)]);
        }
        let ended = self.lxd(["shutdown", "--timeout", "30"], b"");
        if ended.status != 0 {
            let _ = child.kill();
        }
        let _ = child.wait();
        if std::thread::panicking() {
            eprintln!("the daemon's log:\n{}", self.log_text());
        }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.end();
    }
}
