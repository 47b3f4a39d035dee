//! `lxc storage volume list`: the volumes of a pool.

use std::cmp::Ordering;

use corten_api::error::Result;
use corten_api::storage_pool_volume::StorageVolume;
use corten_api::storage_pool_volume_state::StorageVolumeState;
use corten_api::url;

use super::{path, pool};
use crate::arguments::{Arguments, Flag};
use crate::columns::{self, Column};
use crate::commands::Command;
use crate::session::Session;
use crate::table::order;
use crate::{byte_size, entity, run, table};

const DEFAULT_COLUMNS: &str = "etndcuL";

/// `list`.
pub static LIST: Command = Command {
    name: "list",
    aliases: &["ls"],
    usage: "[<remote>:]<pool> [<filter>...]",
    about: "List storage volumes",
    long: "List storage volumes\n\nA filter is a key and a value, as in content_type=block.\n\nColumns are chosen by these letters:\n  c - content type\n  d - description\n  e - project\n  L - cluster member\n  n - name\n  t - type\n  u - number of users\n  U - space used",
    flags: &[
        Flag::switch("all-projects", "All projects"),
        Flag::text("columns", "Columns").short('c').or(DEFAULT_COLUMNS),
        table::FORMAT,
    ],
    words: (1, None),
    run: run!(list),
    ..Command::EMPTY
};

/// A volume with the space it takes, where a column shows it.
struct Row {
    volume: StorageVolume,
    used: Option<u64>,
}

const COLUMNS: [Column<Row>; 8] = [
    Column { letter: 't', title: "TYPE", cell: kind },
    Column { letter: 'n', title: "NAME", cell: |row| row.volume.name.clone() },
    Column { letter: 'd', title: "DESCRIPTION", cell: |row| row.volume.description.clone() },
    Column { letter: 'c', title: "CONTENT-TYPE", cell: content_type },
    Column { letter: 'u', title: "USED BY", cell: |row| row.volume.used_by.len().to_string() },
    Column { letter: 'U', title: "USAGE", cell: usage },
    Column { letter: 'L', title: "LOCATION", cell: |row| row.volume.location.clone() },
    Column { letter: 'e', title: "PROJECT", cell: |row| row.volume.project.clone() },
];

fn kind(row: &Row) -> String {
    let kind = &row.volume.r#type;
    if row.volume.name.contains('/') { format!("{kind} (snapshot)") } else { kind.clone() }
}

fn content_type(row: &Row) -> String {
    match row.volume.content_type.as_str() {
        "" => "filesystem".to_owned(),
        given => given.to_owned(),
    }
}

fn usage(row: &Row) -> String {
    row.used.map_or_else(String::new, |used| byte_size::binary(used.try_into().unwrap_or(i64::MAX)))
}

async fn list(session: &Session, arguments: &Arguments) -> Result<()> {
    let pool = pool(session, arguments).await?;
    let all_projects = arguments.is_set("all-projects");
    let wanted = arguments.text_or("columns", DEFAULT_COLUMNS);
    let clustered = entity::is_clustered(&pool.server).await?;
    let shown = if all_projects { wanted.to_owned() } else { wanted.replace('e', "") };
    let default = if all_projects { DEFAULT_COLUMNS } else { "tndcuL" };
    let chosen = columns::parse(&COLUMNS, &shown, default, clustered)?;

    let mut query = format!("{}?recursion=1", url::path(["storage-pools", &pool.name, "volumes"]));
    let filters: Vec<String> = arguments
        .rest(1)
        .iter()
        .filter_map(|filter| filter.split_once('=').map(|(key, value)| format!("{key} eq {value}")))
        .collect();
    if !filters.is_empty() {
        query.push_str(&format!("&filter={}", url::escape_query(&filters.join(" and "))));
    }
    if all_projects {
        query.push_str("&all-projects=true");
    }
    let volumes: Vec<StorageVolume> = pool.server.get(&query).await?;
    let with_usage = chosen.iter().any(|column| column.letter == 'U');
    let mut rows = Vec::with_capacity(volumes.len());
    for volume in &volumes {
        let mut used = None;
        if with_usage && !volume.name.contains('/') && volume.r#type != "image" {
            let path = path(&pool.name, &volume.r#type, &volume.name, None);
            let state: StorageVolumeState = pool.server.get(&format!("{path}/state")).await?;
            used = state.usage.map(|usage| usage.used);
        }
        let row = Row { volume: volume.clone(), used };
        rows.push(chosen.iter().map(|column| (column.cell)(&row)).collect::<Vec<String>>());
    }
    if chosen.len() >= 2 {
        rows.sort_by(|left, right| by_kind_and_name(left, right));
    }
    let header: Vec<&str> = chosen.iter().map(|column| column.title).collect();
    table::print(arguments, &header, &rows, &volumes)
}

/// By the first word of the first column, so that snapshots stand with their volumes, then by the second column.
fn by_kind_and_name(left: &[String], right: &[String]) -> Ordering {
    let kind = |row: &[String]| row[0].split(' ').next().unwrap_or_default().to_owned();
    if kind(left) != kind(right) {
        return order::natural(&left[0], &right[0]);
    }
    left[1].is_empty().cmp(&right[1].is_empty()).then_with(|| order::natural(&left[1], &right[1]))
}
