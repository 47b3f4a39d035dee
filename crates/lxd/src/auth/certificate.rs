//! What is asked of a certificate before it is trusted.

use corten_api::error::{Error, Result};
use corten_api::time::Time;
use x509_parser::prelude::{FromDer, X509Certificate};
use x509_parser::public_key::PublicKey;

/// What a certificate says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The subject's common name; empty when it has none.
    pub common_name: String,
}

/// Looks at a certificate in DER.
///
/// # Errors
/// 400 when it is none, is not valid now, or has a weak key.
pub fn check(der: &[u8]) -> Result<Known> {
    let malformed = |_| Error::invalid("Invalid certificate material: x509: malformed certificate");
    let (_, parsed) = X509Certificate::from_der(der).map_err(malformed)?;
    let now = Time::now().unix();
    if now < parsed.validity().not_before.timestamp() {
        return Err(Error::invalid("The provided certificate isn't valid yet"));
    }
    if now > parsed.validity().not_after.timestamp() {
        return Err(Error::invalid("The provided certificate is expired"));
    }
    if let Ok(PublicKey::RSA(key)) = parsed.public_key().parsed()
        && key.key_size() < 2048
    {
        return Err(Error::invalid("RSA key is too weak (minimum of 2048bit)"));
    }
    let name = parsed.subject().iter_common_name().next().and_then(|name| name.as_str().ok());
    Ok(Known { common_name: name.unwrap_or_default().to_string() })
}

/// Whether a certificate in DER is valid now.
pub fn is_valid(der: &[u8]) -> bool {
    X509Certificate::from_der(der).is_ok_and(|(_, parsed)| parsed.validity().is_valid())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_kind_of_certificate_is_good() {
        let made = crate::rest::tls::Identity::make("h").expect("made");
        let der = crate::rest::tls::certificate_der(&made.certificate).expect("PEM");
        assert_eq!(check(&der).expect("valid").common_name, "root@h");
        assert!(check(b"no").expect_err("no").message.starts_with("Invalid certificate material"));
    }
}
