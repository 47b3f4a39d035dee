//! `lxc storage volume export` and `import`: a custom volume as a backup file.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use corten_api::error::{Context, Error, Result};
use corten_api::storage_pool_volume_backup::StoragePoolVolumeBackupsPost;
use corten_api::time::Time;
use corten_api::url;
use corten_client::body::Body;
use corten_client::file::{announced_length, each_piece, succeeded};
use corten_client::http::Ask;
use corten_client::server::Server;
use hyper::Method;

use super::{CUSTOM, Named, path, pool};
use crate::arguments::{Arguments, Flag};
use crate::command::image::open_failed;
use crate::commands::Command;
use crate::progress::{self, Progress, Transfer};
use crate::session::Session;
use crate::{entity, run};

/// `export`.
pub static EXPORT: Command = Command {
    name: "export",
    usage: "[<remote>:]<pool> <volume> [<path>]",
    about: "Export custom storage volume",
    flags: &[
        Flag::text("compression", "Define a compression algorithm: for backup or none"),
        Flag::switch(
            "optimized-storage",
            "Use storage driver optimized format (can only be restored on a similar pool)",
        ),
        entity::TARGET,
        Flag::switch("volume-only", "Export the volume without its snapshots"),
    ],
    words: (2, Some(3)),
    run: run!(export),
    ..Command::EMPTY
};

/// `import`.
pub static IMPORT: Command = Command {
    name: "import",
    usage: "[<remote>:]<pool> <backup file> [<volume name>]",
    about: "Import custom storage volumes",
    examples: "lxc storage volume import default backup0.tar.gz\n    Makes a custom volume of what backup0.tar.gz holds.",
    flags: &[entity::TARGET],
    words: (2, Some(3)),
    run: run!(import),
    ..Command::EMPTY
};

/// How long the server keeps the backup should we die before we can delete it, in seconds.
const KEPT: i64 = 24 * 3600;

async fn export(session: &Session, arguments: &Arguments) -> Result<()> {
    let pool = pool(session, arguments).await?;
    let named = Named::parse(arguments.word(1));
    if named.kind != CUSTOM {
        return Err(Error::invalid("Only \"custom\" volumes can be exported"));
    }
    let request = StoragePoolVolumeBackupsPost {
        expires_at: Time::from_unix(Time::now().unix() + KEPT, 0),
        volume_only: arguments.is_set("volume-only"),
        optimized_storage: arguments.is_set("optimized-storage"),
        compression_algorithm: arguments.text("compression").to_owned(),
        ..StoragePoolVolumeBackupsPost::default()
    };
    let backups = format!("{}/backups", path(&pool.name, CUSTOM, named.name, None));
    let running = pool.server.start(Method::POST, &backups, &request, "").await;
    let mut progress = Progress::new("Backing up storage volume: %s", session.quiet);
    let ended = progress::wait(&running.context("Failed to create storage volume backup")?, &mut progress).await?;
    progress.done("");
    let made = ended.resources.as_ref().and_then(|resources| resources.get("backups")?.first());
    let Some(backup) = made.and_then(|path| path.split('?').next()?.rsplit('/').next()) else {
        return Err(Error::internal("The server does not say which backup it has made"));
    };
    let backup = format!("{backups}/{}", url::escape(backup));
    let target = if arguments.len() > 2 { arguments.word(2) } else { "backup.tar.gz" };
    let fetched = match File::create(target) {
        Ok(file) => fetch(&pool.server, &backup, file, target, session.quiet).await,
        Err(error) => Err(Error::invalid(open_failed(Path::new(target), &error))),
    };
    // It has served; should the deletion fail, the server does it a day later.
    if let Ok(running) = pool.server.start(Method::DELETE, &backup, &(), "").await {
        let _ = running.wait().await;
    }
    fetched
}

/// Writes the backup to a file, which is removed when it could not be completed.
async fn fetch(server: &Server, backup: &str, mut file: File, target: &str, quiet: bool) -> Result<()> {
    let transfer = Transfer::new("Exporting the backup: %s", quiet);
    let mut watch = transfer.watcher();
    let copied = async {
        let reply = succeeded(server, server.send(Ask::new(Method::GET, format!("{backup}/export"))).await?).await?;
        let (expected, mut had) = (announced_length(&reply).unwrap_or_default(), 0);
        each_piece(reply, |piece| {
            had += piece.len() as u64;
            watch(had, expected);
            file.write_all(piece).with_context(|| format!("Failed to write {target}"))
        })
        .await
    }
    .await;
    transfer.done(if copied.is_ok() { "Backup exported successfully!" } else { "" });
    if copied.is_err() {
        // What is left of it is of no use; a failure to remove it changes nothing about the error.
        let _ = std::fs::remove_file(target);
    }
    copied.map(drop).context("Failed to fetch storage volume backup file")
}

async fn import(session: &Session, arguments: &Arguments) -> Result<()> {
    let pool = pool(session, arguments).await?;
    let file = arguments.word(1);
    let open = File::open(file).map_err(|error| Error::invalid(open_failed(Path::new(file), &error)))?;
    let length = open.metadata().with_context(|| format!("Failed to look at {file}"))?.len();
    let transfer = Transfer::new("Importing custom volume: %s", session.quiet);
    let mut watch = transfer.watcher();
    let mut ask = Ask::new(Method::POST, url::path(["storage-pools", &pool.name, "volumes", CUSTOM]))
        .header("content-type", "application/octet-stream")
        .header("x-lxd-name", arguments.word(2));
    ask.body = Body::reader(open, Some(length), move |sent| watch(sent, length));
    let started = pool.server.start_raw(ask).await;
    transfer.done("");
    let mut progress = Progress::new("Importing custom volume: %s", session.quiet);
    progress::wait(&started?, &mut progress).await?;
    progress.done("");
    Ok(())
}
