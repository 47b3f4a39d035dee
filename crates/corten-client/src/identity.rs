//! The certificate by which a client is known to servers: made once, then kept in the user's configuration.

use corten_api::error::{Context, Result};
use rcgen::{CertificateParams, DistinguishedName, DnType, ExtendedKeyUsagePurpose, KeyPair, KeyUsagePurpose};

use crate::tls::Identity;

/// Makes a key (P-384) and a certificate of it, self-signed, valid for ten years, for `name` (LXD's client puts
/// `user@host` there).
///
/// # Errors
/// When the system has no random numbers to give.
pub fn generate(name: &str) -> Result<Identity> {
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).context("Failed to generate a key")?;
    let mut certificate = CertificateParams::default();
    let mut subject = DistinguishedName::new();
    subject.push(DnType::OrganizationName, "linuxcontainers.org");
    subject.push(DnType::CommonName, name);
    certificate.distinguished_name = subject;
    certificate.key_usages = vec![KeyUsagePurpose::DigitalSignature, KeyUsagePurpose::KeyEncipherment];
    certificate.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
    let now = std::time::SystemTime::now();
    // 10 years, as LXD.
    certificate.not_before = now.into();
    certificate.not_after = (now + std::time::Duration::from_secs(10 * 365 * 24 * 3600)).into();
    let certificate = certificate.self_signed(&key).context("Failed to create the certificate")?;
    Ok(Identity { certificate: certificate.pem(), key: key.serialize_pem() })
}
