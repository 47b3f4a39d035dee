//! Stopping and restarting: asked politely with a time limit, or by force.

use std::sync::Arc;
use std::time::Duration;

use corten_api::error::{Error, Result};
use corten_api::event::EventLifecycleRequestor;
use corten_instance::instance::Instance;
use corten_instance::lifecycle::admission::Action;

use super::claims::{Claim, Key, Taken};
use super::running::{Entry, failed};
use super::{Instances, delete, observe, start, tell};
use crate::app::App;

/// How a container is to be stopped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// Its processes are killed.
    Force,
    /// Its init is asked, and given this long; `None` is for ever.
    Ask(Option<Duration>),
}

/// What init is told when it is to shut down: liblxc's choice for a power failure.
const SIGPWR: i32 = 30;
/// What systemd takes as the wish to halt, `SIGRTMIN+3`.
const SYSTEMD_HALT: i32 = 37;

/// Stops the instance of this key for a client; an ephemeral one goes.
///
/// # Errors
/// When it is stopped already, is busy, or does not stop in time.
pub fn stop(app: &Arc<App>, key: &Key, way: Way, requestor: Option<&EventLifecycleRequestor>) -> Result<()> {
    let action = if way == Way::Force { Action::Kill } else { Action::Stop };
    match app.instances.claims.take(key, action, || observe(app, key))? {
        Taken::Done => Ok(()),
        Taken::Overtake(under_way) => {
            kill(app, key)?;
            under_way.wait()
        }
        Taken::Go(claim) => {
            let outcome = Instances::find(app, &key.0, &key.1).and_then(|instance| {
                end(app, &instance, way)?;
                let action = if way == Way::Force { "instance-stopped" } else { "instance-shutdown" };
                tell(app, &instance, action, requestor);
                if instance.ephemeral { delete::remove(app, &instance, requestor) } else { Ok(()) }
            });
            claim.end(outcome)
        }
    }
}

/// Stops and starts the instance of this key, under one claim.
///
/// # Errors
/// When it does not run, is busy, or one of the two fails.
pub fn restart(app: &Arc<App>, key: &Key, way: Way, requestor: Option<&EventLifecycleRequestor>) -> Result<()> {
    let claim = match app.instances.claims.take(key, Action::Restart, || observe(app, key))? {
        Taken::Go(claim) => claim,
        Taken::Done => return Ok(()),
        Taken::Overtake(under_way) => return under_way.wait(),
    };
    let outcome = turn(app, key, way, requestor, &claim);
    claim.end(outcome)
}

fn turn(app: &Arc<App>, key: &Key, way: Way, requestor: Option<&EventLifecycleRequestor>, claim: &Claim) -> Result<()> {
    let instance = Instances::find(app, &key.0, &key.1)?;
    end(app, &instance, way)?;
    let instance = Instances::find(app, &key.0, &key.1)?;
    start::run(app, &instance, claim)?;
    tell(app, &instance, "instance-restarted", requestor);
    Ok(())
}

fn kill(app: &App, key: &Key) -> Result<()> {
    let Some(entry) = app.instances.running.get(key) else { return Ok(()) };
    entry.container.kill().map_err(|error| failed("Failed to kill the instance", &error))
}

/// Ends a running container and waits until it has been cleaned up after.
pub(super) fn end(app: &App, instance: &Instance, way: Way) -> Result<()> {
    let Some(entry) = app.instances.running.get(&super::key(instance)) else { return Ok(()) };
    let _ = entry.asked_to_stop.set(way == Way::Force);
    let patience = match way {
        Way::Force => {
            entry.container.kill().map_err(|error| failed("Failed to kill the instance", &error))?;
            None
        }
        Way::Ask(patience) => {
            ask(instance, &entry)?;
            patience
        }
    };
    match entry.wait_ended(patience) {
        Some(outcome) => outcome,
        None => Err(Error::internal(
            "Failed shutting down instance, status is \"Running\": shutting down the container failed",
        )),
    }
}

/// Tells the init to shut down, thawing it first.
fn ask(instance: &Instance, entry: &Entry) -> Result<()> {
    let wrong = |error: corten_runtime::Error| failed("Failed to ask the instance to shut down", &error);
    if entry.container.state().map_err(wrong)? == corten_runtime::State::Frozen {
        entry.container.thaw().map_err(wrong)?;
    }
    let signal = halt_signal(instance, entry.container.init_pid());
    entry.container.signal(signal).map_err(wrong)
}

/// The signal that this container's init takes as the wish to halt: `raw.lxc` may say, else systemd has its own.
fn halt_signal(instance: &Instance, init: i32) -> i32 {
    let said = instance.get("raw.lxc").lines().filter_map(|line| line.split_once('='));
    let said = said.filter(|(key, _)| key.trim() == "lxc.signal.halt");
    let last = said.filter_map(|(_, value)| signal_number(value.trim())).next_back();
    last.unwrap_or_else(|| if blocks(init, SYSTEMD_HALT) { SYSTEMD_HALT } else { SIGPWR })
}

/// Whether a process blocks a signal, as systemd does with those that it reads from a descriptor (proc(5), `SigBlk`).
fn blocks(pid: i32, signal: i32) -> bool {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask & (1 << (signal - 1)) != 0
}

fn signal_number(text: &str) -> Option<i32> {
    match text {
        "SIGPWR" => Some(SIGPWR),
        "SIGRTMIN+3" => Some(SYSTEMD_HALT),
        "SIGTERM" => Some(15),
        "SIGINT" => Some(2),
        "SIGHUP" => Some(1),
        "SIGUSR1" => Some(10),
        "SIGUSR2" => Some(12),
        "SIGQUIT" => Some(3),
        other => other.parse().ok(),
    }
}
