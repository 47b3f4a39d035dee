//! TLS as LXD's clients use it: our own certificate shown, the server's compared with the one known, or with the
//! system's authorities for servers of the wide world.

use std::sync::Arc;

use corten_api::error::{Error, Result};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme};

/// Where Debian and its relatives keep all authorities in one file.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Whom to believe.
pub enum Trust {
    /// This certificate (DER) and no other, whatever its names and dates.
    Pinned(CertificateDer<'static>),
    /// Authorities of the system, and those of the file that `SSL_CERT_FILE` names.
    System,
    /// Anyone: only to look at a certificate before a user decides about it.
    Anyone,
}

/// What a client shows of itself.
pub struct Identity {
    /// Certificate, PEM.
    pub certificate: String,
    /// Private key, PEM.
    pub key: String,
}

/// The settings of TLS for a server.
///
/// # Errors
/// When our certificate or the authorities cannot be read.
pub fn config(trust: Trust, identity: Option<&Identity>) -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::internal(format!("Failed to set up TLS: {error}")))?;
    let builder = match trust {
        Trust::System => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Authorities::new(system_certificates()?, provider)?)),
        Trust::Pinned(known) => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(ThisOne { known: Some(known), provider }))
        }
        Trust::Anyone => {
            builder.dangerous().with_custom_certificate_verifier(Arc::new(ThisOne { known: None, provider }))
        }
    };
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => builder
            .with_client_auth_cert(certificates(&identity.certificate)?, private_key(&identity.key)?)
            .map_err(|error| Error::invalid(format!("The client certificate and key cannot be used: {error}")))?,
    };
    Ok(Arc::new(config))
}

/// All certificates of a PEM text.
///
/// # Errors
/// When one of them is broken or there is none.
pub fn certificates(pem: &str) -> Result<Vec<CertificateDer<'static>>> {
    let all: std::result::Result<Vec<_>, _> = rustls_pemfile::certs(&mut pem.as_bytes()).collect();
    let all = all.map_err(|error| Error::invalid(format!("Invalid certificate: {error}")))?;
    if all.is_empty() {
        return Err(Error::invalid("Invalid certificate: no PEM block of type CERTIFICATE in it"));
    }
    Ok(all)
}

fn private_key(pem: &str) -> Result<PrivateKeyDer<'static>> {
    if pem.contains("Proc-Type: 4,ENCRYPTED") || pem.contains("BEGIN ENCRYPTED PRIVATE KEY") {
        return Err(Error::invalid("Private key is password protected, which is not supported; please decrypt it"));
    }
    rustls_pemfile::private_key(&mut pem.as_bytes())
        .map_err(|error| Error::invalid(format!("Invalid client key: {error}")))?
        .ok_or_else(|| Error::invalid("Invalid client key: no PEM block with a private key in it"))
}

/// The system's authorities, after those that the user names.
fn system_certificates() -> Result<Vec<CertificateDer<'static>>> {
    let extra = std::env::var_os("SSL_CERT_FILE").filter(|file| !file.is_empty());
    let files = extra.into_iter().map(std::path::PathBuf::from).chain([SYSTEM_ROOTS.into()]);
    let mut all = Vec::new();
    for file in files {
        let Ok(bytes) = std::fs::read(&file) else { continue };
        all.extend(rustls_pemfile::certs(&mut bytes.as_slice()).flatten());
    }
    if all.is_empty() {
        return Err(Error::internal(format!(
            "No certificate authorities in {SYSTEM_ROOTS}: install Debian's package ca-certificates"
        )));
    }
    Ok(all)
}

/// The certificate that a server shows, DER.
///
/// # Errors
/// When it cannot be reached or speaks no TLS.
pub async fn server_certificate(host: &str, port: u16) -> Result<CertificateDer<'static>> {
    let endpoint = crate::endpoint::Endpoint::Tls { host: host.to_owned(), port, config: config(Trust::Anyone, None)? };
    let crate::endpoint::Stream::Tls(stream) = endpoint.connect().await? else {
        return Err(Error::internal("A TLS endpoint gave another stream"));
    };
    let shown = stream.get_ref().1.peer_certificates().and_then(|all| all.first());
    shown
        .map(|certificate| certificate.clone().into_owned())
        .ok_or_else(|| Error::internal("Unable to read remote TLS certificate"))
}

/// LXD's fingerprint of a certificate: SHA-256 of its DER in hexadecimal.
pub fn fingerprint(certificate: &CertificateDer<'_>) -> String {
    use sha2::Digest;
    data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(certificate))
}

/// A certificate as PEM text.
pub fn to_pem(certificate: &CertificateDer<'_>) -> String {
    let text = data_encoding::BASE64.encode(certificate);
    let lines: Vec<&str> = text.as_bytes().chunks(64).filter_map(|line| std::str::from_utf8(line).ok()).collect();
    format!("-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n", lines.join("\n"))
}

/// Why a certificate is not believed, in the words of Go's library where users know them.
pub(crate) fn words(reason: &CertificateError) -> String {
    match reason {
        CertificateError::UnknownIssuer => "x509: certificate signed by unknown authority".to_owned(),
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            "x509: certificate has expired or is not yet valid".to_owned()
        }
        CertificateError::ApplicationVerificationFailure => {
            "x509: certificate differs from the one that is known for this server".to_owned()
        }
        other => format!("x509: {other}"),
    }
}

/// Accepts what an authority vouches for, and a certificate that is itself among the trusted ones: a server with a
/// self-made certificate that its users have added to their system, which the library would refuse as an authority's.
#[derive(Debug)]
struct Authorities {
    trusted: Vec<CertificateDer<'static>>,
    usual: Arc<WebPkiServerVerifier>,
}

impl Authorities {
    fn new(trusted: Vec<CertificateDer<'static>>, provider: Arc<CryptoProvider>) -> Result<Authorities> {
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(trusted.iter().cloned());
        let usual = WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| Error::internal(format!("Failed to set up TLS: {error}")))?;
        Ok(Authorities { trusted, usual })
    }
}

impl ServerCertVerifier for Authorities {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        let refused = match self.usual.verify_server_cert(shown, chain, name, ocsp, now) {
            Ok(verified) => return Ok(verified),
            Err(error) => error,
        };
        if !self.trusted.iter().any(|trusted| trusted == shown) {
            return Err(refused);
        }
        verify_server_name(&ParsedCertificate::try_from(shown)?, name)?;
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        self.usual.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// Accepts one certificate, or any.
#[derive(Debug)]
struct ThisOne {
    known: Option<CertificateDer<'static>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for ThisOne {
    fn verify_server_cert(
        &self,
        shown: &CertificateDer<'_>,
        _chain: &[CertificateDer<'_>],
        _name: &ServerName<'_>,
        _ocsp: &[u8],
        _now: UnixTime,
    ) -> std::result::Result<ServerCertVerified, rustls::Error> {
        match &self.known {
            Some(known) if known != shown => Err(CertificateError::ApplicationVerificationFailure.into()),
            _ => Ok(ServerCertVerified::assertion()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> std::result::Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pem_and_back() {
        let made = crate::identity::generate("user@host").unwrap();
        let der = certificates(&made.certificate).unwrap().remove(0);
        assert_eq!(certificates(&to_pem(&der)).unwrap(), std::slice::from_ref(&der));
        assert_eq!(fingerprint(&der).len(), 64);
        assert!(config(Trust::Pinned(der), Some(&made)).is_ok());
    }
}
