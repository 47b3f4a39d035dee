//! An SSH server that knows one thing: the subsystem `sftp`, whose bytes it passes on. The protocol is russh's.

use std::future::Future;
use std::io;
use std::sync::Arc;

use ring::rand::SecureRandom;
use russh::keys::PrivateKey;
use russh::keys::ssh_key::private::Ed25519Keypair;
use russh::server::{Auth, ChannelOpenHandle, Config, Handler, Msg, Session};
use russh::{Channel, ChannelId, MethodKind, MethodSet};
use subtle::ConstantTimeEq;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

/// Who may log in.
#[derive(Clone, Debug)]
pub enum Login {
    /// Anybody.
    Anybody,
    /// This user with this password.
    Password(String, String),
}

/// Settings of a server with a key of its own, made anew for each run.
///
/// # Errors
/// When the system has no random numbers.
pub fn config(login: &Login) -> io::Result<Arc<Config>> {
    let mut seed = [0; 32];
    ring::rand::SystemRandom::new()
        .fill(&mut seed)
        .map_err(|_| io::Error::other("The system has no random numbers"))?;
    let key = PrivateKey::from(Ed25519Keypair::from_seed(&seed));
    let method = match login {
        Login::Anybody => MethodKind::None,
        Login::Password(..) => MethodKind::Password,
    };
    Ok(Arc::new(Config {
        keys: vec![key],
        methods: MethodSet::from(&[method][..]),
        // A client's first try says «none» only to learn what there is: it is no guess to be slowed down.
        auth_rejection_time_initial: Some(std::time::Duration::ZERO),
        // A mounted folder may be idle for as long as it likes.
        inactivity_timeout: None,
        nodelay: true,
        ..Config::default()
    }))
}

/// Serves one client until it goes: each of its `sftp` channels is a connection that `connect` opens.
///
/// # Errors
/// When the connection breaks, or the client breaks the rules.
pub async fn serve<C, T, F>(stream: TcpStream, config: Arc<Config>, login: Login, connect: C) -> io::Result<()>
where
    C: Fn() -> F + Send + 'static,
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    F: Future<Output = io::Result<T>> + Send + 'static,
{
    let client = Client { login, connect, opened: Vec::new() };
    let running = russh::server::run_stream(config, stream, client).await.map_err(io::Error::other)?;
    match running.await {
        // How clients that have what they wanted leave.
        Ok(()) | Err(russh::Error::Disconnect | russh::Error::HUP) => Ok(()),
        Err(russh::Error::IO(error)) => Err(error),
        Err(error) => Err(io::Error::other(error)),
    }
}

/// What one client has opened.
struct Client<C> {
    login: Login,
    connect: C,
    /// Channels of which we do not know yet what they are for.
    opened: Vec<Channel<Msg>>,
}

impl<C, T, F> Handler for Client<C>
where
    C: Fn() -> F + Send + 'static,
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    F: Future<Output = io::Result<T>> + Send + 'static,
{
    type Error = russh::Error;

    async fn auth_none(&mut self, _user: &str) -> Result<Auth, Self::Error> {
        Ok(match self.login {
            Login::Anybody => Auth::Accept,
            Login::Password(..) => Auth::reject(),
        })
    }

    async fn auth_password(&mut self, user: &str, password: &str) -> Result<Auth, Self::Error> {
        Ok(match &self.login {
            Login::Anybody => Auth::Accept,
            Login::Password(name, secret) if same(name, user) & same(secret, password) => Auth::Accept,
            Login::Password(..) => Auth::reject(),
        })
    }

    async fn channel_open_session(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), Self::Error> {
        self.opened.push(channel);
        reply.accept().await;
        Ok(())
    }

    async fn channel_close(&mut self, channel: ChannelId, _session: &mut Session) -> Result<(), Self::Error> {
        self.opened.retain(|opened| opened.id() != channel);
        Ok(())
    }

    async fn subsystem_request(
        &mut self,
        channel: ChannelId,
        name: &str,
        session: &mut Session,
    ) -> Result<(), Self::Error> {
        let opened = self.opened.iter().position(|opened| opened.id() == channel);
        let Some(opened) = opened.filter(|_| name == "sftp").map(|index| self.opened.swap_remove(index)) else {
            return session.channel_failure(channel);
        };
        let Ok(mut instance) = (self.connect)().await else { return session.channel_failure(channel) };
        session.channel_success(channel)?;
        tokio::spawn(async move {
            let mut client = opened.into_stream();
            // Either side may go at any time; dropping both closes them.
            let _ = tokio::io::copy_bidirectional(&mut client, &mut instance).await;
        });
        Ok(())
    }
}

/// Whether two words are the same, in a time that says nothing about where they differ.
fn same(one: &str, other: &str) -> bool {
    one.as_bytes().ct_eq(other.as_bytes()).into()
}
