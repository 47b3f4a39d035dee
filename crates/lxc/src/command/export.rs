//! `lxc export`: an instance as a backup file.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use corten_api::error::{Context, Error, Result};
use corten_api::instance_backup::InstanceBackupsPost;
use corten_api::time::Time;
use corten_api::url::path;
use corten_client::file::{announced_length, each_piece, succeeded};
use corten_client::http::Ask;
use corten_client::server::Server;
use hyper::Method;

use super::image::open_failed;
use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::printer;
use crate::progress::{self, Progress, Transfer};
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "export",
    usage: "[<remote>:]<instance> [target] [--instance-only] [--optimized-storage]",
    about: "Export instance backups",
    long: "Export instances as backup tarballs.",
    examples: "lxc export u1 backup0.tar.gz\n    Download a backup tarball of the u1 instance.",
    flags: &[
        Flag::switch("instance-only", "Whether or not to only backup the instance (without snapshots)"),
        Flag::switch(
            "optimized-storage",
            "Use storage driver optimized format (can only be restored on a similar pool)",
        ),
        Flag::text("compression", "Compression algorithm to use (none for uncompressed)"),
    ],
    words: (1, Some(2)),
    run: crate::run!(run),
    ..Command::EMPTY
};

/// How long the server keeps the backup should we die before we can delete it, in seconds.
const KEPT: i64 = 24 * 3600;

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let resource = session.resource(arguments.word(0)).await?;
    let (server, name) = (resource.server, resource.name);
    let target = match arguments.word(1) {
        "" => "backup.tar.gz",
        target => target,
    };
    let quiet = session.quiet || target == "-";
    let only = arguments.is_set("instance-only");
    let post = InstanceBackupsPost {
        expires_at: Time::from_unix(Time::now().unix() + KEPT, 0),
        instance_only: only,
        container_only: only,
        optimized_storage: arguments.is_set("optimized-storage"),
        compression_algorithm: arguments.text("compression").to_owned(),
        ..InstanceBackupsPost::default()
    };
    server.require_extension("container_backup").await.context("Create instance backup")?;
    let running = server.start(Method::POST, &path(["instances", &name, "backups"]), &post, "").await;
    let mut progress = Progress::new("Backing up instance: %s", quiet);
    let ended = progress::wait(&running.context("Create instance backup")?, &mut progress).await?;
    progress.done("");
    let made = ended.resources.as_ref().and_then(|resources| resources.get("backups")?.first());
    let backup = made.and_then(|path| path.split('?').next()?.rsplit('/').next());
    let Some(backup) = backup else {
        return Err(Error::internal("The server does not say which backup it has made"));
    };
    let fetched = fetch(&server, &name, backup, target, quiet).await;
    // It has served; should the deletion fail, the server does it a day later.
    if let Ok(running) = server.start(Method::DELETE, &path(["instances", &name, "backups", backup]), &(), "").await {
        let _ = running.wait().await;
    }
    fetched.context("Fetch instance backup file")
}

/// Writes the backup to a file or, for `-`, to standard output. A file that could not be completed is removed.
async fn fetch(server: &Server, name: &str, backup: &str, target: &str, quiet: bool) -> Result<()> {
    let mut to: Box<dyn Write> = if target == "-" {
        Box::new(printer::Stdout)
    } else {
        let file = File::create(target);
        Box::new(file.map_err(|error| Error::invalid(open_failed(Path::new(target), &error)))?)
    };
    let transfer = Transfer::new("Exporting the backup: %s", quiet);
    let mut watch = transfer.watcher();
    let copied = async {
        let ask = Ask::new(Method::GET, path(["instances", name, "backups", backup, "export"]));
        let reply = succeeded(server, server.send(ask).await?).await?;
        let (expected, mut had) = (announced_length(&reply).unwrap_or_default(), 0);
        each_piece(reply, |piece| {
            had += piece.len() as u64;
            watch(had, expected);
            to.write_all(piece).with_context(|| format!("Failed to write {target}"))
        })
        .await
    }
    .await;
    transfer.done(if copied.is_ok() { "Backup exported successfully!" } else { "" });
    if copied.is_err() && target != "-" {
        let _ = std::fs::remove_file(target);
    }
    copied.map(drop)
}
