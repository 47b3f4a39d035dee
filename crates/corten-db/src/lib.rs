//! What is remembered: LXD's tables in SQLite, one closure per decision.
//!
//! ```
//! # fn main() -> Result<(), corten_db::error::DbError> {
//! # let folder = std::env::temp_dir().join(format!("corten-db-doc-{}", std::process::id()));
//! use corten_db::{Db, Opening, error::DbError, table::config};
//! let db = Db::open(&folder, &Opening::here(318))?;
//! db.write(|tx| config::set(tx, "core.trust_password", Some("secret")))?;
//! let all = db.view(config::all)?;
//! assert_eq!(all["core.trust_password"], "secret");
//! # std::fs::remove_dir_all(&folder).ok();
//! # Ok(())
//! # }
//! ```
//!
//! Rules for closures (they are `Fn`, and debug builds run them twice): no effect but through `tx`, no clock, no random
//! numbers, no lock; facts come in as captured values. A closure may end in the caller's own error: see
//! [`error::Abort`].
#![forbid(unsafe_code)]

pub mod ballast;
mod birth;
pub mod console;
mod deterministic;
pub mod dump;
pub mod entry;
pub mod error;
mod patch;
pub mod row;
mod schema;
mod store;
pub mod table;
pub mod tx;
pub mod value;
mod writer;

use std::fs::DirBuilder;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::ballast::Ballast;
use crate::entry::Entry;
use crate::error::{DbError, Result};
pub use crate::schema::Opening;
use crate::store::Store;
pub use crate::tx::{Tx, View};
pub use crate::value::Value;

/// The id of the row in `nodes` for this server, until hosts form a cluster.
pub const THIS_NODE: i64 = 1;

/// Which of the two files is meant, in words of `lxd sql`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// `local.db`: this member's own, never replicated.
    Local,
    /// `global/db.bin`: what a cluster shares.
    Global,
}

fn global_in(dir: &Path) -> PathBuf {
    dir.join("global/db.bin")
}

/// Both databases of a server.
#[derive(Debug)]
pub struct Db {
    local: Store,
    global: Store,
}

impl Db {
    /// Opens `dir/local.db` and `dir/global/db.bin`; makes them with LXD's first rows if they are not there. Statements
    /// in `dir/patch.local.sql` and `dir/patch.global.sql` are run first, once.
    ///
    /// A disk that is full keeps nobody from opening what is there: SQLite's log needs a little room, which the ballast has.
    pub fn open(dir: &Path, opening: &Opening) -> Result<Db> {
        match Db::open_once(dir, opening) {
            Err(DbError::NoRoom { .. }) if Ballast::beside(&global_in(dir)).spend() => Db::open_once(dir, opening),
            opened => opened,
        }
    }

    fn open_once(dir: &Path, opening: &Opening) -> Result<Db> {
        let folder = dir.join("global");
        DirBuilder::new().recursive(true).mode(0o700).create(&folder).map_err(|error| DbError::Open {
            path: folder.display().to_string(),
            message: format!("cannot make the folder: {error}"),
        })?;
        let open = |path: &Path, which| {
            birth::ensure(path, which, opening)?;
            let store = Store::open(path)?;
            schema::ensure(&store, which, opening)?;
            patch::apply(&store, dir, which)?;
            Ok(store)
        };
        Ok(Db { local: open(&dir.join("local.db"), Which::Local)?, global: open(&global_in(dir), Which::Global)? })
    }

    fn store(&self, which: Which) -> &Store {
        match which {
            Which::Local => &self.local,
            Which::Global => &self.global,
        }
    }

    /// Takes a decision on the global database. On return it is on disk, or has left no trace.
    pub fn write<T, E: From<DbError>>(&self, decide: impl Fn(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        self.global.write(decide)
    }

    /// As [`Db::write`], for decisions that take away, or take back what was not to be: they succeed on a full disk too, in
    /// room that is kept for them (see [`Db::keep_ballast`]). What adds must not come through this door.
    pub fn take_away<T, E: From<DbError>>(&self, decide: impl Fn(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        self.global.take_away(decide)
    }

    /// Keeps a [`ballast`] beside the global database from now on. Without room for one it is made after the first write that
    /// finds some. The local database has none, since nothing is ever taken away from that.
    pub fn keep_ballast(&self) {
        self.global.keep_ballast();
    }

    /// Reads one consistent state of the global database.
    pub fn view<T, E: From<DbError>>(&self, read: impl Fn(&View<'_>) -> Result<T, E>) -> Result<T, E> {
        self.global.view(read)
    }

    /// A number that is another one once something was committed to the global database, by this process or another; while
    /// nobody writes it stays the same. Ask for it before you read what you keep: what is kept beside it is then as new
    /// as the number says, or newer.
    pub fn version(&self) -> Result<i64> {
        self.global.version()
    }

    /// Takes a decision on the local database.
    pub fn write_local<T, E: From<DbError>>(&self, decide: impl Fn(&mut Tx<'_>) -> Result<T, E>) -> Result<T, E> {
        self.local.write(decide)
    }

    /// Reads one consistent state of the local database.
    pub fn view_local<T, E: From<DbError>>(&self, read: impl Fn(&View<'_>) -> Result<T, E>) -> Result<T, E> {
        self.local.view(read)
    }

    /// Lets `observer` hear of every entry of the global database from now on, in order, after its commit.
    pub fn observe(&self, observer: impl FnMut(&Entry) + Send + 'static) {
        self.global.observe(Box::new(observer));
    }

    /// Applies to the global database an entry that another copy has recorded; [`DbError::Conflict`] if its guard
    /// fails.
    pub fn apply(&self, entry: &Entry) -> Result<()> {
        self.global.apply(entry)
    }

    /// How many closures have held the writer for more than 5 ms since the start.
    pub fn slow_decisions(&self) -> u64 {
        self.local.slow() + self.global.slow()
    }
}
