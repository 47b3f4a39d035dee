//! A database as SQL text, as `lxd sql … .dump` and `.schema` print it.

use crate::error::Result;
use crate::tx::View;
use crate::value::{Value, parse_time};
use crate::{Db, Which, params};

/// The whole database as statements that make it again; only the tables without their rows if `schema_only`.
pub fn dump(db: &Db, which: Which, schema_only: bool) -> Result<String> {
    db.store(which).view(|view| text(view, schema_only))
}

fn text(view: &View<'_>, schema_only: bool) -> Result<String> {
    let mut out = String::from("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\n");
    let sql = "SELECT name, type, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%' ORDER BY rowid";
    for (name, kind, sql) in view.rows::<(String, String, String)>(sql, params![])? {
        out.push_str(&sql.replacen("CREATE TABLE \"", "CREATE TABLE IF NOT EXISTS \"", 1));
        out.push_str(";\n");
        if !schema_only && kind == "table" {
            rows(view, &name, &mut out)?;
        }
    }
    if !schema_only {
        out.push_str("DELETE FROM sqlite_sequence;\n");
        rows(view, "sqlite_sequence", &mut out)?;
    }
    out.push_str("COMMIT;\n");
    Ok(out)
}

fn rows(view: &View<'_>, table: &str, out: &mut String) -> Result<()> {
    let (_, rows) = view.table(&format!("SELECT * FROM {table} ORDER BY rowid"), sql_time)?;
    for row in rows {
        let values: Vec<String> = row.iter().map(literal).collect();
        out.push_str(&format!("INSERT INTO {table} VALUES({});\n", values.join(",")));
    }
    Ok(())
}

/// A value as SQL; line breaks are written as calls, so that a statement stays on its line.
fn literal(value: &Value) -> String {
    match value {
        Value::Null => "NULL".to_owned(),
        Value::Integer(number) => number.to_string(),
        Value::Real(number) => format!("{number:?}"),
        Value::Blob(bytes) => format!("x'{}'", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
        Value::Text(text) => {
            let mut quoted = format!("'{}'", text.replace('\'', "''"));
            if quoted.contains('\r') {
                quoted = format!("replace({},'\\r',char(13))", quoted.replace('\r', "\\r"));
            }
            if quoted.contains('\n') {
                quoted = format!("replace({},'\\n',char(10))", quoted.replace('\n', "\\n"));
            }
            quoted
        }
    }
}

/// A time as SQLite's own functions write it, with nanoseconds if it has any.
fn sql_time(value: Value) -> Value {
    let Some(time) = parse_time(&value) else { return value };
    let format = if time.subsec_nanosecond() == 0 { "%Y-%m-%d %H:%M:%S+00:00" } else { "%Y-%m-%d %H:%M:%S.%9f+00:00" };
    Value::Text(time.strftime(format).to_string())
}
