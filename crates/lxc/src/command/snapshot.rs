//! `lxc snapshot`: keeps the present state of an instance.

use corten_api::error::{Error, Result};
use corten_api::instance_snapshot::InstanceSnapshotsPost;
use corten_api::time::Time;
use corten_api::url::path;
use hyper::Method;

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "snapshot",
    usage: "[<remote>:]<instance> [<snapshot name>]",
    about: "Create instance snapshots",
    long: "Create instance snapshots\n\nWith --stateful the running state is kept too: memory of processes, connections\nand so on, as far as it can be saved.",
    examples: "lxc snapshot u1 snap0\n    Create a snapshot of \"u1\" called \"snap0\".",
    flags: &[
        Flag::switch("stateful", "Whether or not to snapshot the instance's running state"),
        Flag::switch("no-expiry", "Ignore any configured auto-expiry for the instance"),
        Flag::switch("reuse", "If the snapshot name already exists, delete and create a new one"),
    ],
    words: (1, Some(2)),
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let (remote, name) = session.parse_remote(arguments.word(0))?;
    let (instance, snapshot) = match (name.split_once('/'), arguments.word(1)) {
        (None, snapshot) => (name.as_str(), snapshot),
        (Some((instance, snapshot)), "") => (instance, snapshot),
        (Some(_), _) => return Err(Error::invalid(format!("Invalid instance name: {name}"))),
    };
    let server = session.server(&remote).await?;
    if arguments.is_set("reuse") && !snapshot.is_empty() && server.instance_snapshot(instance, snapshot).await.is_ok() {
        server.delete_instance(&format!("{instance}/{snapshot}")).await?.wait().await?;
    }
    let post = InstanceSnapshotsPost {
        name: snapshot.to_owned(),
        stateful: arguments.is_set("stateful"),
        expires_at: arguments.is_set("no-expiry").then_some(Time::ZERO),
    };
    server.start(Method::POST, &path(["instances", instance, "snapshots"]), &post, "").await?.wait().await.map(drop)
}
