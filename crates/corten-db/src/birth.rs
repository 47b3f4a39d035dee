//! A new database file: made aside without waiting for the disk, synced whole, and only then given its name.
//!
//! SQLite would wait for the disk a dozen times on its way to a first schema, each time to be able to go back to an empty
//! file, which nobody wants.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::error::{DbError, Result};
use crate::schema::{self, Opening};
use crate::{Tx, Which};

/// Makes the file at `path` with its schema and first rows, unless there is one. After a crash it is whole or not there.
pub(crate) fn ensure(path: &Path, which: Which, opening: &Opening) -> Result<()> {
    let building = beside(path, "new");
    let wrong = |message: String| DbError::Open { path: path.display().to_string(), message };
    let made = |error: io::Error| wrong(format!("cannot make it: {error}"));
    if path.exists() {
        return Ok(());
    }
    for left in [building.clone(), beside(&building, "wal"), beside(&building, "shm")] {
        match std::fs::remove_file(&left) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(made(error)),
            _ => {}
        }
    }
    build(&building, which, opening)?;
    File::open(&building).and_then(|file| file.sync_all()).map_err(made)?;
    std::fs::rename(&building, path).map_err(made)?;
    let folder = path.parent().unwrap_or(Path::new("."));
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(made)
}

/// All that a new file holds. Closing it moves everything out of the log into the file itself.
fn build(path: &Path, which: Which, opening: &Opening) -> Result<()> {
    let failed = |error: rusqlite::Error| match DbError::from_sqlite(&error, "") {
        DbError::Busy => DbError::Busy,
        _ => DbError::Open { path: path.display().to_string(), message: error.to_string() },
    };
    let connection = Connection::open(path).map_err(failed)?;
    connection.pragma_update(None, "synchronous", "off").map_err(failed)?;
    connection.pragma_update(None, "journal_mode", "wal").map_err(failed)?;
    connection.execute_batch("BEGIN").map_err(failed)?;
    schema::fill(&mut Tx::new(&connection, false), which, opening)?;
    connection.execute_batch("COMMIT").map_err(failed)?;
    connection.pragma_update(None, "user_version", schema::version(which)).map_err(failed)?;
    connection.close().map_err(|(_, error)| failed(error))
}

/// `PATH-WORD`, as SQLite names its own files.
fn beside(path: &Path, word: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push("-");
    name.push(word);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::params;
    use crate::store::Store;

    #[test]
    fn what_a_crash_left_is_made_anew_and_what_is_there_stays() {
        let folder = std::env::temp_dir().join(format!("corten-db-birth-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("local.db");
        for left in ["local.db-new", "local.db-new-wal"] {
            std::fs::write(folder.join(left), "half of it").expect("written");
        }
        ensure(&path, Which::Local, &Opening::here(1)).expect("made");
        let names: Vec<_> =
            std::fs::read_dir(&folder).expect("there").flatten().map(|entry| entry.file_name()).collect();
        assert_eq!(names, ["local.db"]);
        let store = Store::open(&path).expect("opens");
        store.write(|tx| tx.exec("INSERT INTO config (key, value) VALUES ('a', 'b')", params![])).expect("writes");
        ensure(&path, Which::Local, &Opening::here(1)).expect("there");
        let value: Result<String> = store.view(|view| view.one("SELECT value FROM config", params![]));
        assert_eq!(value.as_deref(), Ok("b"));
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
