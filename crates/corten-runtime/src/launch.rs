//! Starting a container: a monitor is run, told the spec, and asked how it went.

use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};

use corten_host::{fd, mount};

use crate::failure::StartFailed;
use crate::handle::Container;
use crate::monitor::steps;
use crate::protocol::{Report, wire};
use crate::spec::{Spec, check};
use crate::state_file;

/// Titles begin so, which is how the monitor program knows that it is to be a monitor.
pub const TITLE: &str = "[lxc monitor] ";

/// Starts the container of `spec` with the program `lxd-monitor` at `monitor_program`, and returns when its first
/// program has been executed.
///
/// # Errors
/// The step that failed. Nothing of the container is left then.
pub fn start(monitor_program: &Path, spec: &Spec) -> Result<Container, StartFailed> {
    check::check(spec)?;
    let failed = |what: &str, source: &io::Error| StartFailed::new(steps::MONITOR, what, source);
    state_file::remove_exit(&spec.run_dir).map_err(|error| failed("forgetting how it ended last time", &error))?;
    let text = serde_json::to_vec(spec).map_err(|error| failed("writing the spec", &error.into()))?;
    let input = fd::memory_file("corten-spec", &text).map_err(|error| failed("passing the spec", &error))?;
    let (ours, theirs) = fd::packet_pair().map_err(|error| failed("making a socket", &error))?;
    let title = if spec.title.starts_with(TITLE) { spec.title.clone() } else { format!("{TITLE}{}", spec.title) };
    run(monitor_program, &title, input, theirs)
        .map_err(|error| failed(&format!("running {}", monitor_program.display()), &error))?;
    match wire::receive::<Report>(&ours) {
        Ok(Some((Report::Started { init, monitor }, mut fds))) if fds.len() == 1 => {
            Ok(Container::started(spec, init, monitor, fds.remove(0)))
        }
        Ok(Some((Report::Failed(failure), _))) => Err(failure),
        Ok(_) => Err(failed("waiting for the monitor", &io::Error::other("it ended without a word"))),
        Err(error) => Err(failed("waiting for the monitor", &error)),
    }
}

/// Runs the program under a title and waits for its first process, which forks the monitor (or proxy) and ends: that is
/// nobody's child.
///
/// # Errors
/// When it cannot be run, or its first process fails.
pub(crate) fn run(program: &Path, title: &str, input: OwnedFd, report: OwnedFd) -> io::Result<()> {
    // The program is run through a read-only mount that is nowhere to be found, so that a root of a container who gets
    // hold of /proc/PID/exe cannot write to it, even where user ids do not stop him (compare CVE-2019-5736).
    let sealed = seal(program).ok();
    let path = match &sealed {
        Some(tree) => format!("/proc/self/fd/{}", tree.as_raw_fd()).into(),
        None => program.to_path_buf(),
    };
    let mut first = Command::new(path)
        .arg0(title)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::from(input))
        .stdout(Stdio::from(report))
        .stderr(Stdio::null())
        .spawn()?;
    let status = first.wait()?;
    if status.success() { Ok(()) } else { Err(io::Error::other(format!("it ended with {status}"))) }
}

fn seal(program: &Path) -> io::Result<OwnedFd> {
    let tree = mount::clone_tree(program, false)?;
    mount::change(tree.as_fd(), &mount::Options::parse(&["ro"]))?;
    Ok(tree)
}
