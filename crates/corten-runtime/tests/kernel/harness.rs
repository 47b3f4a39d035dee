//! A root, a spec and a container for one test, and a look around for leftovers after it.

use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use corten_runtime::spec::{ExecSpec, IdMap, Root, Source};
use corten_runtime::{Container, ExitWatch, Spec};

pub const MONITOR: &str = env!("CARGO_BIN_EXE_lxd-monitor");

/// The first id of the host that the test containers use.
pub const BASE: u32 = 1_000_000;

static COUNT: AtomicU32 = AtomicU32::new(0);

/// A place for one test. Dropped, it must find nothing left of its containers.
pub struct Scratch {
    pub name: String,
    pub dir: PathBuf,
}

impl Scratch {
    /// Enters a private namespace and makes a busybox root; `None`, with a line that says so, when that is not possible.
    pub fn new() -> Option<Scratch> {
        if !rustix::process::geteuid().is_root() {
            // Written past the capture of the test harness: a skipped test must not look like one that passed.
            let _ = writeln!(std::io::stderr(), "skipped: this test needs root");
            return None;
        }
        corten_host::namespace::enter_private().expect("a private namespace");
        let name = format!("rt{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let dir = std::env::temp_dir().join(&name);
        let root = dir.join("root");
        for sub in ["bin", "sbin", "proc", "sys", "dev", "etc", "tmp", "root"] {
            std::fs::create_dir_all(root.join(sub)).expect("a directory");
        }
        std::fs::create_dir(dir.join("run")).expect("a directory");
        std::fs::copy("/bin/busybox", root.join("bin/busybox")).expect("busybox-static is installed");
        for applet in APPLETS {
            std::os::unix::fs::symlink("busybox", root.join("bin").join(applet)).expect("a link");
        }
        std::os::unix::fs::symlink("../bin/busybox", root.join("sbin/init")).expect("a link");
        std::fs::write(root.join("etc/inittab"), "::sysinit:/bin/true\n::ctrlaltdel:/bin/reboot\n").expect("a file");
        std::fs::write(root.join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").expect("a file");
        Some(Scratch { name, dir })
    }

    pub fn root(&self) -> PathBuf {
        self.dir.join("root")
    }

    pub fn run_dir(&self) -> PathBuf {
        self.dir.join("run")
    }

    /// An unprivileged container on the tree, with busybox' init.
    pub fn spec(&self) -> Spec {
        let source = Source::Tree { path: self.root() };
        let mut spec = Spec::new(&self.name, self.run_dir(), Root { source, idmapped: true, readonly: false });
        spec.idmap = Some(IdMap::simple(BASE, 65536));
        spec.log = Some(self.dir.join("log"));
        spec.init.env.push("PATH=/bin:/sbin".to_string());
        spec
    }

    /// One whose first process is a shell script.
    pub fn script(&self, script: &str) -> Spec {
        let mut spec = self.spec();
        spec.init.argv = ["/bin/sh", "-c", script].map(str::to_string).to_vec();
        spec
    }

    pub fn start(&self, spec: &Spec) -> (Container, ExitWatch) {
        let container = corten_runtime::start(Path::new(MONITOR), spec).unwrap_or_else(|failed| {
            panic!("{failed} (step {}); log: {}", failed.step, self.log());
        });
        let watch = container.watch().expect("a watch");
        (container, watch)
    }

    pub fn log(&self) -> String {
        std::fs::read_to_string(self.dir.join("log")).unwrap_or_default()
    }

    /// Groups, sockets and state files of this test's container that exist.
    pub fn leftovers(&self) -> Vec<PathBuf> {
        let mut found = Vec::new();
        let layout = corten_host::cgroup::Layout::discover().expect("control groups");
        for hierarchy in layout.hierarchies() {
            for kind in ["payload", "monitor"] {
                found.push(hierarchy.base.join(format!("lxc.{kind}.{}", self.name)));
            }
        }
        found.extend(["monitor.sock", "monitor.json", "nodes", "systemd"].map(|name| self.run_dir().join(name)));
        found.retain(|path| path.exists());
        found
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let leftovers = self.leftovers();
        // What a failed test has left running is taken away all the same.
        if let Ok(Some(container)) = Container::find(&self.run_dir())
            && let Ok(watch) = container.watch()
        {
            let _ = container.kill();
            let _ = watch.wait();
        }
        let _ = std::fs::remove_dir_all(&self.dir);
        if !std::thread::panicking() {
            assert!(leftovers.is_empty(), "left behind: {leftovers:?}");
        }
    }
}

const APPLETS: &[&str] = &[
    "sh", "ls", "cat", "id", "hostname", "mount", "umount", "ip", "sleep", "true", "false", "echo", "ps", "tty",
    "stty", "kill", "poweroff", "reboot", "touch", "stat", "readlink", "env", "wc", "seq", "mkdir", "pwd", "chown",
    "dd", "rm", "yes", "head", "test", "mknod", "grep", "cut", "ln", "find", "uname",
];

/// What a process inside said, and its exit status.
#[derive(Debug, PartialEq, Eq)]
pub struct Said {
    pub status: i32,
    pub out: String,
    pub err: String,
}

/// Runs a shell script inside, with nothing on its standard input.
pub fn sh(container: &Container, script: &str) -> Said {
    let argv = ["/bin/sh", "-c", script].map(str::to_string).to_vec();
    run(container, &ExecSpec { argv, env: vec!["PATH=/bin:/sbin".to_string()], ..ExecSpec::default() }, b"")
}

/// Runs a process inside, feeds it `input` and collects what it says.
pub fn run(container: &Container, spec: &ExecSpec, input: &[u8]) -> Said {
    let (in_read, in_write) = pipe();
    let (out_read, out_write) = pipe();
    let (err_read, err_write) = pipe();
    let stdio = [in_read.as_fd(), out_write.as_fd(), err_write.as_fd()];
    let mut session =
        container.exec(spec, stdio, &[out_read.as_fd(), err_read.as_fd()]).expect("the process can be run");
    drop((in_read, out_write, err_write));
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || {
        // The process may end without having read everything.
        let _ = std::fs::File::from(in_write).write_all(&input);
    });
    let errors = std::thread::spawn(move || read_all(err_read));
    let out = read_all(out_read);
    let err = errors.join().expect("read");
    feeder.join().expect("fed");
    Said { status: session.wait().expect("a status"), out, err }
}

pub fn pipe() -> (OwnedFd, OwnedFd) {
    rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).expect("a pipe")
}

pub fn read_all(fd: OwnedFd) -> String {
    use std::io::Read;
    let mut bytes = Vec::new();
    // A terminal whose other end is closed says EIO where a pipe says end.
    let _ = std::fs::File::from(fd).read_to_end(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
