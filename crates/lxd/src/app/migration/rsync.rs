//! rsync between two servers: it is what LXD sends volumes by. Each side runs one, whose standard streams go over the
//! websocket; neither sees anything but the volume (see [`corten_host::confined`]).

use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use corten_api::error::{Context, Error, Result};
use corten_host::command::{Command, Failed};
use corten_host::confined;
use corten_host::mount::{self, Options};
use corten_storage::pool::receive::Landing;
use futures_util::SinkExt;
use rustix::process::{Signal, pidfd_send_signal};
use tokio::sync::oneshot;
use tokio_tungstenite::tungstenite::Message;

use super::channel::{self, Channel, Piece};
use super::progress::Progress;
use super::wire::Features;
use crate::app::instances::relay::Pipe;

/// The Debian package that has the program.
const PACKAGE: &str = "rsync";

/// Where the program sees the volume.
const VOLUME: &str = "/volume";

/// The largest message of data, in bytes.
const FRAME: usize = 128 * 1024;

/// What runs in place of a remote shell: it joins rsync's streams to those that we gave it as 3 and 4. It ends when nothing
/// comes in any more, as a remote shell does when the other side's rsync has ended.
const SHELL: &str = "sh -c \"exec 5<&0; cat <&5 >&4 3<&- & exec cat <&3 4>&- 5<&-\"";

/// Gives rsync our streams as 3 and 4, since it has others with its remote shell.
const STREAMS: &str = "exec \"$0\" \"$@\" 3<&0 4>&1 </dev/null >/dev/null";

/// Which files a source sends, and how.
#[derive(Clone, Copy, Debug)]
pub struct Sent<'a> {
    /// The directory, with what is mounted in it.
    pub directory: &'a Path,
    /// Names in it that are the storage driver's own.
    pub without: &'a [&'a str],
    /// The most bytes in a second, as `rsync.bwlimit` has it; empty for no limit.
    pub limit: &'a str,
    /// Whether files may vanish meanwhile.
    pub may_vanish: bool,
}

/// Fails when rsync is not installed.
///
/// # Errors
/// Naming the package.
pub fn must_be_installed() -> Result<()> {
    match Command::new("rsync", PACKAGE).find() {
        Some(_) => Ok(()),
        None => Err(in_words(&Failed::Missing { program: "rsync".to_string(), package: PACKAGE })),
    }
}

fn agreed(command: Command, features: &Features) -> Command {
    let is_on = |feature: Option<bool>| feature == Some(true);
    let mut words = Vec::new();
    if is_on(features.xattrs) {
        words.extend(["--xattrs", "--filter=-x security.selinux"]);
    }
    if is_on(features.delete) {
        words.push("--delete");
    }
    if is_on(features.compress) {
        words.extend(["--compress", "--compress-level=2"]);
    }
    if is_on(features.whole) {
        words.extend(["--acls", "--hard-links"]);
    }
    command.args(words)
}

/// The command line of the side that sends.
fn sender(sent: &Sent<'_>, features: &Features) -> Command {
    let command = Command::new("sh", "dash").args(["-c", STREAMS, "rsync"]);
    let command = command.args(["-ar", "--devices", "--numeric-ids", "--partial", "--sparse"]);
    let command = if sent.limit.is_empty() { command } else { command.args(["--bwlimit", sent.limit]) };
    agreed(command, features)
        .args(sent.without.iter().map(|name| format!("--exclude=/{name}")))
        // The other side knows where it writes to.
        .args([&format!("{VOLUME}/"), "localhost:/tmp/foo", "-e", SHELL])
}

/// The command line of the side that receives.
fn receiver(features: &Features) -> Command {
    let command = Command::new("rsync", PACKAGE).args(["--server", "-vlogDtpre.iLsfx"]);
    agreed(command.args(["--numeric-ids", "--devices", "--partial", "--sparse"]), features)
        // A file that was changed in the second in which the snapshot before it was taken is another file.
        .arg("--modify-window=-1")
        .args([".", &format!("{VOLUME}/")])
}

/// Sends a directory.
///
/// # Errors
/// When the other side is gone, or rsync's own words.
pub async fn send(sent: &Sent<'_>, features: &Features, channel: &mut Channel, progress: Progress<'_>) -> Result<()> {
    let tree = mount::clone_tree(sent.directory, true).and_then(|tree| {
        mount::make_private(&tree)?;
        mount::change(&tree, &Options { recursive: true, ..Options::parse(&["ro", "nosuid", "nodev"]) })?;
        Ok(tree)
    });
    let tree = tree.with_context(|| format!("Failed to open {}", sent.directory.display()))?;
    let ended = run(sender(sent, features), vec![(tree, PathBuf::from(VOLUME))], channel, progress).await?;
    match ended {
        Err(Failed::Status { status, .. }) if sent.may_vanish && status == "exit status 24" => Ok(()),
        ended => ended.map_err(|error| in_words(&error).context("Rsync send failed")),
    }
}

/// Receives into a directory.
///
/// # Errors
/// When the other side is gone, or rsync's own words.
pub async fn receive(
    landing: &Landing,
    features: &Features,
    channel: &mut Channel,
    progress: Progress<'_>,
) -> Result<()> {
    let open = |path: &Path| {
        let tree = mount::clone_tree(path, false)?;
        mount::make_private(&tree)?;
        mount::change(&tree, &Options::parse(&["nosuid", "nodev"]))?;
        Ok::<_, std::io::Error>(tree)
    };
    let opened = |path: &Path| open(path).with_context(|| format!("Failed to open {}", path.display()));
    let mut trees = vec![(opened(&landing.top)?, PathBuf::from(VOLUME))];
    if let Some(rootfs) = &landing.rootfs {
        trees.push((opened(rootfs)?, Path::new(VOLUME).join("rootfs")));
    }
    let ended = run(receiver(features), trees, channel, progress).await?;
    ended.map_err(|error| in_words(&error).context("Rsync receive failed"))
}

