//! Fetching from image servers: documents into memory, files through their hash to wherever they are to go.

use std::io::Write;

use corten_api::error::{Context, Error, Kind, Result};
use http_body_util::BodyExt;
use hyper::{Method, StatusCode};
use sha2::{Digest, Sha256};

use super::product::{File, Products};
use super::{Catalogue, architecture, index};
use crate::endpoint::Endpoint;
use crate::http::{Ask, Connections, Reply};
use crate::tls::{self, Trust};

/// Redirections followed before giving up, as Go's client does.
const REDIRECTS: usize = 10;

/// The largest document that is read into memory, in bytes; the public servers' are below 20 MB.
const LARGEST_DOCUMENT: usize = 256 << 20;

/// A URL taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// `https:`, not `http:`.
    pub secure: bool,
    /// Name or address of the host; IPv6 addresses without brackets.
    pub host: String,
    /// TCP port.
    pub port: u16,
    /// Path and query; starts with a slash.
    pub path: String,
}

impl Address {
    /// Takes `http[s]://host[:port][/path]` apart.
    ///
    /// # Errors
    /// When it is something else.
    pub fn parse(url: &str) -> Result<Address> {
        let bad = || Error::invalid(format!("{url:?} is not a URL of the form https://host[:port]/path"));
        let (scheme, rest) = url.split_once("://").ok_or_else(bad)?;
        let secure = match scheme {
            "https" => true,
            "http" => false,
            _ => return Err(bad()),
        };
        let (authority, path) = match rest.find(['/', '?']) {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let standard = if secure { 443 } else { 80 };
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => {
                let (host, port) = rest.split_once(']').ok_or_else(bad)?;
                (host, port.strip_prefix(':'))
            }
            None => authority.rsplit_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
        };
        let port = port.map_or(Ok(standard), |port| port.parse().map_err(|_| bad()))?;
        if host.is_empty() {
            return Err(bad());
        }
        let slash = if path.starts_with('/') { "" } else { "/" };
        Ok(Address { secure, host: host.to_owned(), port, path: format!("{slash}{path}") })
    }

    /// The address of a path below this one; a URL of its own or a path from the top stand for themselves.
    ///
    /// # Errors
    /// When it is a URL that cannot be read.
    pub fn join(&self, path: &str) -> Result<Address> {
        if path.contains("://") {
            return Address::parse(path);
        }
        let path = match path.strip_prefix('/') {
            Some(path) => format!("/{path}"),
            None => format!("{}/{path}", self.path.trim_end_matches('/')),
        };
        Ok(Address { path, ..self.clone() })
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (scheme, standard) = if self.secure { ("https", 443) } else { ("http", 80) };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let port = if self.port == standard { String::new() } else { format!(":{}", self.port) };
        write!(out, "{scheme}://{host}{port}{}", self.path)
    }
}

/// A simplestreams server.
pub struct Remote {
    url: String,
    known: Option<String>,
}

impl Remote {
    /// The server at a URL. `known` is its certificate (PEM) when it is known by that, not by an authority.
    pub fn new(url: impl Into<String>, known: Option<String>) -> Remote {
        Remote { url: url.into(), known }
    }

    /// Its URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The certificate (PEM) it is known by; empty when an authority vouches for it.
    pub fn known_certificate(&self) -> &str {
        self.known.as_deref().unwrap_or_default()
    }

    /// Fetches all it says of its images.
    ///
    /// # Errors
    /// When it cannot be reached or its documents cannot be read.
    pub async fn catalogue(&self) -> Result<Catalogue> {
        let index = self.document(index::PATH).await.context("Failed parsing stream")?;
        let mut products = Vec::new();
        for path in index::image_lists(&index).context("Failed parsing stream")? {
            let text = self.document(&path).await.context("Failed parsing products")?;
            products.push(Products::parse(&text, &path).context("Failed parsing products")?);
        }
        Ok(Catalogue::new(&self.url, &products, architecture::native()))
    }

    /// Fetches a document, its path being below the server's URL.
    ///
    /// # Errors
    /// When it cannot be had or is larger than 256 MiB.
    pub async fn document(&self, path: &str) -> Result<Vec<u8>> {
        let mut text = Vec::new();
        let mut reply = self.open(path).await?;
        while let Some(frame) = reply.response.body_mut().frame().await {
            let frame = frame.map_err(|error| cut_off(path, &error))?;
            text.extend_from_slice(frame.data_ref().map_or(&[], |data| data));
            if text.len() > LARGEST_DOCUMENT {
                return Err(Error::internal(format!("{path} is larger than {LARGEST_DOCUMENT} bytes")));
            }
        }
        Ok(text)
    }

