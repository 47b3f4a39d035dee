//! One SQLite file: a single writer whose decisions share commits, and a few pooled readers.

use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use crate::ballast::Ballast;
use crate::entry::Entry;
use crate::error::{DbError, Result};
use crate::tx::{Tx, View};
use crate::writer::{Decision, Observer, Writer, refuse_nested};

/// How often a decision is taken again before the caller hears of it, as LXD does.
const MOST_TRIES: usize = 250;
/// Connections for reading that are kept open.
const READERS_KEPT: usize = 4;
/// A closure that takes longer than this holds up all other writers too much.
const SLOW: Duration = Duration::from_millis(5);

/// One database file with its connections.
pub(crate) struct Store {
    path: PathBuf,
    /// Changed by who holds the writer.
    ballast: Ballast,
    writer: Mutex<Writer>,
    /// Told whenever a group of decisions has been committed or lost.
    settled: Condvar,
    /// Threads between asking for the writer and holding it; the last one commits for all.
    arriving: AtomicUsize,
    readers: Mutex<Vec<Connection>>,
    /// One that only watches for changes; see [`Store::version`].
    watcher: Mutex<Option<Connection>>,
    slow: AtomicU64,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Store").field("path", &self.path).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens or creates the file.
    pub(crate) fn open(path: &Path) -> Result<Store> {
        let writer = connect(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)
            .and_then(Writer::new)
            .map_err(|error| not_opened(path, &error))?;
        Ok(Store {
            path: path.to_owned(),
            ballast: Ballast::beside(path),
            writer: Mutex::new(writer),
            settled: Condvar::new(),
            arriving: AtomicUsize::new(0),
            readers: Mutex::new(Vec::new()),
            watcher: Mutex::new(None),
            slow: AtomicU64::new(0),
        })
    }