fn in_words(error: &Failed) -> Error {
    Error::internal(corten_api::error::chain(error))
}

/// A program that is killed when nobody waits for its end any more.
struct Process {
    pidfd: Arc<Mutex<Option<OwnedFd>>>,
    ended: oneshot::Receiver<Result<(), Failed>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Process {
    fn start(command: Command, trees: Vec<(OwnedFd, PathBuf)>, input: OwnedFd, output: OwnedFd) -> Result<Process> {
        let pidfd: Arc<Mutex<Option<OwnedFd>>> = Arc::default();
        let (tell, ended) = oneshot::channel();
        let begun = pidfd.clone();
        let work = move || {
            let trees = trees.iter().map(|(tree, path)| Ok((tree.try_clone()?, path.as_path())));
            let ran = match trees.collect::<std::io::Result<Vec<_>>>() {
                Ok(trees) => confined::run(&command, trees, (input, output), &|pidfd| {
                    *begun.lock().unwrap_or_else(PoisonError::into_inner) = Some(pidfd);
                }),
                Err(source) => Err(Failed::Io { argv: command.line(), source }),
            };
            // Nobody may wait any more.
            let _ = tell.send(ran);
        };
        let thread = std::thread::Builder::new().name("rsync".to_string()).spawn(work);
        Ok(Process { pidfd, ended, thread: Some(thread.context("Failed to start a thread")?) })
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(pidfd) = &*self.pidfd.lock().unwrap_or_else(PoisonError::into_inner) {
            // One that has ended cannot be ended again.
            let _ = pidfd_send_signal(pidfd, Signal::KILL);
        }
        // It may not look at the volume any more when the next thing is done with that.
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Runs `command` with its streams on the channel, until both streams have ended, or the program alone when it fails.
async fn run(
    command: Command,
    trees: Vec<(OwnedFd, PathBuf)>,
    channel: &mut Channel,
    mut progress: Progress<'_>,
) -> Result<Result<(), Failed>> {
    let pipe = || std::io::pipe().context("Failed to make a pipe");
    let (input, to) = pipe()?;
    let (from, output) = pipe()?;
    let ready = |fd: OwnedFd| Pipe::new(fd).context("Failed to wait for a pipe");
    let (to, from) = (ready(to.into())?, ready(from.into())?);
    let mut process = Process::start(command, trees, input.into(), output.into())?;
    let counted = Mutex::new(&mut progress);
    let count = |bytes: usize| counted.lock().unwrap_or_else(PoisonError::into_inner).add(bytes);
    let (sending, receiving) = channel.halves();
    let outgoing = async {
        let mut buffer = vec![0; FRAME];
        loop {
            let read = from.read(&mut buffer).await.unwrap_or(0);
            if read == 0 {
                return channel::end(sending).await;
            }
            count(read);
            let data = Message::Binary(Bytes::copy_from_slice(&buffer[..read]));
            if let Err(error) = sending.send(data).await {
                return Err(Error::unavailable(format!("The connection to the other server broke: {error}")));
            }
        }
    };
    let incoming = async {
        // The program sees the end when this is dropped.
        let to = to;
        loop {
            match channel::next(receiving).await? {
                Piece::End => return Ok::<_, Error>(()),
                Piece::Data(bytes) => {
                    count(bytes.len());
                    // A program that has had enough leaves the rest to be thrown away.
                    let _ = to.write_all(&bytes).await;
                }
            }
        }
    };
    let streams = async { tokio::try_join!(outgoing, incoming) };
    let mut streams = std::pin::pin!(streams);
    let lost = || Error::internal("The thread of rsync is gone");
    tokio::select! {
        broken = &mut streams => match broken {
            Ok(_) => process_end(&mut process).await.ok_or_else(lost),
            // The program ends now that it hears nothing, or is ended; its words tell less than the broken connection.
            Err(error) => Err(error),
        },
        ended = &mut process.ended => match ended.map_err(|_| lost())? {
            Ok(()) => streams.await.map(|_| Ok(())),
            failed => Ok(failed),
        },
    }
}

async fn process_end(process: &mut Process) -> Option<Result<(), Failed>> {
    (&mut process.ended).await.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_are_those_that_lxd_expects() {
        let features = Features::ours(true).common(Some(Features { whole: None, ..Features::ours(true) }));
        let sent = Sent { directory: Path::new("/p"), without: &["layers"], limit: "5m", may_vanish: false };
        assert_eq!(
            sender(&sent, &features).argv[3..].join(std::ffi::OsStr::new(" ")).to_string_lossy(),
            format!(
                "rsync -ar --devices --numeric-ids --partial --sparse --bwlimit 5m --xattrs --filter=-x security.selinux \
                 --delete --compress --compress-level=2 --exclude=/layers /volume/ localhost:/tmp/foo -e {SHELL}"
            )
        );
        assert_eq!(
            receiver(&Features::ours(false).common(Some(Features::ours(true)))).line(),
            "rsync --server -vlogDtpre.iLsfx --numeric-ids --devices --partial --sparse --xattrs --filter=-x \
             security.selinux --delete --acls --hard-links --modify-window=-1 . /volume/"
        );
    }
}
