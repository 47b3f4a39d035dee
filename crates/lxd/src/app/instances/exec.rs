//! Running a command in an instance: over websockets, recorded, or with its output thrown away.

use std::fs::File;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use corten_api::error::{Context, Error, Result};
use corten_api::instance_exec::{InstanceExecControl, InstanceExecPost};
use corten_instance::instance::Instance;
use corten_instance::lifecycle::admission::Observed;
use corten_runtime::Session;
use corten_runtime::handle::Pty;
use corten_runtime::spec::ExecSpec;
use futures_util::StreamExt;
use rustix::pipe::{PipeFlags, pipe_with};
use rustix::termios::{Winsize, tcsetwinsize};
use serde_json::json;
use tokio::io::Interest;
use tokio::sync::oneshot::Receiver;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::Message;

use super::relay::{self, Pipe, Stream};
use super::running::{Entry, failed};
use super::{environment, key, observe, start};
use crate::app::{App, Call};
use crate::rest::operation::{Connections, Op};
use crate::rest::websocket::Socket;

/// How long the client has to connect its websockets, as in LXD.
const PATIENCE: Duration = Duration::from_secs(5);
/// The size of a terminal for which the client names none.
const TERMINAL: (u16, u16) = (80, 25);

/// Runs the command of `post` as an operation.
///
/// # Errors
/// 400 when the instance does not run, or nothing is to be run.
pub fn exec(app: &Arc<App>, call: &Call, instance: Instance, post: InstanceExecPost) -> Result<Op> {
    match observe(app, &key(&instance))? {
        Observed::Stopped => return Err(Error::invalid("Instance is not running")),
        Observed::Frozen => return Err(Error::invalid("Instance is frozen")),
        Observed::Running => {}
    }
    let entry = app.instances.running.get(&key(&instance)).ok_or_else(|| Error::invalid("Instance is not running"))?;
    let root = entry.container.proc_path("root");
    let spec = environment::exec_spec(&post, &instance, |path| root.join(path).symlink_metadata().is_ok());
    let plan = app.plan(call, "Executing command").container(&instance.name);
    if !post.wait_for_websocket {
        return app.operations.run_waiting(plan, |op| {
            let (session, metadata) = record(app, &instance, &entry, &post, &spec, op)?;
            let op = op.clone();
            Ok(async move {
                let status = wait(Arc::new(Mutex::new(session))).await?;
                op.extend_metadata(metadata);
                finish(&op, status)
            })
        });
    }
    let set: serde_json::Map<String, serde_json::Value> = spec
        .env
        .iter()
        .filter_map(|one| one.split_once('='))
        .map(|(name, value)| (name.into(), value.into()))
        .collect();
    let plan = plan
        .metadata("command", json!(post.command))
        .metadata("environment", json!(set))
        .metadata("interactive", json!(post.interactive));
    let names: &[&'static str] = if post.interactive { &["0", "control"] } else { &["0", "1", "2", "control"] };
    let work = Work { app: app.clone(), instance, entry, post, spec };
    app.operations.run_websockets(plan, names, |op, connections| async move {
        if work.post.interactive {
            work.interactive(op, connections).await
        } else {
            work.separate(op, connections).await
        }
    })
}

/// Metadata of an operation that is known before its end.
type Metadata = Vec<(String, serde_json::Value)>;

/// Begins a command without websockets: its output goes to files of the instance's logs, or nowhere.
fn record(
    app: &App,
    instance: &Instance,
    entry: &Entry,
    post: &InstanceExecPost,
    spec: &ExecSpec,
    op: &Op,
) -> Result<(Session, Metadata)> {
    let null = File::from(corten_host::device_node::null().context("Failed to make a /dev/null")?);
    let output = |name: &str| -> Result<(File, String)> {
        let name = format!("exec_{}.{name}", op.id());
        let path = start::log_dir(app, instance).join(&name);
        let file = File::options().create(true).write(true).truncate(true).mode(0o600).open(&path);
        let url = corten_api::url::path(["instances", &instance.name, "logs", &name]);
        Ok((file.with_context(|| format!("Failed to open {}", path.display()))?, url))
    };
    let mut metadata = vec![];
    let (stdout, stderr) = if post.record_output {
        let ((stdout, out_url), (stderr, err_url)) = (output("stdout")?, output("stderr")?);
        metadata.push(("output".to_string(), json!({"1": out_url, "2": err_url})));
        (stdout, stderr)
    } else {
        let another = || null.try_clone().context("Failed to open /dev/null");
        (another()?, another()?)
    };
    let spec = ExecSpec { tty: false, ..spec.clone() };
    let stdio = [null.as_fd(), stdout.as_fd(), stderr.as_fd()];
    let session =
        entry.container.exec(&spec, stdio, &[]).map_err(|error| failed("Failed to run the command", &error))?;
    began(app, instance, post);
    Ok((session, metadata))
}

/// Tells that a command runs.
fn began(app: &App, instance: &Instance, post: &InstanceExecPost) {
    let source = corten_api::url::path_in(&instance.project, ["instances", &instance.name]);
    app.lifecycle_with(&instance.project, "instance-exec", &source, None, [("command", json!(post.command))]);
}

/// The status goes to the client in any case; what a shell says with 126 and 127 also fails the operation, as in LXD.
fn finish(op: &Op, status: i32) -> Result<()> {
    op.set_metadata("return", status);
    match status {
        126 => Err(Error::invalid("Command not executable")),
        127 => Err(Error::invalid("Command not found")),
        _ => Ok(()),
    }
}

/// A command whose client connects websockets.
struct Work {
    app: Arc<App>,
    instance: Instance,
    entry: Arc<Entry>,
    post: InstanceExecPost,
    spec: ExecSpec,
}

async fn connected(connections: &mut Connections, name: &str) -> Result<Socket> {
    let late = || Error::internal("Timed out waiting for websockets to connect");
    let receiver = connections.remove(name).ok_or_else(late)?;
    timeout(PATIENCE, receiver).await.map_err(|_| late())?.map_err(|_| late())
}

impl Work {
    /// Calls the runtime from a thread that may block.
    async fn on_thread<T: Send + 'static>(&self, work: impl FnOnce(&Entry) -> Result<T> + Send + 'static) -> Result<T> {
        let entry = self.entry.clone();
        let done = tokio::task::spawn_blocking(move || work(&entry)).await;
        done.unwrap_or_else(|failed| Err(Error::internal(format!("Failed to run the command: {failed}"))))
    }

    /// One terminal, both ways over one websocket.
    async fn interactive(self, op: Op, mut connections: Connections) -> Result<()> {
        let socket = connected(&mut connections, "0").await?;
        let (cols, rows) = size(self.post.width, self.post.height).unwrap_or(TERMINAL);
        let (spec, uid) = (self.spec.clone(), self.post.user);
        let (master, session) = self
            .on_thread(move |entry| {
                let wrong = |error: corten_runtime::Error| failed("Failed to run the command", &error);
                let Pty { master, slave, .. } = entry.container.open_pty(cols, rows, uid, None).map_err(wrong)?;
                let stdio = [slave.as_fd(), slave.as_fd(), slave.as_fd()];
                let session = entry.container.exec(&spec, stdio, &[master.as_fd()]).map_err(wrong)?;
                Ok((master, session))
            })
            .await?;
        began(&self.app, &self.instance, &self.post);
        let terminal = Pipe::new(master).context("Failed to wait for the terminal")?;
        let (sink, stream) = socket.split();
        let session = Arc::new(Mutex::new(session));
        let controlled = controls(connections.remove("control"), session.clone(), Some(&terminal));
        let typed = relay::socket_to_pipe(stream, &terminal);
        let shown = relay::terminal_to_socket(&terminal, sink, wait(session.clone()));
        // What the client types or controls ends with the command, never the other way round.
        let (status, mut sink) = tokio::select! {
            shown = shown => shown,
            () = async { let _ = tokio::join!(typed, controlled); std::future::pending::<()>().await } => return Ok(()),
        };
        relay::close(&mut sink).await;
        finish(&op, status?)
    }

    /// Standard input, output and error each over a websocket of its own.
    async fn separate(self, op: Op, mut connections: Connections) -> Result<()> {
        let stdin = connected(&mut connections, "0").await?;
        let stdout = connected(&mut connections, "1").await?;
        let stderr = connected(&mut connections, "2").await?;
        let spec = self.spec.clone();
        let (ends, session) = self.on_thread(move |entry| run_with_pipes(entry, &spec)).await?;
        began(&self.app, &self.instance, &self.post);
        let [input, output, errors] = ends;
        let (mut in_sink, in_stream) = stdin.split();
        let ((out_sink, mut out_stream), (err_sink, mut err_stream)) = (stdout.split(), stderr.split());
        let session = Arc::new(Mutex::new(session));
        let fed = async {
            let (_, stream) = relay::socket_to_pipe(in_stream, &input).await;
            drop(input);
            stream
        };
        let controlled = controls(connections.remove("control"), session.clone(), None);
        let outputs =
            async { tokio::join!(relay::pipe_to_socket(&output, out_sink), relay::pipe_to_socket(&errors, err_sink)) };
        // Clients that answer the end of a stream must be heard, or their sockets fill up.
        let heard = async { tokio::join!(hear(&mut out_stream), hear(&mut err_stream)) };
        let ended = wait(session.clone());
        let (status, (mut out_sink, mut err_sink)) = tokio::select! {
            both = async { tokio::join!(ended, outputs) } => both,
            () = async { let _ = tokio::join!(fed, controlled, heard); std::future::pending::<()>().await } => return Ok(()),
        };
        relay::close(&mut out_sink).await;
        relay::close(&mut err_sink).await;
        relay::close(&mut in_sink).await;
        finish(&op, status?)
    }
}

