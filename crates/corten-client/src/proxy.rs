//! The proxy that the environment asks for: `HTTPS_PROXY` and `NO_PROXY`, in capitals or not.

use corten_api::error::{Error, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::simplestreams::fetch::Address;

/// The longest answer of a proxy that is read, in bytes.
const LONGEST_ANSWER: usize = 8192;

/// The proxy to reach a host by over TLS, if one is asked for.
pub fn for_host(host: &str) -> Option<Address> {
    let variable = |name: &str| {
        let value = std::env::var(name).or_else(|_| std::env::var(name.to_lowercase()));
        value.ok().filter(|value| !value.is_empty())
    };
    choose(host, &variable("HTTPS_PROXY")?, variable("NO_PROXY").as_deref().unwrap_or(""))
}

fn choose(host: &str, proxy: &str, exceptions: &str) -> Option<Address> {
    let local = host == "localhost" || host.parse().is_ok_and(|address: std::net::IpAddr| address.is_loopback());
    let excepted = exceptions.split(',').map(str::trim).filter(|exception| !exception.is_empty()).any(|exception| {
        let name = exception.trim_start_matches('.');
        exception == "*" || host == name || host.strip_suffix(name).is_some_and(|rest| rest.ends_with('.'))
    });
    if local || excepted {
        return None;
    }
    let url = if proxy.contains("://") { proxy.to_owned() } else { format!("http://{proxy}") };
    // A proxy that is itself reached by TLS is beyond what is done here.
    Address::parse(&url).ok().filter(|address| !address.secure)
}

/// Asks a proxy for a way to a host (RFC 9110, CONNECT).
///
/// # Errors
/// When the proxy refuses or says something else.
pub async fn connect(stream: &mut TcpStream, host: &str, port: u16) -> Result<()> {
    let failed = |error: std::io::Error| Error::unavailable(format!("The proxy failed: {error}"));
    let authority = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let ask = format!("CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n\r\n");
    stream.write_all(ask.as_bytes()).await.map_err(failed)?;
    let mut answer = Vec::new();
    // Byte by byte: what follows the answer belongs to the host already.
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() > LONGEST_ANSWER {
            return Err(Error::unavailable("The proxy's answer does not end"));
        }
        answer.push(stream.read_u8().await.map_err(failed)?);
    }
    let text = String::from_utf8_lossy(&answer);
    let status = text.lines().next().unwrap_or_default().split_once(' ').map_or("", |(_, status)| status);
    if status.starts_with("200") { Ok(()) } else { Err(Error::unavailable(status)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_for_other_hosts_only() {
        for (host, exceptions, want) in [
            ("images.example.org", "", true),
            ("images.example.org", "example.org", false),
            ("images.example.org", ".example.org, other", false),
            ("badexample.org", "example.org", true),
            ("images.example.org", "*", false),
            ("localhost", "", false),
            ("127.0.0.1", "", false),
            ("10.0.0.1", "10.0.0.1", false),
        ] {
            assert_eq!(choose(host, "proxy:3128", exceptions).is_some(), want, "{host} {exceptions}");
        }
        let address = choose("a", "http://proxy.example.org:8080/", "").unwrap();
        assert_eq!((address.host.as_str(), address.port), ("proxy.example.org", 8080));
    }
}
