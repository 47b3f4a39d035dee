//! `lxd sql`.

use super::local::Local;
use clap::{Arg, ArgMatches, Command};
use corten_api::error::{Context, Error, Result};
use serde::Deserialize;
use serde_json::{Value, json};
use std::io::{Read, Write};

const LONG: &str = "Execute a SQL query against the LXD local or global database

The local database is specific to the LXD cluster member you target the
command to, and contains member-specific data (such as the member network
address).

The global database is common to all LXD members in the cluster, and contains
cluster-specific data (such as profiles, containers, etc).

If you are running a non-clustered LXD instance, the same applies, as that
instance is effectively a single-member cluster.

If <query> is the special value \"-\", then the query is read from
standard input.

If <query> is the special value \".dump\", the command returns a SQL text
dump of the given database.

If <query> is the special value \".schema\", the command returns the SQL
text schema of the given database.

If <query> is the special value \".sync\", everything is brought into the
database's file.

This internal command is mostly useful for debugging and disaster
recovery. The LXD team will occasionally provide hotfixes to users as a
set of database queries to fix some data inconsistency.

This command targets the global LXD database and works in both local
and cluster mode.";

/// Its place on the command line.
pub fn describe() -> Command {
    Command::new("sql")
        .about("Execute a SQL query against the LXD local or global database")
        .long_about(LONG)
        .hide(true)
        .arg(Arg::new("database").value_name("local|global").required(true))
        .arg(Arg::new("query").required(true).allow_hyphen_values(true))
}

#[derive(Deserialize)]
struct Dump {
    text: String,
}

#[derive(Deserialize)]
struct Batch {
    #[serde(rename = "Results")]
    results: Vec<Answer>,
}

#[derive(Deserialize)]
struct Answer {
    #[serde(rename = "type")]
    kind: String,
    columns: Option<Vec<String>>,
    rows: Option<Vec<Vec<Value>>>,
    rows_affected: u64,
}

/// Runs the query and prints what it gives.
pub fn run(matches: &ArgMatches) -> Result<()> {
    let word = |name: &str| matches.get_one::<String>(name).cloned().unwrap_or_default();
    let (database, mut query) = (word("database"), word("query"));
    if !matches!(database.as_str(), "local" | "global") {
        return Err(Error::invalid("Invalid database type"));
    }
    if query == "-" {
        query.clear();
        std::io::stdin().read_to_string(&mut query).context("Failed to read from stdin")?;
    }
    let mut local = Local::connect()?;
    if query == ".dump" || query == ".schema" {
        let schema = if query == ".schema" { "&schema=1" } else { "" };
        let dump: Dump = local.get(&format!("/internal/sql?database={database}{schema}"))?;
        return print(&dump.text);
    }
    let body = json!({"database": database, "query": query});
    let batch: Batch = local.ask("POST", "/internal/sql", Some(&body))?;
    let several = batch.results.len() > 1;
    let mut text = String::new();
    for (number, answer) in batch.results.iter().enumerate() {
        if several {
            text.push_str(&format!("=> Query {number}:\n\n"));
        }
        text.push_str(&show(answer));
        if several {
            text.push('\n');
        }
    }
    print(&text)
}

/// Prints to a reader that may have seen enough (`lxd sql … | grep -q`): its leaving is no failure.
fn print(text: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        printed => printed.context("Failed to print"),
    }
}

fn show(answer: &Answer) -> String {
    match (answer.kind.as_str(), &answer.columns) {
        ("select", Some(columns)) => {
            let rows = answer.rows.iter().flatten();
            table(columns, &rows.map(|row| row.iter().map(cell).collect()).collect::<Vec<_>>())
        }
        _ => format!("Rows affected: {}\n", answer.rows_affected),
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_string(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A table as LXD prints it: head as it is, left-aligned cells, one rule around all.
fn table(columns: &[String], rows: &[Vec<String>]) -> String {
    let width = |at: usize| {
        let cells = rows.iter().filter_map(|row| row.get(at)).flat_map(|cell| cell.lines());
        cells.map(|line| line.chars().count()).chain([columns[at].chars().count()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let rule = format!("+{}\n", widths.iter().map(|width| "-".repeat(width + 2) + "+").collect::<String>());
    let head = columns.iter().zip(&widths).map(|(name, width)| format!(" {name:^width$} |")).collect::<String>();
    let mut out = format!("{rule}|{head}\n{rule}");
    for row in rows {
        let height = row.iter().map(|cell| cell.lines().count()).max().unwrap_or(1).max(1);
        for line in 0..height {
            out.push('|');
            for (cell, width) in row.iter().zip(&widths) {
                let part = cell.lines().nth(line).unwrap_or_default();
                out.push_str(&format!(" {part:<width$} |"));
            }
            out.push('\n');
        }
    }
    if !rows.is_empty() {
        out.push_str(&rule);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_are_lxds() {
        let columns = ["id".to_string(), "name".to_string()];
        let rows = [vec!["1".to_string(), "default".to_string()]];
        let wanted = "+----+---------+\n| id |  name   |\n+----+---------+\n| 1  | default |\n+----+---------+\n";
        assert_eq!(table(&columns, &rows), wanted);
    }
}
