//! From what a user calls a server to its address: `host`, `host:port`, `https://…`, `unix://…`, `/path`.

use std::os::unix::fs::FileTypeExt;

use corten_api::error::{Error, Result};

/// The port on which LXD listens unless told otherwise.
const DEFAULT_PORT: &str = "8443";

/// The address as the configuration keeps it: `https://host:port` or `unix://path`.
///
/// # Errors
/// For a URL of another scheme.
pub fn complete(text: &str) -> Result<String> {
    if let Some((scheme, rest)) = text.split_once("://") {
        return match scheme {
            "unix" => Ok(format!("unix://{rest}")),
            "https" => Ok(https(rest.split('/').next().unwrap_or(rest))),
            _ => Err(Error::invalid(format!("Invalid URL scheme \"{scheme}\" in \"{text}\""))),
        };
    }
    if let Some(path) = text.strip_prefix("unix:") {
        return Ok(format!("unix://{path}"));
    }
    if text.starts_with('/') || is_socket(text) {
        return Ok(format!("unix://{text}"));
    }
    Ok(https(text))
}

fn is_socket(path: &str) -> bool {
    std::fs::metadata(path).is_ok_and(|metadata| metadata.file_type().is_socket())
}

fn https(host: &str) -> String {
    let (host, port) = split_port(host);
    let host = if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() };
    format!("https://{host}:{port}")
}

/// Splits `host:port` and `[address]:port`. A bare IPv6 address has more than one colon, hence no port.
fn split_port(text: &str) -> (&str, &str) {
    if let Some(bracketed) = text.strip_prefix('[')
        && let Some((host, port)) = bracketed.split_once("]:")
    {
        return (host, port);
    }
    match text.split_once(':') {
        Some((host, port)) if !port.contains(':') => (host, port),
        _ => (text, DEFAULT_PORT),
    }
}

#[cfg(test)]
mod tests {
    use super::complete;

    #[test]
    fn addresses_are_completed_as_lxd_does() {
        for (text, expected) in [
            ("example.net", "https://example.net:8443"),
            ("example.net:443", "https://example.net:443"),
            ("10.0.0.1", "https://10.0.0.1:8443"),
            ("fd00::1", "https://[fd00::1]:8443"),
            ("[fd00::1]:9443", "https://[fd00::1]:9443"),
            ("https://example.net", "https://example.net:8443"),
            ("https://example.net:444/", "https://example.net:444"),
            ("unix:///run/lxd.socket", "unix:///run/lxd.socket"),
            ("unix://", "unix://"),
            ("unix:/run/lxd.socket", "unix:///run/lxd.socket"),
            ("/run/lxd.socket", "unix:///run/lxd.socket"),
        ] {
            assert_eq!(complete(text).unwrap(), expected, "{text}");
        }
        assert_eq!(complete("ftp://x").unwrap_err().message, "Invalid URL scheme \"ftp\" in \"ftp://x\"");
    }
}
