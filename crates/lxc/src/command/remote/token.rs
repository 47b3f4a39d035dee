//! Tokens made by `lxc config trust add`: where a server is, how to know it, and a secret that it trusts once.

use corten_api::certificate::CertificateAddToken;
use data_encoding::BASE64;

/// The token that a text is, when it is one.
pub fn decode(text: &str) -> Option<CertificateAddToken> {
    let json = BASE64.decode(text.as_bytes()).ok()?;
    let token: CertificateAddToken = serde_json::from_slice(&json).ok()?;
    let whole = !token.client_name.is_empty()
        && !token.addresses.is_empty()
        && !token.secret.is_empty()
        && !token.fingerprint.is_empty();
    whole.then_some(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_tokens_are_tokens() {
        let json = br#"{"client_name":"c","fingerprint":"f","addresses":["10.0.0.1:8443"],"secret":"s","expires_at":"0001-01-01T00:00:00Z"}"#;
        let token = decode(&BASE64.encode(json)).unwrap();
        assert_eq!((token.client_name.as_str(), token.addresses.as_slice()), ("c", &["10.0.0.1:8443".to_owned()][..]));
        assert_eq!(decode(&BASE64.encode(br#"{"client_name":"c"}"#)), None);
        assert_eq!(decode("example.net"), None);
    }
}
