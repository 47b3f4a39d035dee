//! TLS: the server's own certificate, and clients that prove to own the key of theirs. Who is trusted is decided
//! later, by the certificate's fingerprint.

use corten_api::error::{Context, Error, Result};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use rcgen::{
    CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair, KeyUsagePurpose, SanType,
    date_time_ymd,
};
use rustls::client::danger::HandshakeSignatureValid;
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature_with_raw_key};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, SubjectPublicKeyInfoDer, UnixTime};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::{DigitallySignedStruct, DistinguishedName as Name, ServerConfig, SignatureScheme};
use sha2::{Digest, Sha256};
use std::fs::OpenOptions;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Arc;

/// A certificate with its key, as PEM.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The certificate.
    pub certificate: String,
    /// The private key.
    pub key: String,
}

impl Identity {
    /// Reads `<dir>/<name>.crt` and `.key`, which are made first when they are not there.
    ///
    /// # Errors
    /// When they can neither be read nor made.
    pub fn load_or_make(dir: &Path, name: &str, host: &str) -> Result<Identity> {
        let (crt, key) = (dir.join(format!("{name}.crt")), dir.join(format!("{name}.key")));
        if !crt.exists() || !key.exists() {
            let made = Identity::make(host)?;
            write_private(&key, &made.key, 0o600)?;
            write_private(&crt, &made.certificate, 0o644)?;
            return Ok(made);
        }
        let read = |path: &Path| std::fs::read_to_string(path).with_context(|| format!("Failed to read {path:?}"));
        Ok(Identity { certificate: read(&crt)?, key: read(&key)? })
    }

    /// Makes a self-signed certificate on P-384, valid ten years, with LXD's subject and names.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn make(host: &str) -> Result<Identity> {
        let failed = |error: rcgen::Error| Error::internal(format!("Failed to make the server's certificate: {error}"));
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).map_err(failed)?;
        let mut params = CertificateParams::new(vec![host.to_string()]).map_err(failed)?;
        for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
            params.subject_alt_names.push(SanType::IpAddress(address));
        }
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::OrganizationName, "linuxcontainers.org");
        params.distinguished_name.push(DnType::CommonName, format!("root@{host}"));
        let today = Timestamp::now().to_zoned_datetime(TimeZone::UTC).date();
        params.not_before =
            date_time_ymd(i32::from(today.year()), today.month().unsigned_abs(), today.day().unsigned_abs());
        let last = today.saturating_add(10.years());
        params.not_after =
            date_time_ymd(i32::from(last.year()), last.month().unsigned_abs(), last.day().unsigned_abs());
        params.is_ca = IsCa::ExplicitNoCa;
        params.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        let certificate = params.self_signed(&key).map_err(failed)?;
        Ok(Identity { certificate: certificate.pem(), key: key.serialize_pem() })
    }

    /// The certificate's fingerprint.
    ///
    /// # Errors
    /// When it is no PEM.
    pub fn fingerprint(&self) -> Result<String> {
        Ok(fingerprint(&certificate_der(&self.certificate)?))
    }
}

fn write_private(path: &Path, text: &str, mode: u32) -> Result<()> {
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(mode).open(path);
    let written = file
        .as_mut()
        .map_err(|error| error.kind())
        .and_then(|file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(|error| error.kind()));
    written.map_err(|kind| Error::internal(format!("Failed to write {}: {kind}", path.display())))
}

/// SHA-256 over a certificate's DER, in hexadecimal: how LXD names certificates.
pub fn fingerprint(der: &[u8]) -> String {
    data_encoding::HEXLOWER.encode(&Sha256::digest(der))
}

/// The DER of the first certificate in a PEM text.
///
/// # Errors
/// When there is none.
pub fn certificate_der(pem: &str) -> Result<Vec<u8>> {
    let der = CertificateDer::from_pem_slice(pem.as_bytes());
    der.map(|der| der.to_vec()).map_err(|error| Error::invalid(format!("Invalid certificate material: {error}")))
}

/// The PEM of a certificate in DER.
pub fn certificate_pem(der: &[u8]) -> String {
    let base64 = data_encoding::BASE64.encode(der);
    let mut pem = String::from("-----BEGIN CERTIFICATE-----\n");
    for line in base64.as_bytes().chunks(64) {
        pem.push_str(&String::from_utf8_lossy(line));
        pem.push('\n');
    }
    pem.push_str("-----END CERTIFICATE-----\n");
    pem
}

/// How the server speaks TLS: 1.3 (and 1.2 when `insecure`, LXD's `LXD_INSECURE_TLS`), HTTP/2 offered. Clients hear
/// the names (DER) of the authorities that may have signed their certificates, when there are any.
///
/// # Errors
/// When the identity's PEM cannot be read.
pub fn server(identity: &Identity, insecure: bool, authorities: Vec<Vec<u8>>) -> Result<Arc<ServerConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes())
        .map_err(|error| Error::internal(format!("Failed to read the server's key: {error}")))?;
    let certificate = CertificateDer::from(certificate_der(&identity.certificate)?);
    let versions: &[&rustls::SupportedProtocolVersion] =
        if insecure { &[&rustls::version::TLS13, &rustls::version::TLS12] } else { &[&rustls::version::TLS13] };
    let broken = |error: rustls::Error| Error::internal(format!("Failed to set TLS up: {error}"));
    let mut config = ServerConfig::builder_with_provider(provider.clone())
        .with_protocol_versions(versions)
        .map_err(broken)?
        .with_client_cert_verifier(Arc::new(AnyClient {
            provider,
            authorities: authorities.into_iter().map(Name::from).collect(),
        }))
        .with_single_cert(vec![certificate], key)
        .map_err(broken)?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

/// Asks for a certificate, takes any, and makes sure that the client has its key.
#[derive(Debug)]
struct AnyClient {
    provider: Arc<CryptoProvider>,
    authorities: Vec<Name>,
}

impl ClientCertVerifier for AnyClient {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[Name] {
        &self.authorities
    }

    fn verify_client_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, rustls::Error> {
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signed, &self.provider.signature_verification_algorithms)
    }

    /// Checks against the bare key, since the usual way refuses certificates of X.509 version 1, which clients have.
    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let bad = || rustls::Error::InvalidCertificate(rustls::CertificateError::BadEncoding);
        let (_, parsed) = x509_parser::parse_x509_certificate(certificate).map_err(|_| bad())?;
        let key = SubjectPublicKeyInfoDer::from(parsed.public_key().raw);
        verify_tls13_signature_with_raw_key(message, &key, signed, &self.provider.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_identity_is_what_clients_expect() {
        let identity = Identity::make("host1").expect("made");
        let der = certificate_der(&identity.certificate).expect("PEM");
        assert_eq!(certificate_pem(&der).replace('\r', ""), identity.certificate.replace('\r', ""));
        assert_eq!(identity.fingerprint().expect("PEM").len(), 64);
        let (_, parsed) = x509_parser::parse_x509_certificate(&der).expect("X.509");
        assert_eq!(parsed.subject().to_string(), "O=linuxcontainers.org, CN=root@host1");
        let names = parsed.subject_alternative_name().expect("readable").expect("there");
        assert_eq!(names.value.general_names.len(), 3);
        server(&identity, false, Vec::new()).expect("rustls takes it");
    }
}
