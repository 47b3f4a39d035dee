//! `lxc file mount`: the files of an instance as a folder of this host, or over SSH for whoever comes.

use std::path::{Component, Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;

use corten_api::error::{Context, Error, Result};
use corten_api::instance::Instance;
use corten_api::url;
use corten_client::server::Server;
use corten_client::sftp;
use tokio::net::TcpListener;
use tokio::process::Command as Program;

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::printer;
use crate::session::Session;
use crate::ssh::{self, Login};

pub static COMMAND: Command = Command {
    name: "mount",
    usage: "[<remote>:]<instance>[/<path>] [<target path>]",
    about: "Mount files from instances",
    examples: "lxc file mount foo/root fooroot\n   To mount /root from the instance foo onto the local fooroot directory.",
    flags: &[
        Flag::text("listen", "Setup SSH SFTP listener on address:port instead of mounting"),
        Flag::switch("no-auth", "Disable authentication when using SSH SFTP listener"),
        Flag::text("auth-user", "Set authentication user when using SSH SFTP listener"),
    ],
    words: (1, Some(2)),
    run: crate::run!(run),
    ..Command::EMPTY
};

/// Where we listen when nobody says where: any free port, for this host only.
const ANY_PORT: &str = "127.0.0.1:0";

/// Letters of names and passwords that are made up.
const LETTERS: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let resource = session.resource(arguments.word(0)).await?;
    let (listen, target) = (arguments.text("listen"), arguments.words.get(1).map(Path::new));
    if let Some(target) = target {
        let found = std::fs::metadata(target)
            .map_err(|error| Error::invalid(format!("stat {}: {}", target.display(), super::pull::plain(&error))))?;
        if !found.is_dir() {
            return Err(Error::invalid("Target path must be a directory"));
        }
        if !listen.is_empty() {
            return Err(Error::invalid("Target path and --listen flag cannot be used together"));
        }
        let (name, path) = resource
            .name
            .split_once('/')
            .ok_or_else(|| Error::invalid(format!("Invalid instance path: {:?}", resource.name)))?;
        return on_folder(&resource.server, name, &absolute(path), target).await;
    }
    if resource.name.contains('/') {
        return Err(Error::invalid("Instance path cannot be used in SSH SFTP listener mode"));
    }
    let login = login(arguments)?;
    let listen = if listen.is_empty() { ANY_PORT } else { listen };
    over_ssh(Arc::new(resource.server), resource.name, listen, login).await
}

/// A path of the instance from its root.
fn absolute(path: &str) -> PathBuf {
    let mut clean = PathBuf::from("/");
    for component in Path::new(path).components() {
        match component {
            Component::Normal(name) => clean.push(name),
            Component::ParentDir => drop(clean.pop()),
            _ => {}
        }
    }
    clean
}

/// Lets sshfs mount what comes over our connection, until it is interrupted or either side goes.
async fn on_folder(server: &Server, name: &str, path: &Path, target: &Path) -> Result<()> {
    let source = format!("lxd.{name}:{}", path.display());
    let mut sshfs = Program::new("sshfs");
    sshfs.args(["-o", "slave"]).arg(source).arg(target).stdin(Stdio::piped()).stdout(Stdio::piped());
    // A terminal sends its interrupt to us alone: sshfs is to unmount before it ends.
    sshfs.process_group(0);
    let connection =
        sftp::connect(server, name).await.map_err(|error| error.context("Failed connecting to instance SFTP"))?;
    let mut child = match sshfs.spawn() {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::invalid("sshfs not found. Try SSH SFTP mode using the --listen flag"));
        }
        child => child.context("Failed starting sshfs")?,
    };
    let (Some(mut to), Some(mut from)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(Error::internal("Failed starting sshfs: it has no pipes"));
    };
    printer::print_line(&format!(
        "sshfs mounting {:?} on {:?}",
        format!("{name}{}", path.display()),
        target.display().to_string()
    ));
    printer::print_line("Press ctrl+c to finish");
    let (mut reader, mut writer) = tokio::io::split(connection);
    let pid = child.id();
    let mut relayed = std::pin::pin!(async {
        tokio::select! {
            copied = tokio::io::copy(&mut reader, &mut to) => match copied {
                Err(error) => printer::warn_line(&format!("I/O copy from instance to sshfs failed: {error}")),
                Ok(_) => printer::print_line("Instance disconnected"),
            },
            copied = tokio::io::copy(&mut from, &mut writer) => if let Err(error) = copied {
                printer::warn_line(&format!("I/O copy from sshfs to instance failed: {error}"));
            },
        }
    });
    let interrupted = tokio::select! {
        () = &mut relayed => false,
        _ = tokio::signal::ctrl_c() => true,
        () = terminated() => true,
    };
    // Interrupted, it unmounts, and may have something to say to the instance before it ends.
    if let Some(pid) = pid.and_then(|pid| rustix::process::Pid::from_raw(pid.try_into().unwrap_or(0))) {
        let _ = rustix::process::kill_process(pid, rustix::process::Signal::INT);
    }
    let status = tokio::select! {
        status = child.wait() => status,
        () = async { if interrupted { relayed.await; } std::future::pending().await } => return Ok(()),
    };
    let status = status.context("Failed to wait for sshfs")?;
    // It calls an interrupt a failure.
    if !status.success() && !interrupted {
        return Err(Error::invalid(status.to_string()));
    }
    printer::print_line("sshfs has stopped");
    Ok(())
}

