//! Accept loops, and the HTTPS listeners that come and go with the configuration.

use super::Service;
use super::peer::{self, Peer};
use super::serve::Server;
use corten_api::error::{Context, Error, Result};
use rustls::ServerConfig;
use std::collections::HashMap;
use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

/// How long a client may take for its TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

/// Waits a moment when no descriptor is left, so that the loop does not spin until one is.
const NO_DESCRIPTORS: Duration = Duration::from_millis(100);

/// Serves local clients.
///
/// # Errors
/// When the socket cannot be handed to the runtime.
pub fn unix<A: Service>(
    runtime: &Handle,
    server: Arc<Server<A>>,
    listener: std::os::unix::net::UnixListener,
) -> Result<()> {
    let _runtime = runtime.enter();
    listener.set_nonblocking(true).context("Failed to prepare the unix socket")?;
    let listener = UnixListener::from_std(listener).context("Failed to prepare the unix socket")?;
    runtime.spawn(async move {
        let mut last: Option<Peer> = None;
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(NO_DESCRIPTORS).await;
                continue;
            };
            let Ok(credentials) = stream.peer_cred() else { continue };
            let uid = credentials.uid();
            // Nearly always it is the same user again.
            let peer = match &last {
                Some(peer @ Peer::Unix { uid: known, .. }) if *known == uid => peer.clone(),
                _ => Peer::Unix { uid, user: peer::user_name(uid) },
            };
            last = Some(peer.clone());
            tokio::spawn(server.clone().serve_http1(stream, peer));
        }
    });
    Ok(())
}

/// How many connections one instance may have at once: a hostile one must not use up the daemon's descriptors.
const MOST_OF_INSTANCE: usize = 64;

/// Serves instances on the socket that they see. `identify` says which instance a connection comes from, and may take
/// its time.
///
/// # Errors
/// When the socket cannot be handed to the runtime.
pub fn instances<A: Service>(
    runtime: &Handle,
    server: Arc<Server<A>>,
    listener: std::os::unix::net::UnixListener,
    identify: impl Fn(&UnixStream) -> Result<(String, String)> + Clone + Send + 'static,
) -> Result<()> {
    let _runtime = runtime.enter();
    listener.set_nonblocking(true).context("Failed to prepare the socket of instances")?;
    let listener = UnixListener::from_std(listener).context("Failed to prepare the socket of instances")?;
    let connected: Arc<Mutex<HashMap<(String, String), usize>>> = Arc::default();
    runtime.spawn(async move {
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                tokio::time::sleep(NO_DESCRIPTORS).await;
                continue;
            };
            let (server, identify, connected) = (server.clone(), identify.clone(), connected.clone());
            tokio::spawn(async move {
                let identified = tokio::task::spawn_blocking(move || (identify(&stream), stream)).await;
                let Ok((who, stream)) = identified else { return };
                let Ok(key) = who.clone() else { return server.serve_http1(stream, Peer::Instance(who)).await };
                let count = |change: fn(&mut usize)| {
                    let mut connected = connected.lock().unwrap_or_else(PoisonError::into_inner);
                    let count = connected.entry(key.clone()).or_default();
                    change(count);
                    let count = *count;
                    connected.retain(|_, count| *count > 0);
                    count
                };
                if count(|count| *count += 1) <= MOST_OF_INSTANCE {
                    server.serve_http1(stream, Peer::Instance(who)).await;
                }
                count(|count| *count -= 1);
            });
        }
    });
    Ok(())
}

/// A listener for HTTPS whose address can be changed while it runs.
pub struct Https<A: 'static> {
    runtime: Handle,
    server: Arc<Server<A>>,
    config: Arc<ServerConfig>,
    running: Mutex<Option<(SocketAddr, JoinHandle<()>)>>,
}

impl<A: Service> Https<A> {
    /// A listener that does not listen yet.
    pub fn new(runtime: Handle, server: Arc<Server<A>>, config: Arc<ServerConfig>) -> Https<A> {
        Https { runtime, server, config, running: Mutex::default() }
    }

    /// Listens on `address` from now on, or nowhere. After a failure it listens where it did. Connections go on. May block,
    /// and must not be called on a thread of the runtime.
    ///
    /// # Errors
    /// When the address cannot be had.
    pub fn listen_on(&self, address: Option<SocketAddr>) -> Result<()> {
        let mut running = self.running.lock().unwrap_or_else(PoisonError::into_inner);
        let old = running.as_ref().map(|(address, _)| *address);
        if old == address {
            return Ok(());
        }
        let Some(address) = address else {
            self.close(running.take());
            return Ok(());
        };
        let bound = match std::net::TcpListener::bind(address) {
            // One address and all addresses cannot be had side by side on one port.
            Err(error)
                if error.kind() == ErrorKind::AddrInUse && old.is_some_and(|old| old.port() == address.port()) =>
            {
                self.close(running.take());
                std::net::TcpListener::bind(address)
            }
            bound => bound,
        };
        let refused = |error| Error::internal(format!("Cannot listen on https socket: {address}: {error}"));
        match bound.map_err(refused).and_then(|listener| self.accept(listener)) {
            Ok(task) => {
                let before = running.replace((address, task));
                self.close(before);
                Ok(())
            }
            Err(error) => {
                if let (None, Some(old)) = (&*running, old) {
                    let again = std::net::TcpListener::bind(old).map_err(refused).and_then(|old| self.accept(old));
                    *running = again.ok().map(|task| (old, task));
                }
                Err(error)
            }
        }
    }

    /// Ends a loop; its socket is closed then.
    fn close(&self, running: Option<(SocketAddr, JoinHandle<()>)>) {
        if let Some((_, task)) = running {
            task.abort();
            let _ = self.runtime.block_on(task);
        }
    }

    /// Serves a socket that somebody else made.
    ///
    /// # Errors
    /// When it cannot be handed to the runtime.
    pub fn adopt(&self, listener: std::net::TcpListener) -> Result<()> {
        let address = listener.local_addr().context("Failed to ask an inherited socket for its address")?;
        let task = self.accept(listener)?;
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some((address, task));
        Ok(())
    }

    fn accept(&self, listener: std::net::TcpListener) -> Result<JoinHandle<()>> {
        let _runtime = self.runtime.enter();
        listener.set_nonblocking(true).context("Failed to prepare the https socket")?;
        let listener = TcpListener::from_std(listener).context("Failed to prepare the https socket")?;
        let (server, acceptor) = (self.server.clone(), TlsAcceptor::from(self.config.clone()));
        let task = self.runtime.spawn(async move {
            loop {
                let Ok((stream, address)) = listener.accept().await else {
                    tokio::time::sleep(NO_DESCRIPTORS).await;
                    continue;
                };
                let _ = stream.set_nodelay(true);
                corten_client::endpoint::notice_silence(&stream);
                let (server, acceptor) = (server.clone(), acceptor.clone());
                tokio::spawn(async move {
                    let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, acceptor.accept(stream)).await else { return };
                    let shown = stream.get_ref().1.peer_certificates().and_then(<[_]>::first);
                    let certificate = shown.map(|certificate| certificate.to_vec());
                    server.serve_any(stream, Peer::Tls { address, certificate }).await;
                });
            }
        });
        Ok(task)
    }
}
