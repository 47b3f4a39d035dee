//! `lxc import`: an instance from a backup file.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use corten_api::error::{Context, Error, Result};
use corten_client::body::Body;
use corten_client::http::Ask;
use hyper::Method;

use super::image::open_failed;
use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::progress::{self, Progress, Transfer};
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "import",
    usage: "[<remote>:] <backup file> [<instance name>]",
    about: "Import instance backups",
    long: "Import backups of instances including their snapshots.",
    examples: "lxc import backup0.tar.gz\n    Create a new instance using backup0.tar.gz as the source.",
    flags: &[Flag::text("storage", "Storage pool name").short('s')],
    words: (1, Some(3)),
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let first = arguments.word(0);
    let (remote, words) =
        if arguments.len() > 1 && first.ends_with(':') { (first, arguments.rest(1)) } else { ("", arguments.rest(0)) };
    let (file, name) = (words.first().map_or("", String::as_str), words.get(1).map_or("", String::as_str));
    let server = session.resource(remote).await?.server;
    server.require_extension("container_backup").await?;
    let quiet = session.quiet || file == "-";
    let (content, length): (Box<dyn Read + Send>, _) = if file == "-" {
        (Box::new(std::io::stdin()), None)
    } else {
        let open = File::open(file).map_err(|error| Error::invalid(open_failed(Path::new(file), &error)))?;
        let length = open.metadata().with_context(|| format!("Failed to look at {file}"))?.len();
        (Box::new(open), Some(length))
    };
    let transfer = Transfer::new("Importing instance: %s", quiet);
    let mut watch = transfer.watcher();
    let body = Body::reader(content, length, move |sent| watch(sent, length.unwrap_or_default()));
    let mut ask = Ask::new(Method::POST, "/1.0/instances")
        .header("content-type", "application/octet-stream")
        .header("x-lxd-pool", arguments.text("storage"))
        .header("x-lxd-name", name);
    ask.body = body;
    let started = server.start_raw(ask).await;
    transfer.done("");
    let mut progress = Progress::new("Importing instance: %s", quiet);
    progress::wait(&started?, &mut progress).await?;
    progress.done("");
    Ok(())
}
