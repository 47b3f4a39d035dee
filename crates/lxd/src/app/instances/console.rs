//! The console: attached by one client at a time, and its recent output.

use std::sync::Arc;

use corten_api::error::{Context, Error, Result};
use corten_api::instance_console::{InstanceConsoleControl, InstanceConsolePost};
use corten_instance::instance::Instance;
use corten_instance::lifecycle::admission::Observed;
use futures_util::StreamExt;
use tokio::time::{Duration, timeout};
use tokio_tungstenite::tungstenite::Message;

use super::relay::{self, Pipe};
use super::running::{Entry, failed};
use super::{exec, key, observe, start};
use crate::app::{App, Call};
use crate::rest::operation::Op;
use crate::rest::websocket::Socket;

/// How long the client has to connect its websocket.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long a client that is just leaving has to be gone.
const LEAVING: Duration = Duration::from_millis(500);

/// Attaches a client to the console, as an operation. While another one is attached that fails, unless by force: then
/// the other one is detached.
///
/// # Errors
/// 400 when the instance does not run, or for another type than `console`.
pub fn attach(app: &Arc<App>, call: &Call, instance: &Instance, post: &InstanceConsolePost) -> Result<Op> {
    match post.r#type.as_str() {
        "" | "console" => {}
        "vga" => return Err(Error::invalid("VGA console is only supported by virtual machines")),
        other => return Err(Error::invalid(format!("Unknown console type {other:?}"))),
    }
    match observe(app, &key(instance))? {
        Observed::Stopped => return Err(Error::invalid("Instance is not running")),
        Observed::Frozen => return Err(Error::invalid("Instance is frozen")),
        Observed::Running => {}
    }
    let entry = app.instances.running.get(&key(instance)).ok_or_else(|| Error::invalid("Instance is not running"))?;
    let plan = app.plan(call, "Showing console").container(&instance.name);
    let (size, force) = (exec::size(post.width, post.height), post.force);
    let (told, of) = (app.clone(), instance.clone());
    app.operations.run_websockets(plan, &["0", "control"], move |_, mut connections| async move {
        let late = || Error::internal("Timed out waiting for websockets to connect");
        let data = connections.remove("0").ok_or_else(late)?;
        let data = timeout(PATIENCE, data).await.map_err(|_| late())?.map_err(|_| late())?;
        let source = corten_api::url::path_in(&of.project, ["instances", &of.name]);
        told.lifecycle_with(&of.project, "instance-console", &source, None, [("type", "console".into())]);
        serve(entry, size, force, data, connections.remove("control")).await
    })
}

async fn serve(
    entry: Arc<Entry>,
    size: Option<(u16, u16)>,
    force: bool,
    data: Socket,
    control: Option<tokio::sync::oneshot::Receiver<Socket>>,
) -> Result<()> {
    let turn = entry.console.clone();
    let mut held =
        if force { None } else { Some(timeout(LEAVING, turn.clone().lock_owned()).await.map_err(|_| in_use())?) };
    let opened = entry.clone();
    let console = tokio::task::spawn_blocking(move || {
        let console = opened.container.console(force)?;
        if let Some((cols, rows)) = size {
            opened.container.console_resize(cols, rows)?;
        }
        Ok(console)
    });
    let console = console.await.context("Failed to attach to the console")?;
    let console = console.map_err(|error: corten_runtime::Error| match error.errno() {
        Some(errno) if errno == rustix::io::Errno::BUSY.raw_os_error() => in_use(),
        _ => failed("Failed to attach to the console", &error),
    })?;
    if held.is_none() {
        // Whoever was attached has just lost it, and lets go.
        held = Some(turn.lock_owned().await);
    }
    let console = Pipe::new(console).context("Failed to wait for the console")?;
    let (sink, stream) = data.split();
    tokio::select! {
        mut sink = relay::pipe_to_socket(&console, sink) => relay::close(&mut sink).await,
        _ = relay::socket_to_pipe(stream, &console) => {}
        // A client detaches by closing the control websocket.
        () = controls(control, &entry) => {}
    }
    drop(held);
    Ok(())
}

fn in_use() -> Error {
    Error::internal("Failed to attach to the console: somebody is attached to it already (\"force\" detaches them)")
}

async fn controls(control: Option<tokio::sync::oneshot::Receiver<Socket>>, entry: &Arc<Entry>) {
    let connected = match control {
        Some(control) => control.await.ok(),
        None => None,
    };
    let Some(mut control) = connected else { return std::future::pending().await };
    while let Some(Ok(message)) = control.next().await {
        let text = match message {
            Message::Text(text) => text,
            Message::Close(_) => return,
            _ => continue,
        };
        let Ok(said) = serde_json::from_str::<InstanceConsoleControl>(&text) else { continue };
        let number = |name: &str| said.args.get(name).and_then(|text| text.parse().ok()).unwrap_or(0);
        if said.command == "window-resize"
            && let Some((cols, rows)) = exec::size(number("width"), number("height"))
        {
            let entry = entry.clone();
            let _ = tokio::task::spawn_blocking(move || entry.container.console_resize(cols, rows)).await;
        }
    }
}

/// The recent output of the console: of the running container, else what its last run left.
///
/// # Errors
/// When it cannot be read.
pub fn log(app: &App, instance: &Instance) -> Result<Vec<u8>> {
    if let Some(entry) = app.instances.running.get(&key(instance)) {
        return entry.container.console_log().map_err(|error| failed("Failed to read the console's output", &error));
    }
    let path = start::log_dir(app, instance).join("console.log");
    match std::fs::read(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Vec::new()),
        other => other.context("Failed to read the console's output"),
    }
}

/// Forgets the output so far.
///
/// # Errors
/// When it cannot be forgotten.
pub fn clear_log(app: &App, instance: &Instance) -> Result<()> {
    if let Some(entry) = app.instances.running.get(&key(instance)) {
        return entry
            .container
            .clear_console_log()
            .map_err(|error| failed("Failed to clear the console's output", &error));
    }
    let path = start::log_dir(app, instance).join("console.log");
    match std::fs::File::options().write(true).truncate(true).open(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other.map(drop).context("Failed to clear the console's output"),
    }
}
