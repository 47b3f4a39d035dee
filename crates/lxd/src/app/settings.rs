//! The server's configuration, held in memory beside the two tables that remember it.

use super::App;
use super::database::db_error;
use corten_api::error::Result;
use corten_client::proxy::{self, Proxies};
use corten_db::Db;
use corten_db::table::config;
use hyper::HeaderMap;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, HeaderName, HeaderValue, ORIGIN,
};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

/// Keys by name.
pub type Keys = BTreeMap<String, String>;

/// The configuration now.
pub struct Settings {
    keys: RwLock<Arc<Keys>>,
    /// Headers that answers to other sites' pages carry.
    cors: RwLock<Option<Vec<(HeaderName, HeaderValue)>>>,
    generation: AtomicU64,
}

impl Settings {
    /// Reads both tables.
    ///
    /// # Errors
    /// When the database fails.
    pub fn load(db: &Db) -> Result<Settings> {
        let mut keys = db.view(config::all).map_err(db_error)?;
        keys.extend(db.view_local(config::all).map_err(db_error)?);
        let settings = Settings { keys: RwLock::default(), cors: RwLock::default(), generation: AtomicU64::new(0) };
        settings.put(keys);
        Ok(settings)
    }

    /// All keys that have a value.
    pub fn all(&self) -> Arc<Keys> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// One key's value; `None` when it has none.
    pub fn get(&self, key: &str) -> Option<String> {
        self.all().get(key).cloned()
    }

    /// One key's value, or what holds without one.
    pub fn get_or(&self, key: &str, default: &str) -> String {
        self.get(key).unwrap_or_else(|| default.to_string())
    }

    /// A number that moves with every change.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    fn put(&self, keys: Keys) {
        let cors = cors_headers(&keys);
        let word = |key: &str| keys.get(key).cloned().unwrap_or_default();
        proxy::configure(Proxies {
            https: word("core.proxy_https"),
            http: word("core.proxy_http"),
            except: word("core.proxy_ignore_hosts"),
        });
        *self.cors.write().unwrap_or_else(PoisonError::into_inner) = (!cors.is_empty()).then_some(cors);
        *self.keys.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(keys);
        self.generation.fetch_add(1, Ordering::Relaxed);
    }

    /// Adds the headers that let other sites' pages talk to this server, as configured.
    pub fn cors(&self, asked: &HeaderMap, answer: &mut HeaderMap) {
        let cors = self.cors.read().unwrap_or_else(PoisonError::into_inner);
        let Some(headers) = &*cors else { return };
        for (name, value) in headers {
            if asked.contains_key(ORIGIN) || name == ACCESS_CONTROL_ALLOW_CREDENTIALS {
                answer.insert(name, value.clone());
            }
        }
    }
}

fn cors_headers(keys: &Keys) -> Vec<(HeaderName, HeaderValue)> {
    let table = [
        ("core.https_allowed_origin", ACCESS_CONTROL_ALLOW_ORIGIN),
        ("core.https_allowed_methods", ACCESS_CONTROL_ALLOW_METHODS),
        ("core.https_allowed_headers", ACCESS_CONTROL_ALLOW_HEADERS),
    ];
    let mut headers = Vec::new();
    for (key, name) in table {
        if let Some(value) = keys.get(key).and_then(|value| HeaderValue::from_str(value).ok()) {
            headers.push((name, value));
        }
    }
    if keys.get("core.https_allowed_credentials").is_some_and(|value| is_true(value)) {
        headers.push((ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true")));
    }
    headers
}

/// Whether a configuration value says yes, in any of LXD's words for it.
pub fn is_true(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "true" | "1" | "yes" | "on")
}

/// What a change made of each key that it touched; a removed key has the empty string.
pub type Changed = BTreeMap<String, String>;

impl App {
    /// Replaces the configuration, each key going to the table that holds it, and says what changed.
    ///
    /// # Errors
    /// When the database fails.
    pub fn save_settings(&self, keys: &Keys, is_local: impl Fn(&str) -> bool) -> Result<Changed> {
        let old = self.settings.all();
        let split = |local: bool| {
            let own = keys.iter().filter(|(key, value)| is_local(key) == local && !value.is_empty());
            own.map(|(key, value)| (key.clone(), value.clone())).collect::<Keys>()
        };
        let (local, global) = (split(true), split(false));
        self.db.write_local(|tx| config::replace(tx, &local)).map_err(db_error)?;
        self.db.write(|tx| config::replace(tx, &global)).map_err(db_error)?;
        let all: Keys = local.into_iter().chain(global).collect();
        let mut changed: Changed =
            old.keys().filter(|key| !all.contains_key(*key)).map(|k| (k.clone(), String::new())).collect();
        changed.extend(
            all.iter().filter(|(key, value)| old.get(*key) != Some(value)).map(|(k, v)| (k.clone(), v.clone())),
        );
        self.settings.put(all);
        Ok(changed)
    }
}

/// Keys that belong to this member, and are kept in its own database.
const LOCAL: [&str; 10] = [
    "cluster.https_address",
    "core.bgp_address",
    "core.bgp_routerid",
    "core.debug_address",
    "core.dns_address",
    "core.https_address",
    "core.metrics_address",
    "maas.machine",
    "storage.backups_volume",
    "storage.images_volume",
];

/// Whether a key is kept in the local database.
pub fn is_local(key: &str) -> bool {
    LOCAL.contains(&key)
}
