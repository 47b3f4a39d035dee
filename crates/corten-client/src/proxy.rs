//! Proxies to others: those of a configuration, or those that the environment asks for: `HTTPS_PROXY`, `HTTP_PROXY` and
//! `NO_PROXY`, in capitals or not.

use std::sync::{PoisonError, RwLock};

use corten_api::error::{Error, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::simplestreams::fetch::Address;

/// The longest answer of a proxy that is read, in bytes.
const LONGEST_ANSWER: usize = 8192;

/// What a configuration says about proxies; where it says nothing, the environment does.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies {
    /// For what goes over TLS: a host with a port, or a URL.
    pub https: String,
    /// For what goes without.
    pub http: String,
    /// Hosts and domains that are reached without, separated by commas.
    pub except: String,
}

/// The daemon's are the same for all that it reaches, so that they are one setting of the process like the environment.
static CONFIGURED: RwLock<Proxies> =
    RwLock::new(Proxies { https: String::new(), http: String::new(), except: String::new() });

/// From now on these proxies are meant.
pub fn configure(proxies: Proxies) {
    *CONFIGURED.write().unwrap_or_else(PoisonError::into_inner) = proxies;
}

/// The proxy to reach a host by, over TLS or without, if one is asked for.
pub fn for_host(host: &str, secure: bool) -> Option<Address> {
    let variable = |name: &str| {
        let value = std::env::var(name).or_else(|_| std::env::var(name.to_lowercase()));
        value.ok().filter(|value| !value.is_empty())
    };
    let configured = CONFIGURED.read().unwrap_or_else(PoisonError::into_inner).clone();
    let either = |word: String, name: &str| Some(word).filter(|word| !word.is_empty()).or_else(|| variable(name));
    let proxy = if secure { either(configured.https, "HTTPS_PROXY") } else { either(configured.http, "HTTP_PROXY") };
    choose(host, &proxy?, &either(configured.except, "NO_PROXY").unwrap_or_default())
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
        // What is configured counts before the environment, for each kind of connection by itself.
        configure(Proxies { https: "secure:3128".into(), http: "plain:3129".into(), except: "example.net".into() });
        let port = |host: &str, secure| for_host(host, secure).map(|address| address.port);
        assert_eq!((port("a.example.org", true), port("a.example.org", false)), (Some(3128), Some(3129)));
        assert_eq!(port("a.example.net", true), None);
        configure(Proxies::default());
        let address = choose("a", "http://proxy.example.org:8080/", "").unwrap();
        assert_eq!((address.host.as_str(), address.port), ("proxy.example.org", 8080));
    }
}