async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => drop(signal.recv().await),
        Err(_) => std::future::pending().await,
    }
}

fn login(arguments: &Arguments) -> Result<Login> {
    if arguments.is_set("no-auth") {
        return Ok(Login::Anybody);
    }
    let user = match arguments.text("auth-user") {
        "" => made_up()?,
        user => user.to_string(),
    };
    Ok(Login::Password(user, made_up()?))
}

/// Eight letters that nobody can guess.
fn made_up() -> Result<String> {
    use ring::rand::SecureRandom;
    let mut letters = String::new();
    while letters.len() < 8 {
        let mut byte = [0];
        let filled = ring::rand::SystemRandom::new().fill(&mut byte);
        filled.map_err(|_| Error::internal("The system has no random numbers"))?;
        // Taken only where each letter is as likely as the others.
        if byte[0] < 248 {
            letters.push(char::from(LETTERS[usize::from(byte[0]) % LETTERS.len()]));
        }
    }
    Ok(letters)
}

/// Listens, and gives each client connections of its own.
async fn over_ssh(server: Arc<Server>, name: String, listen: &str, login: Login) -> Result<()> {
    let _: Instance = server.get(&url::path(["instances", &name])).await?;
    let config = ssh::config(&login).context("Failed generating SSH host key")?;
    let listener = TcpListener::bind(listen).await.context("Failed to listen for connection")?;
    let address = listener.local_addr().context("Failed to listen for connection")?;
    printer::print_line(&format!("SSH SFTP listening on {address}"));
    match &login {
        Login::Anybody => printer::print_line("Login without username and password"),
        Login::Password(user, password) => {
            printer::print_line(&format!("Login with username {user:?} and password {password:?}"));
        }
    }
    loop {
        let (stream, peer) = listener.accept().await.context("Failed to accept incoming connection")?;
        let (server, name, config, login) = (server.clone(), name.clone(), config.clone(), login.clone());
        tokio::spawn(async move {
            printer::print_line(&format!("SSH client connected {:?}", peer.to_string()));
            if let Err(error) = ssh::serve(stream, config, login, move || instance(server.clone(), name.clone())).await
            {
                printer::warn_line(&format!("Failed serving SSH client {:?}: {error}", peer.to_string()));
            }
            printer::print_line(&format!("SSH client disconnected {:?}", peer.to_string()));
        });
    }
}

/// The files of the instance, over a connection of their own.
async fn instance(server: Arc<Server>, name: String) -> std::io::Result<sftp::Sftp> {
    sftp::connect(&server, &name).await.map_err(|error| {
        printer::warn_line(&format!("Failed connecting to instance SFTP: {error}"));
        std::io::Error::other(error.message)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_begin_at_the_root() {
        for (path, wanted) in [("", "/"), ("root", "/root"), ("/a//b/../c/.", "/a/c"), ("../..", "/")] {
            assert_eq!(absolute(path), Path::new(wanted), "{path}");
        }
        let (one, other) = (made_up().expect("letters"), made_up().expect("letters"));
        assert!(one.len() == 8 && one != other);
    }
}
