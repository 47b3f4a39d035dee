//! Where a server listens, and the byte stream to it.

use std::path::PathBuf;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use corten_api::error::{Error, Result};
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::proxy;

/// Where a server listens.
#[derive(Clone)]
pub enum Endpoint {
    /// A socket in the file system.
    Unix(PathBuf),
    /// HTTPS.
    Tls {
        /// Name or address of the host; IPv6 addresses without brackets.
        host: String,
        /// TCP port.
        port: u16,
        /// Whom to trust and who we are.
        config: Arc<rustls::ClientConfig>,
    },
    /// HTTP without TLS, for image servers that offer nothing better.
    Plain {
        /// Name or address of the host; IPv6 addresses without brackets.
        host: String,
        /// TCP port.
        port: u16,
    },
}

impl Endpoint {
    /// Whether both lead to the same place.
    pub fn is_same(&self, other: &Endpoint) -> bool {
        match (self, other) {
            (Endpoint::Unix(left), Endpoint::Unix(right)) => left == right,
            _ => self.base() == other.base(),
        }
    }

    /// The start of URLs of this server, as LXD's client prints them in messages.
    pub fn base(&self) -> String {
        match self {
            Endpoint::Unix(_) => "http://unix.socket".to_owned(),
            Endpoint::Tls { .. } => format!("https://{}", self.authority()),
            Endpoint::Plain { .. } => format!("http://{}", self.authority()),
        }
    }

    /// What the `Host` header says.
    pub fn authority(&self) -> String {
        match self {
            Endpoint::Unix(_) => "unix.socket".to_owned(),
            Endpoint::Tls { host, port: 443, .. } | Endpoint::Plain { host, port: 80 } => bracketed(host),
            Endpoint::Tls { host, port, .. } | Endpoint::Plain { host, port } => format!("{}:{port}", bracketed(host)),
        }
    }

    /// Opens a stream.
    ///
    /// # Errors
    /// When nobody listens there, or (TLS) the peer is not whom we trust. The text is LXD's client's, without the URL.
    pub async fn connect(&self) -> Result<Stream> {
        match self {
            Endpoint::Unix(path) => match UnixStream::connect(path).await {
                Ok(stream) => Ok(Stream::Unix(stream)),
                Err(error) => {
                    let reason = plain_reason(&error);
                    Err(Error::unavailable(format!("dial unix {}: connect: {reason}", path.display())))
                }
            },
            Endpoint::Plain { host, port } => Ok(Stream::Tcp(reach(host, *port, false).await?)),
            Endpoint::Tls { host, port, config } => {
                let stream = reach(host, *port, true).await?;
                let name = ServerName::try_from(host.clone())
                    .map_err(|_| Error::invalid(format!("{host:?} is neither a host name nor an address")))?;
                let stream = TlsConnector::from(config.clone()).connect(name, stream).await;
                stream
                    .map(|stream| Stream::Tls(Box::new(stream)))
                    .map_err(|error| Error::unavailable(tls_reason(&error)))
            }
        }
    }
}

/// How long the other end may leave unanswered what TCP sends it, in milliseconds; as in LXD.
const SILENCE: u32 = 120_000;
/// How often TCP asks an end that says nothing whether it is there; as in LXD.
const ASK: Duration = Duration::from_secs(3);

/// Lets a connection break when the machine at its other end is gone: without a word of it, it would be held for ever.
pub fn notice_silence(stream: &TcpStream) {
    use rustix::net::sockopt;
    // Where the kernel does not know one of them the others help.
    let _ = sockopt::set_socket_keepalive(stream, true);
    let _ = sockopt::set_tcp_keepidle(stream, ASK);
    let _ = sockopt::set_tcp_keepintvl(stream, ASK);
    let _ = sockopt::set_tcp_user_timeout(stream, SILENCE);
}

fn bracketed(host: &str) -> String {
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}

/// A connection to a host, through the proxy that is asked for.
async fn reach(host: &str, port: u16, secure: bool) -> Result<TcpStream> {
    let Some(by) = proxy::for_host(host, secure) else { return dial(host, port).await };
    let mut stream = dial(&by.host, by.port).await?;
    proxy::connect(&mut stream, host, port).await?;
    Ok(stream)
}

async fn dial(host: &str, port: u16) -> Result<TcpStream> {
    let place = format!("{}:{port}", bracketed(host));
    let addresses: Vec<_> = match tokio::net::lookup_host((host, port)).await {
        Ok(addresses) => addresses.collect(),
        Err(error) => {
            return Err(Error::unavailable(format!("dial tcp: lookup {host}: {}", plain_reason(&error))));
        }
    };
    let mut reasons = Vec::new();
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // Small requests must not wait for Nagle's timer.
                let _ = stream.set_nodelay(true);
                notice_silence(&stream);
                return Ok(stream);
            }
            Err(error) => reasons.push(format!("dial tcp {address}: connect: {}", plain_reason(&error))),
        }
    }
    Err(Error::unavailable(format!("Unable to connect to: {place} ([{}])", reasons.join(" "))))
}

/// The kernel's words for a failure in lower case, without `(os error N)`.
pub(crate) fn plain_reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_lowercase().chain(letters).collect())
}

fn tls_reason(error: &std::io::Error) -> String {
    match error.get_ref().and_then(|source| source.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(reason)) => {
            format!("tls: failed to verify certificate: {}", crate::tls::words(reason))
        }
        Some(other) => format!("tls: {other}"),
        None => plain_reason(error),
    }
}

/// A byte stream to a server.
#[derive(Debug)]
pub enum Stream {
    /// Over the unix socket.
    Unix(UnixStream),
    /// Over TCP, in the clear.
    Tcp(TcpStream),
    /// Over TLS.
    Tls(Box<TlsStream<TcpStream>>),
}

macro_rules! on_each {
    ($self:ident, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Stream::Unix($stream) => $call,
            Stream::Tcp($stream) => $call,
            Stream::Tls($stream) => $call,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<std::io::Result<()>> {
        on_each!(self, stream => Pin::new(stream).poll_read(cx, to))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, from: &[u8]) -> Poll<std::io::Result<usize>> {
        on_each!(self, stream => Pin::new(stream).poll_write(cx, from))
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        on_each!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        on_each!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}
