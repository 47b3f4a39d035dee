//! What `start`, `stop`, `restart` and `pause` share: the state of one, several or all instances is changed.

use corten_api::error::{Error, Result};
use corten_api::instance_state::InstanceStatePut;
use corten_api::operation::Operation;
use corten_api::status::StatusCode;
use corten_client::operation::Running;
use corten_client::server::Server;
use futures_util::future::join_all;
use hyper::Method;
use serde_json::json;

use super::console;
use crate::arguments::{Arguments, Flag};
use crate::commands::{Command, ROOT};
use crate::progress::{self, Progress};
use crate::session::Session;
use crate::{help, printer};

/// `--all`.
pub const ALL: Flag = Flag::switch("all", "Run against all instances");
/// `--console[=TYPE]`.
pub const CONSOLE: Flag = Flag::text_or("console", "console", "Immediately attach to the console");
/// `--force`.
pub const FORCE: Flag = Flag::switch("force", "Force the instance to shutdown").short('f');
/// `--timeout`.
pub const TIMEOUT: Flag = Flag::int("timeout", "-1", "Time to wait for the instance before killing it");

/// The words after each of these commands.
pub const USAGE: &str = "[<remote>:]<instance> [[<remote>:]<instance>...]";

/// Runs the command `command`, which asks the server for `action`.
///
/// # Errors
/// What the server says of the one instance, or that some of several failed (each has then been told).
pub async fn run(session: &Session, arguments: &Arguments, command: &'static Command, action: &str) -> Result<()> {
    if arguments.is_set("all") {
        if !arguments.text("console").is_empty() {
            return Err(Error::invalid("--console can't be used with --all"));
        }
        return on_all(session, arguments, action).await;
    }
    let names = &arguments.words;
    if names.is_empty() {
        printer::warn(&help::usage(&[&ROOT, command], help::Shown::default()));
        return Ok(());
    }
    if !arguments.text("console").is_empty() && names.len() != 1 {
        return Err(Error::invalid("--console only works with a single instance"));
    }
    if let [name] = names.as_slice() {
        return on_one(session, arguments, action, name).await;
    }
    let outcomes = join_all(names.iter().map(|name| on_one(session, arguments, action, name))).await;
    let mut failed = false;
    for (name, outcome) in names.iter().zip(outcomes) {
        if let Err(error) = outcome {
            failed = true;
            for line in format!("error: {error}").lines() {
                printer::warn_line(&format!("{name}: {line}"));
            }
        }
    }
    if failed {
        printer::warn_line("");
        return Err(Error::invalid(format!("Some instances failed to {}", command.name)));
    }
    Ok(())
}

fn put(arguments: &Arguments, action: &str) -> InstanceStatePut {
    InstanceStatePut {
        action: action.to_owned(),
        timeout: arguments.int("timeout", timeout_of(action)),
        force: arguments.is_set("force"),
        stateful: action == "stop" && arguments.is_set("stateful"),
    }
}

/// Commands without `--timeout` send none, as LXD's client.
fn timeout_of(action: &str) -> i64 {
    if matches!(action, "stop" | "restart") { -1 } else { 0 }
}

/// `--all`: one request for all instances of each remote's project.
async fn on_all(session: &Session, arguments: &Arguments, action: &str) -> Result<()> {
    let default = [format!("{}:", session.config.borrow().default_remote)];
    let names = if arguments.is_empty() { &default[..] } else { &arguments.words };
    for resource in session.resources(names).await? {
        if !resource.name.is_empty() {
            return Err(Error::invalid("Both --all and instance name given"));
        }
        let body = json!({ "state": put(arguments, action) });
        let outcome = async {
            let running = resource.server.start(Method::PUT, "/1.0/instances", &body, "").await?;
            let mut progress = Progress::new("", session.quiet);
            progress::wait(&running, &mut progress).await?;
            progress.done("");
            Ok::<_, Error>(())
        };
        outcome.await.map_err(|error| error.context(&resource.remote))?;
    }
    Ok(())
}

async fn on_one(session: &Session, arguments: &Arguments, action: &str, word: &str) -> Result<()> {
    let attach = arguments.text("console");
    if action == "stop" && arguments.is_set("force") && !attach.is_empty() {
        return Err(Error::invalid("--console can't be used while forcing instance shutdown"));
    }
    let resource = session.resource(word).await?;
    if resource.name.is_empty() {
        return Err(Error::invalid(format!("Must supply instance name for: \"{word}\"")));
    }
    let (server, name) = (resource.server, resource.name);
    let mut put = put(arguments, action);
    if action == "start" {
        look_before_start(&server, &name, arguments, &mut put).await?;
    }
    let running = server.change_instance_state(&name, &put).await?;
    if action == "stop" && !attach.is_empty() {
        return console::attach(session, &server, &name, attach).await;
    }
    let mut progress = Progress::new("", session.quiet);
    if let Err(error) = progress::wait(&running, &mut progress).await {
        return Err(with_hint(error, &running, word).await);
    }
    progress.done("");
    if attach.is_empty() { Ok(()) } else { console::attach(session, &server, &name, attach).await }
}

/// How long an operation may have run and still count as refused at once, in nanoseconds.
const AT_ONCE: i128 = 10_000_000;

/// The failure with a hint at the instance's log, unless it came at once: then nothing was done that a log would tell
/// of. (LXD's client gives the hint when the failure comes after it has begun to listen, which is the same in effect.)
pub async fn with_hint(error: Error, running: &Running, instance: &str) -> Error {
    let path = format!("/1.0/operations/{}", running.id());
    let ended: Result<Operation> = running.server().get(&path).await;
    let at_once =
        ended.is_ok_and(|ended| ended.updated_at.unix_nanoseconds() - ended.created_at.unix_nanoseconds() < AT_ONCE);
    if at_once {
        return error;
    }
    Error { kind: error.kind, message: format!("{error}\nTry `lxc info --show-log {instance}` for more info") }
}

/// Starting a frozen instance thaws it, and a saved state is taken up again unless the user says no.
async fn look_before_start(
    server: &Server,
    name: &str,
    arguments: &Arguments,
    put: &mut InstanceStatePut,
) -> Result<()> {
    let (instance, _) = server.instance(name).await?;
    if instance.status_code == StatusCode::Frozen {
        "unfreeze".clone_into(&mut put.action);
    } else {
        put.stateful = instance.stateful && !arguments.is_set("stateless");
    }
    Ok(())
}
