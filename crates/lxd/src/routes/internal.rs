//! `/internal`: what the `lxd` commands ask of the daemon, over the unix socket only.

use crate::app::ready::Stage;
use crate::app::{Call, Endpoint};
use crate::rest::reply::Reply;
use crate::rest::route::May;
use corten_api::error::{Error, Result};
use corten_db::Which;
use corten_db::console::{self, Answer};
use corten_db::dump;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/internal/gc").get(give_memory_back, May::Admin),
    Endpoint::at("/internal/ready").get_quick(ready, May::Admin),
    Endpoint::at("/internal/shutdown").put(shutdown, May::Admin),
    Endpoint::at("/internal/sql").get(dump_sql, May::Admin).post(run_sql, May::Admin),
];

fn ready(call: &Call) -> Result<Reply> {
    match call.app.ready.stage() {
        Stage::ShuttingDown => Err(Error::unavailable("LXD daemon is shutting down")),
        Stage::Ready => Ok(Reply::empty()),
        Stage::Starting | Stage::Serving => Err(Error::unavailable("LXD daemon not ready yet")),
    }
}

/// LXD collects its garbage here; ours is gone already, but for what the allocator keeps.
fn give_memory_back(_: &Call) -> Result<Reply> {
    corten_host::syscall::allocator::trim();
    Ok(Reply::empty())
}

/// Ends the daemon; instances are stopped first unless `force=true` asks not to wait for operations.
fn shutdown(call: &Call) -> Result<Reply> {
    let force = call.query.flag("force");
    let app = call.app.clone();
    let ended = crate::boot::shutdown::begin(&app, force)?;
    Ok(Reply::later(async move {
        ended.await.map_err(|_| Error::internal("The shutdown was interrupted"))??;
        Ok(Reply::empty())
    }))
}

fn which(name: &str) -> Result<Which> {
    match name {
        "local" => Ok(Which::Local),
        "global" => Ok(Which::Global),
        _ => Err(Error::invalid("Invalid database")),
    }
}

#[derive(Serialize)]
struct Dump {
    text: String,
}

fn dump_sql(call: &Call) -> Result<Reply> {
    let schema_only = call.query.get("schema") == "1";
    let text = dump::dump(&call.app.db, which(call.query.get("database"))?, schema_only)
        .map_err(|error| Error::internal(format!("Failed to dump the database: {error}")))?;
    Reply::sync(&Dump { text })
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Query {
    database: String,
    query: String,
}

#[derive(Serialize)]
struct Batch {
    #[serde(rename = "Results")]
    results: Vec<Shown>,
}

/// What one statement gave, its fields in LXD's order.
#[derive(Serialize)]
struct Shown {
    #[serde(rename = "type")]
    kind: &'static str,
    columns: Option<Vec<String>>,
    rows: Option<Vec<Vec<Value>>>,
    rows_affected: usize,
}

fn run_sql(call: &Call) -> Result<Reply> {
    let query: Query = call.json()?;
    let which = which(&query.database)?;
    if query.query.is_empty() {
        return Err(Error::invalid("No query provided"));
    }
    if query.query == ".sync" {
        console::sync(&call.app.db, which)
            .map_err(|error| Error::internal(format!("Failed to sync the database: {error}")))?;
        return Reply::sync(&Batch { results: Vec::new() });
    }
    let select = query.query.trim_start().get(..6).is_some_and(|word| word.eq_ignore_ascii_case("select"));
    let answers = console::run(&call.app.db, which, &query.query)
        .map_err(|error| Error::internal(console::describe(&error, select)))?;
    Reply::sync(&Batch { results: answers.into_iter().map(answer).collect() })
}

fn answer(answer: Answer) -> Shown {
    match answer {
        Answer::Select { columns, rows } => {
            let rows = rows.into_iter().map(|row| row.into_iter().map(value).collect()).collect();
            Shown { kind: "select", columns: Some(columns), rows: Some(rows), rows_affected: 0 }
        }
        Answer::Exec { rows_affected } => Shown { kind: "exec", columns: None, rows: None, rows_affected },
    }
}

fn value(value: corten_db::Value) -> Value {
    match value {
        corten_db::Value::Null => Value::Null,
        corten_db::Value::Integer(number) => json!(number),
        corten_db::Value::Real(number) => json!(number),
        corten_db::Value::Text(text) => json!(text),
        corten_db::Value::Blob(bytes) => json!(data_encoding::BASE64.encode(&bytes)),
    }
}