    /// Reads one consistent state.
    pub(crate) fn view<T, E: From<DbError>>(&self, read: impl Fn(&View<'_>) -> Result<T, E>) -> Result<T, E> {
        refuse_nested()?;
        let pooled = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let reader = match pooled {
            Some(reader) => reader,
            None => self.new_reader().map_err(|error| not_opened(&self.path, &error))?,
        };
        let control = |sql: &str| control(&reader, sql);
        control("BEGIN")?;
        let answer = read(&View::new(&reader));
        control("COMMIT")?;
        let mut readers = self.readers.lock().unwrap_or_else(PoisonError::into_inner);
        if readers.len() < READERS_KEPT {
            readers.push(reader);
        }
        answer
    }

    /// A number that is another one after every commit, of whatever process.
    pub(crate) fn version(&self) -> Result<i64> {
        refuse_nested()?;
        let mut watcher = self.watcher.lock().unwrap_or_else(PoisonError::into_inner);
        // It is one connection for ever: the number means something on one only, and it never writes itself.
        let connection = match &mut *watcher {
            Some(connection) => connection,
            empty => empty.insert(self.new_reader().map_err(|error| not_opened(&self.path, &error))?),
        };
        let sql = "PRAGMA data_version";
        let asked = connection.prepare_cached(sql).and_then(|mut statement| statement.query_row((), |row| row.get(0)));
        asked.map_err(|error| DbError::from_sqlite(&error, sql))
    }

    fn new_reader(&self) -> rusqlite::Result<Connection> {
        let reader = connect(&self.path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        reader.pragma_update(None, "query_only", true)?;
        reader.busy_timeout(Duration::from_secs(5))?;
        Ok(reader)
    }

    /// Takes one decision; on return it is on disk, or has left no trace.
    pub(crate) fn write<T, E: From<DbError>>(&self, decide: impl Fn(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        refuse_nested()?;
        self.ended(patiently(|| self.attempt(&decide)))
    }

    /// As [`Store::write`], for what takes away: on a full disk it has the [`Ballast`].
    pub(crate) fn take_away<T, E: From<DbError>>(&self, decide: impl Fn(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        refuse_nested()?;
        match patiently(|| self.attempt(&decide)) {
            Err(DbError::NoRoom { .. }) => self.ended(patiently(|| self.attempt_with_ballast(&decide))),
            ended => self.ended(ended),
        }
    }

    /// What the caller hears of a decision. A ballast that there was no room for is tried again on this occasion.
    fn ended<T, E: From<DbError>>(&self, ended: Result<Result<T, E>>) -> Result<T, E> {
        if ended.is_ok() && self.ballast.is_missing() {
            let _writer = self.lock();
            self.ballast.refill();
        }
        ended.unwrap_or_else(|error| Err(error.within(self.folder()).into()))
    }

    /// Takes a decision in the room that the ballast has had. Nobody else writes until that is made anew.
    fn attempt_with_ballast<T, E: From<DbError>>(&self, decide: &Decision<T, E>) -> Result<Result<T, E>> {
        let mut writer = self.lock();
        writer.settle();
        self.settled.notify_all();
        self.ballast.spend();
        let decided = writer.decide_alone(decide);
        // What the log has grown by is what the ballast lacks. Where readers or another process are in the way it is made
        // later.
        let _ = writer.empty_log();
        self.ballast.refill();
        decided
    }

    /// One try: the outer result is the engine's, the inner one the closure's.
    fn attempt<T, E: From<DbError>>(&self, decide: &Decision<T, E>) -> Result<Result<T, E>> {
        self.arriving.fetch_add(1, Ordering::SeqCst);
        let mut writer = self.lock();
        self.arriving.fetch_sub(1, Ordering::SeqCst);
        let outcome = writer.join_group()?;
        let started = Instant::now();
        let decided = catch_unwind(AssertUnwindSafe(|| writer.decide(decide)));
        if started.elapsed() > SLOW {
            self.slow.fetch_add(1, Ordering::Relaxed);
        }
        if decided.is_err() {
            writer.take_back();
        }
        if writer.group_is_full() || self.arriving.load(Ordering::SeqCst) == 0 {
            writer.settle();
        }
        if writer.has_settled() {
            self.settled.notify_all();
        }
        let decided = match decided {
            Ok(decided) => decided,
            Err(panic) => {
                drop(writer);
                resume_unwind(panic)
            }
        };
        match decided? {
            Ok(answer) => loop {
                match outcome.get() {
                    Some(outcome) => break outcome.clone().map(|()| Ok(answer)),
                    None => writer = self.settled.wait(writer).unwrap_or_else(PoisonError::into_inner),
                }
            },
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Applies an entry that another copy of this database has recorded.
    pub(crate) fn apply(&self, entry: &Entry) -> Result<()> {
        self.lock().apply(entry)
    }

    /// Lets `observer` hear of every entry that is committed from now on.
    pub(crate) fn observe(&self, observer: Observer) {
        self.lock().observe(observer);
    }

    /// Runs statements that no closure may: the schema and the engine's own settings.
    pub(crate) fn with_connection<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        work(self.lock().connection()).map_err(|error| not_opened(&self.path, &error))
    }

    /// Brings everything into the one file, so that a copy of that is whole.
    pub(crate) fn sync(&self) -> Result<()> {
        self.lock().empty_log().map_err(|error| error.within(self.folder()))
    }

    /// How many closures have taken longer than 5 ms.
    pub(crate) fn slow(&self) -> u64 {
        self.slow.load(Ordering::Relaxed)
    }

    /// Makes the ballast whole, and keeps it so from now on as far as the disk has room.
    pub(crate) fn keep_ballast(&self) {
        let _writer = self.lock();
        self.ballast.make();
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(Path::new("."))
    }

    fn lock(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Tries again while another process (somebody's sqlite3) has the lock; SQLite has no event to wait for.
fn patiently<T>(attempt: impl Fn() -> Result<T>) -> Result<T> {
    let mut tries = 1;
    loop {
        match attempt() {
            Err(error) if error.may_be_retried() && tries < MOST_TRIES => {
                std::thread::sleep(jitter());
                tries += 1;
            }
            ended => return ended,
        }
    }
}

fn connect(path: &Path, flags: OpenFlags) -> rusqlite::Result<Connection> {
    let connection = Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    connection.set_prepared_statement_cache_capacity(256);
    // Else SQLite reads and plans a statement anew whenever a value is bound, in case the plan depends on it: ours do not,
    // and that takes longer than to run them.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    Ok(connection)
}

/// Runs a statement that begins or ends something; the next time it need not be read again.
pub(crate) fn control(connection: &Connection, sql: &str) -> Result<()> {
    let run = connection.prepare_cached(sql).and_then(|mut statement| statement.execute(()));
    run.map(drop).map_err(|error| DbError::from_sqlite(&error, sql))
}

fn not_opened(path: &Path, error: &rusqlite::Error) -> DbError {
    match DbError::from_sqlite(error, "") {
        DbError::Busy => DbError::Busy,
        no_room @ DbError::NoRoom { .. } => no_room.within(path.parent().unwrap_or(Path::new("."))),
        _ => DbError::Open { path: path.display().to_string(), message: error.to_string() },
    }
}

/// A pause of 10 to 30 ms, different each time, so that processes which collided do not collide again.
fn jitter() -> Duration {
    Duration::from_millis(10 + RandomState::new().hash_one(0) % 21)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Result;
    use crate::params;
    use rusqlite::StatementStatus;

    #[test]
    fn a_commit_by_anyone_makes_another_version() {
        let folder = std::env::temp_dir().join(format!("corten-db-version-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let store = Store::open(&folder.join("version.db")).expect("opens");
        let mut last = store.version().expect("a number");
        let mut has_changed = || {
            let version = store.version().expect("a number");
            std::mem::replace(&mut last, version) != version
        };
        assert!(!has_changed());
        store.write(|tx| tx.exec("CREATE TABLE t (v TEXT)", params![])).expect("a table");
        assert!(has_changed() && !has_changed());
        let refused: Result<()> = store.write(|tx| {
            tx.exec("INSERT INTO t VALUES ('x')", params![])?;
            Err(DbError::NotFound("nothing".to_string()))
        });
        refused.expect_err("taken back");
        // Whether what is taken back counts is SQLite's affair: it may have been in the file for a moment.
        has_changed();
        assert!(!has_changed());
        store.write(|tx| tx.exec("INSERT INTO t VALUES ('x')", params![])).expect("written");
        assert!(has_changed() && !has_changed());
        let other = connect(&folder.join("version.db"), OpenFlags::SQLITE_OPEN_READ_WRITE).expect("opens");
        other.execute("DELETE FROM t", ()).expect("deleted");
        assert!(has_changed() && !has_changed());
        store.sync().expect("brought into one file");
        store.write(|tx| tx.exec("INSERT INTO t VALUES ('y')", params![])).expect("written");
        assert!(has_changed());
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    #[test]
    fn a_statement_is_planned_once() {
        let folder = std::env::temp_dir().join(format!("corten-db-planned-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let store = Store::open(&folder.join("planned.db")).expect("opens");
        let tables = "CREATE TABLE things (name TEXT, owner INTEGER, UNIQUE (owner, name));";
        store.with_connection(|connection| connection.execute_batch(tables)).expect("tables");
        let sql = "SELECT name FROM things WHERE owner = ?1 ORDER BY owner, name";
        for owner in 0..5 {
            let found: Result<Vec<String>> = store.view(|view| view.rows(sql, params![owner]));
            assert_eq!(found, Ok(Vec::new()));
        }
        let readers = store.readers.lock().expect("no panic");
        let statement = readers[0].prepare_cached(sql).expect("it is kept");
        assert_eq!(statement.get_status(StatementStatus::RePrepare), 0);
        std::fs::remove_dir_all(&folder).expect("removed");
    }

    /// When the disk is full SQLite may give up the whole transaction; the decision fails, and the next one that fits goes.
    #[test]
    fn a_full_disk_refuses_and_leaves_the_rest() {
        let folder = std::env::temp_dir().join(format!("corten-db-full-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let store = Store::open(&folder.join("full.db")).expect("opens");
        store.write(|tx| tx.exec("CREATE TABLE t (v TEXT)", params![])).expect("a table");
        let limit = |pages: i64| {
            let set = |c: &Connection| c.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(()));
            store.with_connection(set).expect("a limit");
        };
        limit(4);
        let insert = |size: usize| store.write(|tx| tx.exec("INSERT INTO t VALUES (?1)", params!["x".repeat(size)]));
        let error = insert(100_000).expect_err("does not fit");
        assert!(matches!(&error, DbError::NoRoom { message, .. } if message.contains("full")), "{error}");
        insert(10).expect("fits");
        limit(1000);
        insert(100_000).expect("fits now");
        let count: Result<i64> = store.view(|view| view.one("SELECT count(*) FROM t", params![]));
        assert_eq!(count, Ok(2));
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
