//! The certificates that are trusted, held in memory beside their table.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

/// What a trusted certificate is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Use {
    /// For everything.
    Client,
    /// For these projects.
    Projects(BTreeSet<String>),
    /// For reading metrics.
    Metrics,
}

/// Trusted certificates by fingerprint.
#[derive(Default)]
pub struct TrustStore {
    known: RwLock<HashMap<String, Use>>,
    generation: AtomicU64,
}

impl TrustStore {
    /// Makes exactly these the trusted ones; connections are judged anew at their next request.
    pub fn replace(&self, known: HashMap<String, Use>) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// What a certificate is good for; `None` when it is not trusted.
    pub fn find(&self, fingerprint: &str) -> Option<Use> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(fingerprint).cloned()
    }

    /// A number that moves with every change.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }
}
