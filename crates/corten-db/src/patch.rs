//! Statements that an administrator leaves for the next start: `patch.local.sql` and `patch.global.sql` beside the files.

use std::fs;
use std::path::Path;

use crate::Which;
use crate::error::{DbError, Result};
use crate::store::Store;

/// Runs what is left for a database, whole or not at all, and removes it. A copy of the database as it was is kept in
/// `local.db.bak` or `global.bak`.
///
/// # Errors
/// [`DbError::Open`] when the statements fail: the file is left, and so is the database.
pub(crate) fn apply(store: &Store, dir: &Path, which: Which) -> Result<()> {
    let path = dir.join(match which {
        Which::Local => "patch.local.sql",
        Which::Global => "patch.global.sql",
    });
    let wrong = |doing: &str, error: &dyn std::fmt::Display| DbError::Open {
        path: path.display().to_string(),
        message: format!("{doing}: {error}"),
    };
    let text = match fs::read_to_string(&path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        other => other.map_err(|error| wrong("cannot be read", &error))?,
    };
    store.sync()?;
    back_up(dir, which).map_err(|error| wrong("the database cannot be copied first", &error))?;
    store.with_connection(|connection| {
        let done = connection.execute_batch(&format!("BEGIN IMMEDIATE;\n{text}\n;COMMIT"));
        if done.is_err() && !connection.is_autocommit() {
            connection.execute_batch("ROLLBACK")?;
        }
        done
    })?;
    fs::remove_file(&path).map_err(|error| wrong("cannot be removed", &error))
}

fn back_up(dir: &Path, which: Which) -> std::io::Result<()> {
    match which {
        Which::Local => fs::copy(dir.join("local.db"), dir.join("local.db.bak")).map(drop),
        Which::Global => {
            let folder = dir.join("global.bak");
            match fs::remove_dir_all(&folder) {
                Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            fs::create_dir(&folder)?;
            fs::copy(dir.join("global/db.bin"), folder.join("db.bin")).map(drop)
        }
    }
}
