//! PKI mode: with a `server.ca` beside the server's certificate, only clients count whose certificates it has signed.

use std::path::Path;

use corten_api::error::{Context, Error, Result};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, CertificateRevocationListDer};
use x509_parser::prelude::{CertificateRevocationList, FromDer, X509Certificate};

/// An authority and the certificates that it has taken back.
#[derive(Clone, Debug)]
pub struct Authority {
    /// Its certificate in DER.
    certificate: Vec<u8>,
    /// Serial numbers, as in the certificates.
    revoked: Vec<Vec<u8>>,
}

impl Authority {
    /// Reads `server.ca` and `ca.crl` in the daemon's directory; `None` without the first.
    ///
    /// # Errors
    /// When they cannot be read: a server that was to trust few must not start trusting more.
    pub fn load(dir: &Path) -> Result<Option<Authority>> {
        let Some(pem) = read(&dir.join("server.ca"))? else { return Ok(None) };
        let wrong =
            |name: &str, reason: &dyn std::fmt::Display| Error::internal(format!("Failed to read {name}: {reason}"));
        let certificate = CertificateDer::from_pem_slice(&pem).map_err(|error| wrong("server.ca", &error))?.to_vec();
        X509Certificate::from_der(&certificate).map_err(|error| wrong("server.ca", &error))?;
        let Some(pem) = read(&dir.join("ca.crl"))? else {
            return Ok(Some(Authority { certificate, revoked: Vec::new() }));
        };
        let list = CertificateRevocationListDer::from_pem_slice(&pem).map_err(|error| wrong("ca.crl", &error))?;
        let (_, list) = CertificateRevocationList::from_der(&list).map_err(|error| wrong("ca.crl", &error))?;
        let revoked = list.iter_revoked_certificates().map(|one| one.raw_serial().to_vec()).collect();
        Ok(Some(Authority { certificate, revoked }))
    }

    /// Its name as X.509 writes it (DER), by which clients find the certificate to show.
    pub fn subject(&self) -> Vec<u8> {
        X509Certificate::from_der(&self.certificate).map(|(_, ca)| ca.subject().as_raw().to_vec()).unwrap_or_default()
    }

    /// Whether it has signed a certificate (DER).
    pub fn has_signed(&self, certificate: &[u8]) -> bool {
        let (Ok((_, ca)), Ok((_, shown))) =
            (X509Certificate::from_der(&self.certificate), X509Certificate::from_der(certificate))
        else {
            return false;
        };
        shown.issuer().as_raw() == ca.subject().as_raw() && shown.verify_signature(Some(ca.public_key())).is_ok()
    }

    /// Whether it has taken a certificate (DER) back.
    pub fn has_revoked(&self, certificate: &[u8]) -> bool {
        X509Certificate::from_der(certificate)
            .is_ok_and(|(_, shown)| self.revoked.iter().any(|serial| serial == shown.raw_serial()))
    }
}

fn read(path: &Path) -> Result<Option<Vec<u8>>> {
    match std::fs::read(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some).with_context(|| format!("Failed to read {}", path.display())),
    }
}

/// What tests of certificates use.
#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair};

    /// An authority that has signed two certificates and taken the second back.
    pub(in crate::auth) fn sample() -> (Authority, Vec<u8>, Vec<u8>) {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        let certificate = params.self_signed(&key).expect("signed").der().to_vec();
        let issuer = Issuer::new(params, key);
        let signed = || {
            let params = CertificateParams::new(vec!["client".to_string()]).expect("a name");
            let key = KeyPair::generate().expect("a key");
            params.signed_by(&key, &issuer).expect("signed").der().to_vec()
        };
        let (good, bad) = (signed(), signed());
        let serial = X509Certificate::from_der(&bad).expect("X.509").1.raw_serial().to_vec();
        (Authority { certificate, revoked: vec![serial] }, good, bad)
    }

    #[test]
    fn its_own_certificates_are_known() {
        let (authority, good, bad) = sample();
        let (_, stranger, _) = sample();
        assert!(authority.has_signed(&good) && authority.has_signed(&bad));
        assert!(!authority.has_signed(&stranger) && !authority.has_signed(b"no"));
        assert!(authority.has_revoked(&bad) && !authority.has_revoked(&good));
    }

    #[test]
    fn what_cannot_be_read_is_no_authority_but_an_error() {
        let folder = std::env::temp_dir().join(format!("corten-authority-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        assert!(Authority::load(&folder).expect("nothing there").is_none());
        std::fs::write(folder.join("server.ca"), "no").expect("written");
        assert!(Authority::load(&folder).expect_err("no certificate").message.starts_with("Failed to read server.ca"));
        std::fs::remove_dir_all(&folder).expect("ours");
    }
}
