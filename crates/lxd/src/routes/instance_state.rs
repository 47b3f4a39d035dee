//! `/1.0/instances/NAME/state`: what it is doing, and start, stop, restart, freeze and unfreeze.

use std::sync::Arc;
use std::time::Duration;

use corten_api::error::{Error, Result};
use corten_api::event::EventLifecycleRequestor;
use corten_api::instance_state::InstanceStatePut;
use corten_api::status::StatusCode;

use crate::app::instances::claims::Key;
use crate::app::instances::stop::{self, Way};
use crate::app::instances::{freeze, start, state};
use crate::app::{App, Call, Endpoint};
use crate::rest::reply::Reply;
use crate::rest::route::May;
use crate::routes::instance;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] =
    &[Endpoint::at("/1.0/instances/{name}/state").typed().get(show, May::View).put(change, May::Operate)];

/// A change of state that somebody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Start it.
    Start,
    /// Stop it.
    Stop(Way),
    /// Stop it and start it again.
    Restart(Way),
    /// Make its processes stand still.
    Freeze,
    /// Let them go on.
    Unfreeze,
}

impl Change {
    /// What the body asks for.
    ///
    /// # Errors
    /// 400 for an action that there is not.
    pub fn parse(put: &InstanceStatePut) -> Result<Change> {
        if put.stateful {
            return Err(Error::invalid("Stateful stop and start need CRIU, which this server does not have"));
        }
        let patience = u64::try_from(put.timeout).ok().filter(|seconds| *seconds > 0).map(Duration::from_secs);
        let way = if put.force { Way::Force } else { Way::Ask(patience) };
        match put.action.as_str() {
            "start" => Ok(Change::Start),
            "stop" => Ok(Change::Stop(way)),
            "restart" => Ok(Change::Restart(way)),
            "freeze" => Ok(Change::Freeze),
            "unfreeze" => Ok(Change::Unfreeze),
            other => Err(Error::invalid(format!("Unknown action: '{other}'"))),
        }
    }

    /// The operation's description, in LXD's words.
    pub fn description(self) -> &'static str {
        match self {
            Change::Start => "Starting instance",
            Change::Stop(_) => "Stopping instance",
            Change::Restart(_) => "Restarting instance",
            Change::Freeze => "Freezing instance",
            Change::Unfreeze => "Unfreezing instance",
        }
    }

    /// Whether an instance in this state is one of those that are meant when all are.
    pub fn applies(self, status: StatusCode) -> bool {
        match self {
            Change::Start => status == StatusCode::Stopped,
            Change::Stop(_) | Change::Restart(_) | Change::Freeze => {
                matches!(status, StatusCode::Running | StatusCode::Ready)
            }
            Change::Unfreeze => status == StatusCode::Frozen,
        }
    }

    /// Does it.
    ///
    /// # Errors
    /// Those of the action.
    pub fn run(self, app: &Arc<App>, key: &Key, requestor: &EventLifecycleRequestor) -> Result<()> {
        match self {
            Change::Start => start::start(app, key, Some(requestor)),
            Change::Stop(way) => stop::stop(app, key, way, Some(requestor)),
            Change::Restart(way) => stop::restart(app, key, way, Some(requestor)),
            Change::Freeze => freeze::freeze(app, key, Some(requestor)),
            Change::Unfreeze => freeze::thaw(app, key, Some(requestor)),
        }
    }
}

fn show(call: &Call) -> Result<Reply> {
    let instance = instance::find(call)?;
    Reply::sync(&state::state(&call.app, &instance)?)
}

fn change(call: &Call) -> Result<Reply> {
    let instance = instance::find(call)?;
    let mut put: InstanceStatePut = call.json()?;
    if put.timeout == 0 {
        put.timeout = -1;
    }
    let change = Change::parse(&put)?;
    let (app, requestor, key) = (call.app.clone(), call.lifecycle_requestor(), instance::key(&instance));
    let plan = call.app.plan(call, change.description()).resources("instances", [instance.name]);
    let op = call.app.operations.run(plan, move |_| change.run(&app, &key, &requestor))?;
    Reply::accepted(&op)
}
