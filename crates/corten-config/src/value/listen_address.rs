//! Where a server listens: `:8443`, `10.0.0.1`, `[::]:8443`, `host.example:8443`.

use super::Kind;
use super::ip;

/// An address to listen on, as written; the port may be left out.
#[derive(Clone, Copy, Debug)]
pub struct ListenAddress {
    /// Whether all addresses of the host may be meant.
    pub wildcard: bool,
}

/// Splits an address into host and port as Go's `net.SplitHostPort`; the brackets of an IPv6 address go.
///
/// # Errors
/// Go's words, such as `address x: missing port in address`.
pub fn split_host_port(text: &str) -> Result<(&str, &str), String> {
    let failed = |why: &str| format!("address {text}: {why}");
    let (host, port) = text.rsplit_once(':').ok_or_else(|| failed("missing port in address"))?;
    match text.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or_else(|| failed("missing ']' in address"))?;
            let port = rest.strip_prefix(':').ok_or_else(|| failed("missing port in address"))?;
            match port.contains(':') {
                true => Err(failed("too many colons in address")),
                false => Ok((host, port)),
            }
        }
        None if host.contains(':') => Err(failed("too many colons in address")),
        None => Ok((host, port)),
    }
}

impl Kind for ListenAddress {
    type Value = String;
    const WORD: &'static str = "string";

    /// The name of a host is taken as it is; whether it resolves shows when the server listens.
    fn parse(&self, text: &str) -> Result<String, String> {
        let host = split_host_port(text).map_or(text, |(host, _)| host);
        if matches!(host, "" | "::" | "[::]" | "0.0.0.0") {
            return match self.wildcard {
                true => Ok(text.to_owned()),
                false => Err("Wildcard addresses aren't allowed".to_owned()),
            };
        }
        let inner = host.trim_start_matches('[').trim_end_matches(']');
        let name = |part: &str| {
            !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        match ip::parse(inner).is_some() || host.strip_suffix('.').unwrap_or(host).split('.').all(name) {
            true => Ok(text.to_owned()),
            false => Err(format!("Couldn't resolve {}", super::go_text::quoted(host))),
        }
    }

    fn accepts(&self) -> String {
        "a host or address, with or without port".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let any = ListenAddress { wildcard: true };
        for text in ["10.0.0.1", "10.0.0.1:8443", "[::]:8443", "[fd00::1]", ":8443", "0.0.0.0", "host.example:1", "::"]
        {
            assert!(any.parse(text).is_ok(), "{text}");
        }
        assert_eq!(any.parse("a b"), Err("Couldn't resolve \"a b\"".to_owned()));
        let own = ListenAddress { wildcard: false };
        assert_eq!(own.parse(":8443"), Err("Wildcard addresses aren't allowed".to_owned()));
    }

    #[test]
    fn splitting() {
        assert_eq!(split_host_port("[::1]:80"), Ok(("::1", "80")));
        assert_eq!(split_host_port("1.2.3.4"), Err("address 1.2.3.4: missing port in address".to_owned()));
        assert_eq!(split_host_port("::1"), Err("address ::1: too many colons in address".to_owned()));
    }
}
