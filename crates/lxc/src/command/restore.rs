//! `lxc restore`: puts an instance back to one of its snapshots.

use corten_api::error::Result;
use corten_api::instance::InstancePut;

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "restore",
    usage: "[<remote>:]<instance> <snapshot>",
    about: "Restore instances from snapshots",
    long: "Restore instances from snapshots\n\nWith --stateful the running state is restored as well.",
    examples: "lxc snapshot u1 snap0\n    Create the snapshot.\n\nlxc restore u1 snap0\n    Restore the snapshot.",
    flags: &[Flag::switch(
        "stateful",
        "Whether or not to restore the instance's running state from snapshot (if available)",
    )],
    words: (2, Some(2)),
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let resource = session.resource(arguments.word(0)).await?;
    let snapshot = arguments.word(1);
    let restore = if snapshot.contains('/') { snapshot.to_owned() } else { format!("{}/{snapshot}", resource.name) };
    let put = InstancePut { restore, stateful: arguments.is_set("stateful"), ..InstancePut::default() };
    resource.server.update_instance(&resource.name, &put, "").await?.wait().await.map(drop)
}
