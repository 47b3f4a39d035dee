//! The one connection that writes: decisions as savepoints inside a transaction that several of them share.
//!
//! A commit costs an fsync. While other threads are waiting to decide, the transaction stays open for them, and the
//! last
//! one commits for all; each caller returns only after that commit.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, OnceLock};

use rusqlite::Connection;

use crate::deterministic;
use crate::entry::{Entry, Guard, Statement};
use crate::error::{DbError, Result};
use crate::store;
use crate::tx::Tx;

/// Most decisions that share one commit, so that the first of them does not wait for long.
const GROUP_LIMIT: usize = 64;

/// Hears of every committed entry, in order.
pub(crate) type Observer = Box<dyn FnMut(&Entry) + Send>;

/// What a caller decides by.
pub(crate) type Decision<'d, T, E> = dyn Fn(&mut Tx<'_>) -> Result<T, E> + 'd;

/// How the shared commit ended, for all who wait for it.
pub(crate) type Outcome = Arc<OnceLock<Result<()>>>;

pub(crate) struct Writer {
    connection: Connection,
    group: Option<Group>,
    applied: u64,
    observer: Option<Observer>,
}

/// What a closure gave, and what it wrote if it wrote anything.
type Whole<T> = (T, Option<Vec<Statement>>);

/// Decisions waiting for the same commit.
struct Group {
    outcome: Outcome,
    entries: Vec<Entry>,
}

thread_local! {
    static DECIDING: Cell<bool> = const { Cell::new(false) };
}

/// Refuses a read or write of the database from inside a decision: it would wait for itself, or not see its own writes.
pub(crate) fn refuse_nested() -> Result<()> {
    match DECIDING.get() {
        true => Err(DbError::NotAllowed("a decision may use the database only through its own tx".to_owned())),
        false => Ok(()),
    }
}

/// Marks this thread as deciding, until dropped.
struct Deciding;

impl Deciding {
    fn start() -> Deciding {
        DECIDING.set(true);
        Deciding
    }
}

impl Drop for Deciding {
    fn drop(&mut self) {
        DECIDING.set(false);
    }
}

impl Writer {
    pub(crate) fn new(connection: Connection) -> rusqlite::Result<Writer> {
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        // What a large deletion is taken back by must not want a file on a disk that is full.
        connection.pragma_update(None, "temp_store", "memory")?;
        deterministic::forbid(&connection)?;
        Ok(Writer { connection, group: None, applied: 0, observer: None })
    }

    pub(crate) fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(crate) fn observe(&mut self, observer: Observer) {
        self.observer = Some(observer);
    }

    /// Begins a transaction unless one waits to be shared.
    pub(crate) fn join_group(&mut self) -> Result<Outcome> {
        if let Some(group) = &self.group {
            return Ok(group.outcome.clone());
        }
        self.control("BEGIN IMMEDIATE")?;
        let outcome = Outcome::default();
        self.group = Some(Group { outcome: outcome.clone(), entries: Vec::new() });
        Ok(outcome)
    }

    pub(crate) fn group_is_full(&self) -> bool {
        self.group.as_ref().is_some_and(|group| group.entries.len() >= GROUP_LIMIT)
    }

    pub(crate) fn has_settled(&self) -> bool {
        self.group.is_none()
    }

    /// Runs a closure inside a savepoint; a refusal takes back what it wrote, and only that. The outer result is the
    /// engine's.
    pub(crate) fn decide<T, E: From<DbError>>(&mut self, decide: &Decision<T, E>) -> Result<Result<T, E>> {
        let deciding = Deciding::start();
        self.control("SAVEPOINT decision")?;
        let ended = self.run(decide);
        drop(deciding);
        let ended = ended.and_then(|ended| match ended {
            Ok(whole) => self.control("RELEASE decision").map(|()| Ok(whole)),
            Err(refused) => Ok(Err(refused)),
        });
        match ended {
            Ok(Ok((answer, statements))) => {
                self.remember(statements);
                Ok(Ok(answer))
            }
            Ok(Err(refused)) => {
                self.take_back();
                Ok(Err(refused))
            }
            Err(error) => {
                self.take_back();
                Err(error)
            }
        }
    }