/// Reads a websocket on which nothing is expected, until it ends.
async fn hear(stream: &mut Stream) {
    while let Some(Ok(message)) = stream.next().await {
        if message.is_close() {
            break;
        }
    }
}

fn run_with_pipes(entry: &Entry, spec: &ExecSpec) -> Result<([Pipe; 3], Session)> {
    let pipe = || pipe_with(PipeFlags::CLOEXEC).context("Failed to make a pipe");
    let ((in_read, in_write), (out_read, out_write), (err_read, err_write)) = (pipe()?, pipe()?, pipe()?);
    let stdio = [in_read.as_fd(), out_write.as_fd(), err_write.as_fd()];
    let held = [out_read.as_fd(), err_read.as_fd()];
    let session =
        entry.container.exec(spec, stdio, &held).map_err(|error| failed("Failed to run the command", &error))?;
    let wrap = |fd: OwnedFd| Pipe::new(fd).context("Failed to wait for a pipe");
    Ok(([wrap(in_write)?, wrap(out_read)?, wrap(err_read)?], session))
}

/// Waits for the end of a session without a thread.
async fn wait(session: Arc<Mutex<Session>>) -> Result<i32> {
    let fd = lock(&session).as_fd().try_clone_to_owned().context("Failed to wait for the command")?;
    let ready = relay::wait_for(fd, Interest::READABLE).context("Failed to wait for the command")?;
    ready.readable().await.map(drop).context("Failed to wait for the command")?;
    lock(&session).wait().map_err(|error| failed("Failed to wait for the command", &error))
}

