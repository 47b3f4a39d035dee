//! The certificates that are trusted, held in memory beside their table.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{PoisonError, RwLock};

use super::authority::Authority;
use super::certificate;
use crate::rest::tls::fingerprint;

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
    /// In PKI mode, who must have signed a certificate that counts.
    authority: Option<Authority>,
    /// `core.trust_ca_certificates`: its signature is enough.
    trusts_authority: AtomicBool,
}

impl TrustStore {
    /// A store in PKI mode, when there is an authority.
    pub fn under(authority: Option<Authority>) -> TrustStore {
        TrustStore { authority, ..TrustStore::default() }
    }

    /// Whether a certificate (DER) counts at all: in PKI mode only those of the authority do.
    pub fn counts(&self, certificate: &[u8]) -> bool {
        self.authority.as_ref().is_none_or(|authority| authority.has_signed(certificate))
    }

    /// Names (DER) of those who must have signed a certificate that counts; none when any may.
    pub fn authorities(&self) -> Vec<Vec<u8>> {
        self.authority.iter().map(Authority::subject).collect()
    }

    /// Says whether the authority's signature is enough (`core.trust_ca_certificates`).
    pub fn trust_authority(&self, enough: bool) {
        self.trusts_authority.store(enough, Ordering::Release);
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// What a certificate (DER) is good for now; `None` when it is not trusted, or not valid.
    pub fn judge(&self, certificate: &[u8]) -> Option<Use> {
        if !certificate::is_valid(certificate) {
            return None;
        }
        if let Some(authority) = &self.authority
            && self.trusts_authority.load(Ordering::Acquire)
            && authority.has_signed(certificate)
        {
            return (!authority.has_revoked(certificate)).then_some(Use::Client);
        }
        self.find(&fingerprint(certificate))
    }

    /// Makes exactly these the trusted ones; connections are judged anew at their next request.
    pub fn replace(&self, known: HashMap<String, Use>) {
        *self.known.write().unwrap_or_else(PoisonError::into_inner) = known;
        self.generation.fetch_add(1, Ordering::Release);
    }

    /// What a certificate is good for; `None` when it is not trusted.
    fn find(&self, fingerprint: &str) -> Option<Use> {
        self.known.read().unwrap_or_else(PoisonError::into_inner).get(fingerprint).cloned()
    }

    /// A number that moves with every change.
    pub fn generation(&self) -> u64 {
        self.generation.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::authority::tests::sample;

    #[test]
    fn an_authority_is_trusted_when_that_is_asked_for() {
        let (authority, good, bad) = sample();
        let (_, stranger, _) = sample();
        let store = TrustStore::under(Some(authority));
        store.replace([(fingerprint(&bad), Use::Client)].into());
        assert!(store.counts(&good) && !store.counts(&stranger));
        assert_eq!((store.judge(&good), store.judge(&bad)), (None, Some(Use::Client)));
        store.trust_authority(true);
        assert_eq!((store.judge(&good), store.judge(&bad)), (Some(Use::Client), None));
        assert!(TrustStore::default().counts(&stranger));
    }
}