    /// Takes one decision in a transaction of its own. The outer result is the engine's.
    pub(crate) fn decide_alone<T, E: From<DbError>>(&mut self, decide: &Decision<T, E>) -> Result<Result<T, E>> {
        self.settle();
        let outcome = self.join_group()?;
        let decided = catch_unwind(AssertUnwindSafe(|| self.decide(decide)));
        if decided.is_err() {
            self.take_back();
        }
        self.settle();
        let answer = decided.unwrap_or_else(|panic| resume_unwind(panic))?;
        outcome.get().cloned().unwrap_or(Ok(())).map(|()| answer)
    }

    /// Moves what the log holds into the database's own file as far as readers let it, and gives the log's room back.
    pub(crate) fn empty_log(&self) -> Result<()> {
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        // It answers with a row: whether others were in the way, and numbers of pages.
        let emptied = self.connection.query_row(sql, [], |_| Ok(()));
        emptied.map_err(|error| DbError::from_sqlite(&error, sql))
    }

    /// Runs the closure, in debug builds twice, since it must be able to run again.
    fn run<T, E: From<DbError>>(&self, decide: &Decision<T, E>) -> Result<Result<Whole<T>, E>> {
        let first = match self.once(decide)? {
            Ok(first) if cfg!(debug_assertions) => first,
            ended => return Ok(ended),
        };
        self.control("ROLLBACK TO decision")?;
        let second = self.once(decide)?;
        if let Ok(second) = &second
            && first.1 != second.1
        {
            let text = |statements: &Option<Vec<Statement>>| format!("{statements:?}");
            return Err(DbError::NotPure { first: text(&first.1), second: text(&second.1) });
        }
        Ok(second)
    }

    fn once<T, E>(&self, decide: &Decision<T, E>) -> Result<Result<Whole<T>, E>> {
        let mut tx = Tx::new(&self.connection, cfg!(debug_assertions) || self.observer.is_some());
        match decide(&mut tx) {
            Ok(answer) => Ok(Ok((answer, tx.wrote().then(|| tx.into_statements())))),
            Err(refused) => tx.no_room().map_or(Ok(Err(refused)), Err),
        }
    }

    fn remember(&mut self, statements: Option<Vec<Statement>>) {
        if let (Some(group), Some(statements)) = (&mut self.group, statements) {
            let guard = Guard::Base(self.applied + group.entries.len() as u64);
            group.entries.push(Entry { guard, statements });
        }
    }

    /// Takes back the open savepoint. On a full disk SQLite itself may have rolled back everything, then the group
    /// is lost.
    pub(crate) fn take_back(&mut self) {
        let undone = self.control("ROLLBACK TO decision").and_then(|()| self.control("RELEASE decision"));
        if let Err(error) = undone {
            self.lose_group(error);
        }
    }

    /// Commits what the group has decided, and tells all who wait for it.
    pub(crate) fn settle(&mut self) {
        if self.group.is_none() {
            return;
        }
        if let Err(error) = self.control("COMMIT") {
            return self.lose_group(error);
        }
        let Some(group) = self.group.take() else { return };
        self.applied += group.entries.len() as u64;
        if let Some(observer) = &mut self.observer {
            group.entries.iter().for_each(observer);
        }
        // Nobody else sets it: the group has just been taken from its only place.
        let _ = group.outcome.set(Ok(()));
    }

    fn lose_group(&mut self, error: DbError) {
        if !self.connection.is_autocommit() {
            // The failure that brought us here is the one to report.
            let _ = self.control("ROLLBACK");
        }
        if let Some(group) = self.group.take() {
            let _ = group.outcome.set(Err(error));
        }
    }

    /// Applies an entry recorded elsewhere, if its guard holds.
    pub(crate) fn apply(&mut self, entry: &Entry) -> Result<()> {
        let Guard::Base(base) = entry.guard;
        if self.group.is_some() || base != self.applied {
            return Err(DbError::Conflict { base, applied: self.applied });
        }
        self.decide_alone(&|tx: &mut Tx<'_>| -> Result<()> {
            entry.statements.iter().try_for_each(|statement| tx.exec(&statement.sql, &statement.values).map(drop))
        })?
    }

    fn control(&self, sql: &str) -> Result<()> {
        store::control(&self.connection, sql)
    }
}