fn lock(session: &Mutex<Session>) -> MutexGuard<'_, Session> {
    session.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Does what the client says on the control websocket, once it is connected. It stands for the client: when it goes,
/// the command is killed.
async fn controls(control: Option<Receiver<Socket>>, session: Arc<Mutex<Session>>, terminal: Option<&Pipe>) {
    let Some(control) = control else { return };
    let Ok(mut control) = control.await else { return };
    while let Some(Ok(message)) = control.next().await {
        let text = match message {
            Message::Text(text) => text,
            Message::Close(_) => break,
            _ => continue,
        };
        let Ok(said) = serde_json::from_str::<InstanceExecControl>(&text) else { continue };
        match (said.command.as_str(), terminal) {
            ("window-resize", Some(terminal)) => resize(terminal.get(), &said.args),
            ("signal", _) => signal(&session, i32::try_from(said.signal).unwrap_or(0)),
            _ => {}
        }
    }
    signal(&session, rustix::process::Signal::KILL.as_raw());
}

fn signal(session: &Mutex<Session>, number: i32) {
    if let Err(error) = lock(session).signal(number) {
        tracing::debug!(%error, "A signal for a command was refused");
    }
}

/// Gives a terminal the size that a client names.
pub fn resize(terminal: impl AsFd, args: &std::collections::BTreeMap<String, String>) {
    let number = |name: &str| args.get(name).and_then(|text| text.parse().ok()).unwrap_or(0);
    if let Some((cols, rows)) = size(number("width"), number("height")) {
        let size = Winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 };
        let _ = tcsetwinsize(terminal, size);
    }
}

/// Columns and rows that make sense.
pub fn size(width: i64, height: i64) -> Option<(u16, u16)> {
    let fits = |number: i64| u16::try_from(number).ok().filter(|number| *number > 0);
    fits(width).zip(fits(height))
}
