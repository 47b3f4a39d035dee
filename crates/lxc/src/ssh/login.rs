//! Logging in (RFC 4252): as anybody, or with the one password.

use std::io;

use tokio::io::{AsyncRead, AsyncWrite};

use super::packet::{In, Out, broken, message};
use super::transport::Transport;
use super::{HostKey, Login, exchange};

/// How often a client may try.
const TRIES: usize = 6;

/// Lets the client log in.
///
/// # Errors
/// When it has no right to, or the connection breaks.
pub async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    transport: &mut Transport<S>,
    key: &HostKey,
    login: &Login,
) -> io::Result<()> {
    let mut tries = 0;
    while tries < TRIES {
        let packet = transport.receive().await?;
        let mut rest = In(&packet[1..]);
        match packet[0] {
            message::KEXINIT => exchange::run(transport, key, Some(packet)).await?,
            message::SERVICE_REQUEST => {
                let service = rest.string()?;
                if service != b"ssh-userauth" {
                    return Err(broken("the client asks for an unknown service"));
                }
                transport.send(&Out::new(message::SERVICE_ACCEPT).string(service)).await?;
            }
            message::USERAUTH_REQUEST => {
                if may(login, rest)? {
                    return transport.send(&Out::new(message::USERAUTH_SUCCESS)).await;
                }
                // To ask with «none» which ways there are is no attempt.
                tries += usize::from(!is_question(rest)?);
                transport.send(&Out::new(message::USERAUTH_FAILURE).string(b"password").byte(0)).await?;
            }
            _ => transport.refuse().await?,
        }
    }
    Err(io::Error::new(io::ErrorKind::PermissionDenied, "too many attempts to log in"))
}

fn is_question(mut request: In<'_>) -> io::Result<bool> {
    request.string()?;
    request.string()?;
    Ok(request.string()? == b"none")
}

/// Whether a request lets its user in.
fn may(login: &Login, mut request: In<'_>) -> io::Result<bool> {
    let (user, service, method) = (request.string()?, request.string()?, request.string()?);
    if service != b"ssh-connection" {
        return Ok(false);
    }
    match login {
        Login::Anybody => Ok(true),
        Login::Password(name, password) if method == b"password" => {
            let changes = request.byte()? != 0;
            let given = request.string()?;
            // Both are looked at in full, so that the time tells nothing.
            let differs = |one: &[u8], other: &[u8]| {
                let unlike = one.iter().zip(other).fold(0, |unlike, (one, other)| unlike | (one ^ other));
                unlike != 0 || one.len() != other.len()
            };
            let wrong = differs(user, name.as_bytes()) | differs(given, password.as_bytes());
            Ok(!wrong && !changes)
        }
        Login::Password(..) => Ok(false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_one_password_opens() {
        let request = |user: &str, method: &str, password: &str| {
            let out = Out::default().string(user.as_bytes()).string(b"ssh-connection").string(method.as_bytes());
            out.byte(0).string(password.as_bytes()).0
        };
        let login = Login::Password("user".into(), "word".into());
        for (user, method, password, wanted) in [
            ("user", "password", "word", true),
            ("user", "password", "wor", false),
            ("user", "password", "", false),
            ("other", "password", "word", false),
            ("user", "none", "word", false),
            ("user", "publickey", "word", false),
        ] {
            let request = request(user, method, password);
            assert_eq!(may(&login, In(&request)).expect("read"), wanted, "{user} {method} {password}");
            assert!(may(&Login::Anybody, In(&request)).expect("read"));
        }
        assert!(may(&login, In(b"\0\0")).is_err());
    }
}
