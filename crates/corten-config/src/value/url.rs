//! Addresses of web servers, and texts that stand in such addresses.

use super::Kind;
use super::go_text::quoted;

/// The absolute URL of a server.
#[derive(Clone, Copy, Debug)]
pub struct RequestUrl;

impl Kind for RequestUrl {
    type Value = String;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<String, String> {
        let scheme = text.split_once(':').map(|(scheme, _)| scheme);
        let is_scheme = |scheme: &str| {
            scheme.starts_with(|first: char| first.is_ascii_alphabetic())
                && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'-' | b'.'))
        };
        let control = text.bytes().any(|byte| byte.is_ascii_control());
        match (control, text.starts_with('/') || scheme.is_some_and(is_scheme)) {
            (true, _) => Err(format!("Invalid URL: parse {}: net/url: invalid control character in URL", quoted(text))),
            (false, true) => Ok(text.to_owned()),
            (false, false) => Err(format!("Invalid URL: parse {}: invalid URI for request", quoted(text))),
        }
    }

    fn accepts(&self) -> String {
        "a URL".to_owned()
    }
}

/// Refuses characters that would change the meaning of a URL.
///
/// # Errors
/// `Cannot contain "/"` and so on.
pub fn check_segment(text: &str) -> Result<(), String> {
    match ["/", "?", "&", "+"].into_iter().find(|symbol| text.contains(symbol)) {
        Some(symbol) => Err(format!("Cannot contain {}", quoted(symbol))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases() {
        assert!(RequestUrl.parse("https://images.example.org/x").is_ok());
        assert!(RequestUrl.parse("images").is_err() && RequestUrl.parse("a b://x").is_err());
        assert_eq!(check_segment("a?b"), Err("Cannot contain \"?\"".to_owned()));
        assert_eq!(check_segment("snap0"), Ok(()));
    }
}
