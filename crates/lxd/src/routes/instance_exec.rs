//! `/1.0/instances/NAME/exec` and `/1.0/instances/NAME/console`.

use corten_api::error::{Error, Result};
use corten_api::instance_console::InstanceConsolePost;
use corten_api::instance_exec::InstanceExecPost;

use crate::app::instances::{console, exec as run, tell};
use crate::app::{Call, Endpoint};
use crate::rest::reply::Reply;
use crate::rest::route::May;
use crate::routes::instance;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/instances/{name}/exec").typed().post(exec, May::Operate),
    Endpoint::at("/1.0/instances/{name}/console")
        .typed()
        .get(console_log, May::View)
        .post(console_attach, May::Operate)
        .delete(console_clear, May::Operate),
];

fn exec(call: &Call) -> Result<Reply> {
    let instance = instance::find(call)?;
    let post: InstanceExecPost = call.json()?;
    if post.command.is_empty() {
        return Err(Error::invalid("No command given"));
    }
    Reply::accepted(&run::exec(&call.app, call, instance, post)?)
}

fn console_attach(call: &Call) -> Result<Reply> {
    let instance = instance::find(call)?;
    let post: InstanceConsolePost = call.json()?;
    Reply::accepted(&console::attach(&call.app, call, &instance, &post)?)
}

fn console_log(call: &Call) -> Result<Reply> {
    let instance = instance::find(call)?;
    let log = console::log(&call.app, &instance)?;
    tell(&call.app, &instance, "instance-console-retrieved", None);
    Ok(Reply::bytes(log, "application/octet-stream"))
}

fn console_clear(call: &Call) -> Result<Reply> {
    let instance = instance::find(call)?;
    console::clear_log(&call.app, &instance)?;
    tell(&call.app, &instance, "instance-console-reset", None);
    Ok(Reply::empty())
}
