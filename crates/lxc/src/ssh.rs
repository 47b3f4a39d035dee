//! A small SSH server (RFC 4251 to 4254) that knows one thing: the subsystem `sftp`, whose bytes it passes on.
//!
//! One algorithm of each kind is enough for every client of the last ten years: curve25519-sha256, ssh-ed25519, AES in
//! counter mode, HMAC with SHA-256.

pub mod channels;
mod cipher;
mod exchange;
mod login;
pub mod packet;
mod transport;

use std::future::Future;
use std::io;
use std::sync::Arc;

use ring::signature::Ed25519KeyPair;
use tokio::io::{AsyncRead, AsyncWrite};

/// Who may log in.
#[derive(Clone, Debug)]
pub enum Login {
    /// Anybody.
    Anybody,
    /// This user with this password.
    Password(String, String),
}

/// The server's key, made anew for each run.
pub struct HostKey(Ed25519KeyPair);

impl HostKey {
    /// Makes a key.
    ///
    /// # Errors
    /// When the system has no random numbers.
    pub fn make() -> io::Result<HostKey> {
        let failed = |_| io::Error::other("no key could be made");
        let document = Ed25519KeyPair::generate_pkcs8(&ring::rand::SystemRandom::new()).map_err(failed)?;
        let pair =
            Ed25519KeyPair::from_pkcs8(document.as_ref()).map_err(|error| io::Error::other(error.to_string()))?;
        Ok(HostKey(pair))
    }
}

/// Serves one client: each of its `sftp` channels is a connection that `connect` opens.
///
/// # Errors
/// When the connection breaks, or the client breaks the rules or has no right to log in.
pub async fn serve<S, T, F>(
    stream: S,
    key: &HostKey,
    login: &Login,
    connect: impl Fn() -> F + Send + Sync + 'static,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    F: Future<Output = io::Result<T>> + Send + 'static,
{
    let mut transport = transport::Transport::greet(stream).await?;
    exchange::run(&mut transport, key, None).await?;
    login::run(&mut transport, key, login).await?;
    channels::run(&mut transport, key, Arc::new(connect)).await
}
