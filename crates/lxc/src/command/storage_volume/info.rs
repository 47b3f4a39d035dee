//! `lxc storage volume info`: what a volume takes, its snapshots and backups.

use std::fmt::Write;

use corten_api::error::{Error, Result};
use corten_api::storage_pool_volume::StorageVolume;
use corten_api::storage_pool_volume_backup::StoragePoolVolumeBackup;
use corten_api::storage_pool_volume_snapshot::StorageVolumeSnapshot;
use corten_api::storage_pool_volume_state::StorageVolumeState;
use corten_api::time::Time;

use super::{CUSTOM, Named, path, pool};
use crate::arguments::Arguments;
use crate::commands::Command;
use crate::session::Session;
use crate::{byte_size, entity, moment, printer, run, table};

/// `info`.
pub static INFO: Command = Command {
    name: "info",
    usage: "[<remote>:]<pool> <volume>",
    about: "Show storage volume state information",
    examples: "lxc storage volume info default data\n    Says how much the custom volume \"data\" holds, and what snapshots it has.",
    flags: &[entity::TARGET],
    words: (2, Some(2)),
    run: run!(info),
    ..Command::EMPTY
};

async fn info(session: &Session, arguments: &Arguments) -> Result<()> {
    let pool = pool(session, arguments).await?;
    let named = Named::parse(arguments.word(1));
    let (name, snapshot) = named.parts()?;
    if snapshot.is_some() || named.kind == "image" {
        return Err(Error::invalid("Only instance or custom volumes are supported"));
    }
    let path = path(&pool.name, named.kind, name, None);
    let volume: StorageVolume = pool.server.get(&path).await?;
    let state: StorageVolumeState = pool.server.get(&format!("{path}/state")).await?;
    let snapshots: Vec<StorageVolumeSnapshot> = pool.server.get(&format!("{path}/snapshots?recursion=1")).await?;
    let backups: Vec<StoragePoolVolumeBackup> =
        if named.kind == CUSTOM && pool.server.has_extension("custom_volume_backup").await? {
            pool.server.get(&format!("{path}/backups?recursion=1")).await?
        } else {
            Vec::new()
        };
    let clustered = entity::is_clustered(&pool.server).await?;
    printer::print(&summary(&volume, &state, clustered));
    printer::print(&snapshot_table(&snapshots)?);
    printer::print(&backup_table(&backups)?);
    Ok(())
}

fn summary(volume: &StorageVolume, state: &StorageVolumeState, clustered: bool) -> String {
    let mut out = format!("Name: {}\n", volume.name);
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "{name}: {value}");
    };
    if !volume.description.is_empty() {
        line("Description", &volume.description);
    }
    line("Type", if volume.r#type.is_empty() { CUSTOM } else { &volume.r#type });
    line("Content type", if volume.content_type.is_empty() { "filesystem" } else { &volume.content_type });
    if clustered && !volume.location.is_empty() {
        line("Location", &volume.location);
    }
    if let Some(usage) = &state.usage {
        line("Usage", &byte_size::binary(usage.used.try_into().unwrap_or(i64::MAX)));
        if usage.total > 0 {
            line("Total", &byte_size::binary(usage.total));
        }
    }
    out
}

/// A moment, or a space where it is never.
fn or_space(time: Time) -> String {
    if time.is_never() { " ".to_owned() } else { moment::local_minute(time) }
}

fn snapshot_table(snapshots: &[StorageVolumeSnapshot]) -> Result<String> {
    if snapshots.is_empty() {
        return Ok(String::new());
    }
    let mut rows: Vec<Vec<String>> = snapshots
        .iter()
        .map(|snapshot| {
            let name = snapshot.name.rsplit('/').next().unwrap_or_default().to_owned();
            let expires = snapshot.expires_at.map_or_else(|| " ".to_owned(), moment::local_minute);
            vec![name, snapshot.description.clone(), expires]
        })
        .collect();
    table::order::by_cells(&mut rows);
    Ok("\nSnapshots:\n".to_owned() + &table::render("table", &["Name", "Description", "Expires at"], &rows, &())?)
}

fn backup_table(backups: &[StoragePoolVolumeBackup]) -> Result<String> {
    if backups.is_empty() {
        return Ok(String::new());
    }
    let yes_or_no = |yes: bool| if yes { "YES" } else { "NO" }.to_owned();
    let rows: Vec<Vec<String>> = backups
        .iter()
        .map(|backup| {
            vec![
                backup.name.clone(),
                or_space(backup.created_at),
                or_space(backup.expires_at),
                yes_or_no(backup.volume_only),
                yes_or_no(backup.optimized_storage),
            ]
        })
        .collect();
    let header = ["Name", "Taken at", "Expires at", "Volume Only", "Optimized Storage"];
    Ok("\nBackups:\n".to_owned() + &table::render("table", &header, &rows, &())?)
}
