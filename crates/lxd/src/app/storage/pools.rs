//! The open pools, by name.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};

use corten_api::error::{Error, Result};
use corten_db::table::storage_pools;
use corten_storage::pool::Pool;

use crate::app::App;
use crate::rest::turn::Turns;

/// Pools that have been asked for since the daemon started.
#[derive(Default)]
pub struct Pools {
    open: RwLock<HashMap<String, Pool>>,
    /// Held while a pool is made, changed or removed: one at a time.
    changing: Mutex<()>,
    /// Held for a volume, `POOL/PROJECT_NAME`, while its files get other owners.
    pub shifting: Turns,
    /// Held for a volume, `POOL/PROJECT_NAME`, while what is meant with it is written down.
    pub noting: Turns,
    generation: AtomicU64,
}

impl Pools {
    /// The pool `name`.
    ///
    /// # Errors
    /// 404 when there is none; when its driver is not known.
    pub fn get(app: &App, name: &str) -> Result<Pool> {
        if let Some(pool) = app.pools.open.read().unwrap_or_else(PoisonError::into_inner).get(name) {
            return Ok(pool.clone());
        }
        let row = app.view(|view| Ok(storage_pools::get(view, name)?))?;
        let row = row.ok_or_else(|| Error::not_found("Storage pool not found"))?;
        let pool = Pool::open(&row.driver, name, &app.dirs.var, row.config)?;
        let mut open = app.pools.open.write().unwrap_or_else(PoisonError::into_inner);
        Ok(open.entry(name.to_string()).or_insert(pool).clone())
    }

    /// Knows a pool that has just been made.
    pub fn add(&self, pool: Pool) {
        self.open.write().unwrap_or_else(PoisonError::into_inner).insert(pool.name().to_string(), pool);
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// Forgets a pool that is gone.
    pub fn remove(&self, name: &str) {
        self.open.write().unwrap_or_else(PoisonError::into_inner).remove(name);
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// A number that moves when pools come or go.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    /// Keeps other changes of pools out while it is held.
    pub fn change(&self) -> MutexGuard<'_, ()> {
        self.changing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