    /// Fetches a file of an image into `to`, and refuses it when its length or hash is not as announced. What has been
    /// written is then of no use. `also` is a hash over all files of the image, `watch` hears bytes had and expected.
    ///
    /// # Errors
    /// When the file cannot be had, written, or is not what it should be.
    pub async fn download(
        &self,
        file: &File,
        to: &mut impl Write,
        also: &mut Sha256,
        mut watch: impl FnMut(u64, u64),
    ) -> Result<u64> {
        let expected = u64::try_from(file.size).unwrap_or_default();
        let mut reply = self.open(&file.path).await?;
        let (mut hash, mut had) = (Sha256::new(), 0);
        while let Some(frame) = reply.response.body_mut().frame().await {
            let frame = frame.map_err(|error| cut_off(&file.path, &error))?;
            let Some(data) = frame.data_ref() else { continue };
            had += data.len() as u64;
            // A server that sends without end must not fill the disk before the hash is looked at.
            if expected > 0 && had > expected {
                return Err(Error::internal(format!("{} is longer than the {expected} bytes announced", file.path)));
            }
            hash.update(data);
            also.update(data);
            to.write_all(data).with_context(|| format!("Failed to store {}", file.path))?;
            watch(had, expected);
        }
        let got = data_encoding::HEXLOWER.encode(&hash.finalize());
        if !file.sha256.is_empty() && got != file.sha256 {
            let path = Address::parse(&self.url)?.join(&file.path)?;
            return Err(Error::internal(format!("Hash mismatch for {path}: {got} != {}", file.sha256)));
        }
        Ok(had)
    }

    /// Sends a GET and follows redirections; any end but 200 is a failure.
    async fn open(&self, path: &str) -> Result<Reply> {
        let mut address = Address::parse(&self.url)?.join(path)?;
        for _ in 0..=REDIRECTS {
            let reply = self.connections(&address)?.send(Ask::new(Method::GET, address.path.clone())).await;
            let reply = reply.map_err(|error| at_url(&error, &address))?;
            let status = reply.response.status();
            if status == StatusCode::OK {
                return Ok(reply);
            }
            let next = reply.response.headers().get("location").and_then(|value| value.to_str().ok());
            match next {
                Some(next) if status.is_redirection() => address = follow(&address, next)?,
                _ => {
                    let kind = Kind::from_status(status.as_u16());
                    return Err(Error { kind, message: format!("Unable to fetch {address}: {status}") });
                }
            }
        }
        Err(Error::internal(format!("Unable to fetch {address}: stopped after {REDIRECTS} redirects")))
    }

    fn connections(&self, address: &Address) -> Result<Connections> {
        let (host, port) = (address.host.clone(), address.port);
        if !address.secure {
            return Ok(Connections::new(Endpoint::Plain { host, port }, "LXD 5.0.2"));
        }
        let trust = match &self.known {
            Some(pem) => Trust::Pinned(tls::certificates(pem)?.remove(0)),
            None => Trust::System,
        };
        let config = tls::config(trust, None)?;
        Ok(Connections::new(Endpoint::Tls { host, port, config }, "LXD 5.0.2"))
    }
}

/// Where a redirection leads; never from TLS to plain text.
fn follow(from: &Address, location: &str) -> Result<Address> {
    let next = if location.starts_with('/') && !location.starts_with("//") {
        Address { path: location.to_owned(), ..from.clone() }
    } else {
        Address::parse(location)?
    };
    if from.secure && !next.secure {
        return Err(Error::internal(format!("{from} leads to {next}, which is not encrypted; it is not followed")));
    }
    Ok(next)
}

/// The reason of a failed connection, with the URL that was wanted.
fn at_url(error: &Error, address: &Address) -> Error {
    let reason = error.message.split_once("/1.0\": ").map_or(error.message.as_str(), |(_, reason)| reason);
    Error { kind: error.kind, message: format!("Get \"{address}\": {reason}") }
}

fn cut_off(path: &str, error: &hyper::Error) -> Error {
    Error::unavailable(format!("The transfer of {path} was cut off: {}", corten_api::error::chain(error)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_taken_apart_and_joined() {
        let address = Address::parse("https://images.example.org:8443/releases/").unwrap();
        assert_eq!((address.host.as_str(), address.port, address.secure), ("images.example.org", 8443, true));
        let joined = address.join("streams/v1/index.json").unwrap();
        assert_eq!(joined.to_string(), "https://images.example.org:8443/releases/streams/v1/index.json");
        assert_eq!(Address::parse("http://[::1]/x").unwrap().to_string(), "http://[::1]/x");
        assert_eq!(Address::parse("https://a").unwrap().to_string(), "https://a/");
        for bad in ["a.b", "ftp://x", "https://", "https://a:b/"] {
            assert!(Address::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn redirections_never_leave_tls() {
        let from = Address::parse("https://a/x").unwrap();
        assert_eq!(follow(&from, "/y").unwrap().to_string(), "https://a/y");
        assert_eq!(follow(&from, "https://b/z").unwrap().to_string(), "https://b/z");
        assert!(follow(&from, "http://b/z").is_err());
    }
}
