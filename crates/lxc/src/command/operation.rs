//! `lxc operation`: what runs in the background of a server.

use corten_api::error::{Error, Result};
use corten_api::operation::Operation;
use corten_api::url::path;
use corten_api::yaml;
use std::collections::BTreeMap;

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::entity::{is_clustered, say};
use crate::session::Session;
use crate::{moment, printer, run, table};

pub static COMMAND: Command = Command {
    name: "operation",
    about: "List, show and delete background operations",
    children: &[&DELETE, &LIST, &SHOW],
    ..Command::EMPTY
};

static DELETE: Command = Command {
    name: "delete",
    aliases: &["cancel", "rm"],
    usage: "[<remote>:]<operation>",
    about: "Delete a background operation (will attempt to cancel)",
    words: (1, Some(1)),
    run: run!(delete),
    ..Command::EMPTY
};

static LIST: Command = Command {
    name: "list",
    aliases: &["ls"],
    usage: "[<remote>:]",
    about: "List background operations",
    flags: &[Flag::text("format", "Format (csv|json|table|yaml|compact)").short('f').or("table")],
    words: (0, Some(1)),
    run: run!(list),
    ..Command::EMPTY
};

static SHOW: Command = Command {
    name: "show",
    usage: "[<remote>:]<operation>",
    about: "Show details on a background operation",
    examples: "lxc operation show 344a79e4-d88a-45bf-9c39-c72c26f6ab8a\n    Show details on that operation UUID",
    words: (1, Some(1)),
    run: run!(show),
    ..Command::EMPTY
};

async fn delete(session: &Session, arguments: &Arguments) -> Result<()> {
    let resource = session.resource(arguments.word(0)).await?;
    resource.server.delete(&path(["operations", &resource.name])).await?;
    say(session, &format!("Operation {} deleted", resource.name));
    Ok(())
}

async fn list(session: &Session, arguments: &Arguments) -> Result<()> {
    let resource = session.resource(arguments.word(0)).await?;
    if !resource.name.is_empty() {
        return Err(Error::invalid("Filtering isn't supported yet"));
    }
    // The server groups them by state.
    let groups: BTreeMap<String, Vec<Operation>> = resource.server.get("/1.0/operations?recursion=1").await?;
    let operations: Vec<Operation> = groups.into_values().flatten().collect();
    let clustered = is_clustered(&resource.server).await?;
    printer::print(&render(arguments.text_or("format", "table"), &operations, clustered)?);
    Ok(())
}

fn render(format: &str, operations: &[Operation], clustered: bool) -> Result<String> {
    let mut header = vec!["ID", "TYPE", "DESCRIPTION", "STATUS", "CANCELABLE", "CREATED"];
    if clustered {
        header.push("LOCATION");
    }
    let row = |operation: &Operation| {
        let mut row = vec![
            operation.id.clone(),
            operation.class.to_uppercase(),
            operation.description.clone(),
            operation.status.to_uppercase(),
            if operation.may_cancel { "YES" } else { "NO" }.to_owned(),
            moment::minute(operation.created_at),
        ];
        row.extend(clustered.then(|| operation.location.clone()));
        row
    };
    let mut rows: Vec<Vec<String>> = operations.iter().map(row).collect();
    table::order::by_cells(&mut rows);
    table::render(format, &header, &rows, operations)
}

async fn show(session: &Session, arguments: &Arguments) -> Result<()> {
    let resource = session.resource(arguments.word(0)).await?;
    let operation: Operation = resource.server.get(&path(["operations", &resource.name])).await?;
    printer::print(&yaml::to_string(&operation)?);
    Ok(())
}
