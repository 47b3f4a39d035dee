//! From a connection to the one who asks.

use super::trust::{TrustStore, Use};
use crate::rest::peer::{Peer, Requestor, Trust};
use crate::rest::tls::fingerprint;

/// Says who is at the other end: local users are trusted by the socket's mode, others by their certificate.
pub fn identify(peer: &Peer, store: &TrustStore) -> Requestor {
    match peer {
        Peer::Unix { user, .. } => Requestor {
            username: user.clone(),
            protocol: "unix",
            address: "@".to_string(),
            trust: Trust::Admin,
            certificate: None,
            instance: None,
        },
        // Instances have an API of their own, and are nobody here.
        Peer::Instance(_) => Requestor {
            username: String::new(),
            protocol: "",
            address: String::new(),
            trust: Trust::Untrusted,
            certificate: None,
            instance: None,
        },
        Peer::Tls { address, certificate } => {
            let certificate = certificate.as_deref().filter(|der| store.counts(der));
            let name = certificate.map(fingerprint).unwrap_or_default();
            let trust = match certificate.and_then(|der| store.judge(der)) {
                None => Trust::Untrusted,
                Some(Use::Client) => Trust::Admin,
                Some(Use::Projects(projects)) => Trust::Projects(projects),
                Some(Use::Metrics) => Trust::Metrics,
            };
            let known = trust != Trust::Untrusted;
            Requestor {
                username: if known { name } else { String::new() },
                protocol: if known { "tls" } else { "" },
                address: address.to_string(),
                trust,
                certificate: certificate.map(<[u8]>::to_vec),
                instance: None,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trust_comes_from_the_socket_or_the_certificate() {
        let store = TrustStore::default();
        let local = identify(&Peer::Unix { uid: 0, user: "root".into() }, &store);
        assert_eq!((local.username.as_str(), local.protocol, local.address.as_str()), ("root", "unix", "@"));
        let peer = |certificate| Peer::Tls { address: ([10, 0, 0, 1], 5).into(), certificate };
        assert_eq!(identify(&peer(None), &store).trust, Trust::Untrusted);
        let made = crate::rest::tls::Identity::make("h").expect("made");
        let der = crate::rest::tls::certificate_der(&made.certificate).expect("PEM");
        let shown = peer(Some(der.clone()));
        assert!(!identify(&shown, &store).is_trusted());
        let before = store.generation();
        store.replace([(fingerprint(&der), Use::Projects(["p".to_string()].into()))].into());
        assert_ne!(store.generation(), before);
        let known = identify(&shown, &store);
        assert_eq!((known.protocol, known.address.as_str()), ("tls", "10.0.0.1:5"));
        assert!(known.may_enter("p") && !known.may_enter("default") && !known.is_admin());
    }
}
