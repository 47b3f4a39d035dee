//! `lxc warning`: what the server wants an administrator to know.

use corten_api::error::Result;
use corten_api::warning::{Warning, WarningPut};
use corten_api::{url, yaml};

use crate::arguments::{Arguments, Flag};
use crate::columns::{self, Column};
use crate::commands::Command;
use crate::session::Session;
use crate::{entity, moment, printer, run, table};

const DEFAULT_COLUMNS: &str = "utSscpLl";

const COLUMNS: [Column<Warning>; 9] = [
    Column { letter: 'c', title: "COUNT", cell: |warning| warning.count.to_string() },
    Column { letter: 'f', title: "FIRST SEEN", cell: |warning| moment::day_and_hour(warning.first_seen_at) },
    Column { letter: 'l', title: "LAST SEEN", cell: |warning| moment::day_and_hour(warning.last_seen_at) },
    Column { letter: 'L', title: "LOCATION", cell: |warning| warning.location.clone() },
    Column { letter: 'p', title: "PROJECT", cell: |warning| warning.project.clone() },
    Column { letter: 's', title: "SEVERITY", cell: |warning| warning.severity.to_uppercase() },
    Column { letter: 'S', title: "STATUS", cell: |warning| warning.status.to_uppercase() },
    Column { letter: 't', title: "TYPE", cell: |warning| warning.r#type.clone() },
    Column { letter: 'u', title: "UUID", cell: |warning| warning.uuid.clone() },
];

/// The group.
pub static COMMAND: Command = Command {
    name: "warning",
    about: "Manage warnings",
    children: &[&ACKNOWLEDGE, &DELETE, &LIST, &SHOW],
    ..Command::EMPTY
};

static ACKNOWLEDGE: Command = Command {
    name: "acknowledge",
    aliases: &["ack"],
    usage: "[<remote>:]<warning-uuid>",
    about: "Acknowledge warning",
    words: (1, Some(1)),
    run: run!(acknowledge),
    ..Command::EMPTY
};

static DELETE: Command = Command {
    name: "delete",
    aliases: &["rm"],
    usage: "[<remote>:]<warning-uuid>",
    about: "Delete warning",
    flags: &[Flag::switch("all", "Delete all warnings").short('a')],
    words: (0, Some(1)),
    run: run!(delete),
    ..Command::EMPTY
};

static LIST: Command = Command {
    name: "list",
    aliases: &["ls"],
    usage: "[<remote>:]",
    about: "List warnings",
    long: "List warnings\n\nColumns are chosen by these letters:\n  c - how often it was seen\n  f - first seen\n  l - last seen\n  L - cluster member\n  p - project\n  s - severity\n  S - status\n  t - type\n  u - UUID",
    flags: &[
        Flag::switch("all", "List all warnings").short('a'),
        Flag::text("columns", "Columns").short('c').or(DEFAULT_COLUMNS),
        table::FORMAT,
    ],
    words: (0, None),
    run: run!(list),
    ..Command::EMPTY
};

static SHOW: Command = Command {
    name: "show",
    usage: "[<remote>:]<warning-uuid>",
    about: "Show warning",
    words: (1, Some(1)),
    run: run!(show),
    ..Command::EMPTY
};

async fn acknowledge(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = session.resource(arguments.word(0)).await?;
    let body = WarningPut { status: "acknowledged".to_owned() };
    found.server.put(&url::path(["warnings", &found.name]), &body, "").await
}

async fn delete(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = session.resource(arguments.word(0)).await?;
    if !arguments.is_set("all") {
        return found.server.delete(&url::path(["warnings", &found.name])).await;
    }
    let warnings: Vec<Warning> = found.server.get("/1.0/warnings?recursion=1").await?;
    for warning in warnings {
        found.server.delete(&url::path(["warnings", &warning.uuid])).await?;
    }
    Ok(())
}

async fn list(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = session.resource(arguments.word(0)).await?;
    let mut warnings: Vec<Warning> = found.server.get("/1.0/warnings?recursion=1").await?;
    if !arguments.is_set("all") {
        warnings.retain(|warning| !matches!(warning.status.as_str(), "acknowledged" | "resolved"));
    }
    let wanted = arguments.text_or("columns", DEFAULT_COLUMNS);
    let chosen = columns::parse(&COLUMNS, wanted, DEFAULT_COLUMNS, entity::is_clustered(&found.server).await?)?;
    let mut rows: Vec<Vec<String>> =
        warnings.iter().map(|warning| chosen.iter().map(|column| (column.cell)(warning)).collect()).collect();
    table::order::by_cells(&mut rows);
    let header: Vec<&str> = chosen.iter().map(|column| column.title).collect();
    table::print(arguments, &header, &rows, &warnings)
}

async fn show(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = session.resource(arguments.word(0)).await?;
    let warning: Warning = found.server.get(&url::path(["warnings", &found.name])).await?;
    printer::print(&yaml::to_string(&warning)?);
    Ok(())
}
