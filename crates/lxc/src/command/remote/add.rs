//! `lxc remote add`: getting to know a server, and making it know us.

use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use corten_api::certificate::{CertificateAddToken, CertificatesPost};
use corten_api::error::{Context, Error, Kind, Result};
use corten_api::url;
use corten_client::server::Server;
use corten_client::{identity, tls};

use super::{address, token};
use crate::arguments::Arguments;
use crate::config::{Config, Remote};
use crate::session::Session;
use crate::{printer, question, remote};

/// The command.
pub async fn add(session: &Session, arguments: &Arguments) -> Result<()> {
    let name = arguments.word(0);
    let addr = if arguments.len() > 1 { arguments.word(1) } else { name };
    if name.contains(':') {
        return Err(Error::invalid("Remote names may not contain colons"));
    }
    if let Some(known) = session.config.borrow().remotes.get(name) {
        return Err(Error::conflict(format!("Remote {name} exists as <{}>", known.addr)));
    }
    let protocol = arguments.text_or("protocol", "lxd");
    if let Some(token) = token::decode(addr) {
        return by_token(session, arguments, name, addr, &token).await;
    }
    match protocol {
        "simplestreams" if !addr.starts_with("https://") => {
            Err(Error::invalid("Only https URLs are supported for simplestreams"))
        }
        "simplestreams" => {
            let found =
                Remote { addr: addr.to_owned(), public: true, protocol: protocol.to_owned(), ..Remote::default() };
            keep(session, name, found)
        }
        "lxd" => by_address(session, arguments, name, &address::complete(addr)?).await,
        _ => Err(Error::invalid(format!("Invalid protocol: {protocol}"))),
    }
}

/// Writes the remote into the user's configuration.
fn keep(session: &Session, name: &str, found: Remote) -> Result<()> {
    let mut config = session.config.borrow_mut();
    config.remotes.insert(name.to_owned(), found);
    config.save()
}

/// Connects to a server that is not in the configuration yet.
fn connect(session: &Session, name: &str, found: &Remote) -> Result<Server> {
    remote::connect(&session.config.borrow(), name, found, None)
}

async fn by_address(session: &Session, arguments: &Arguments, name: &str, addr: &str) -> Result<()> {
    let public = arguments.is_set("public");
    let auth_type = arguments.text("auth-type");
    let mut found = Remote {
        addr: addr.to_owned(),
        protocol: "lxd".to_owned(),
        auth_type: auth_type.to_owned(),
        domain: arguments.text("domain").to_owned(),
        public,
        ..Remote::default()
    };
    if !matches!(auth_type, "" | "tls") {
        return Err(Error::not_implemented(format!("Authentication type '{auth_type}' is not there yet, use 'tls'")));
    }
    "tls".clone_into(&mut found.auth_type);
    if addr.starts_with("unix:") {
        let server = connect(session, name, &found)?;
        found.project = project(&server, arguments.text("project")).await?;
        return keep(session, name, found);
    }
    if !public {
        make_identity(&session.config.borrow())?;
    }
    let server = connect(session, name, &found)?;
    if server.info().await.is_err() {
        learn_certificate(session, arguments, name, addr).await?;
    }
    // Anew, now that the server's certificate may be known.
    let server = connect(session, name, &found)?;
    if public || server.info().await?.public {
        return keep(session, name, Remote { addr: addr.to_owned(), public: true, ..Remote::default() });
    }
    become_trusted(session, arguments, name, &found, &server).await?;
    let server = connect(session, name, &found)?;
    found.project = project(&server, arguments.text("project")).await?;
    keep(session, name, found)
}

/// Shows the fingerprint of a server that no authority vouches for, and remembers its certificate when the user says
/// it is right.
async fn learn_certificate(session: &Session, arguments: &Arguments, name: &str, addr: &str) -> Result<()> {
    let (host, port) = remote::host_and_port(addr)?;
    let certificate = tls::server_certificate(&host, port).await?;
    if !arguments.is_set("accept-certificate") {
        let fingerprint = tls::fingerprint(&certificate);
        printer::print_line(&format!("Certificate fingerprint: {fingerprint}"));
        let answer = question::line("ok (y/n/[fingerprint])? ")?;
        if answer != fingerprint {
            match answer.chars().next().map(|letter| letter.to_ascii_lowercase()) {
                Some('y') => {}
                None | Some('n') => return Err(Error::invalid("Server certificate NACKed by user")),
                Some(_) => return Err(Error::invalid("Please type 'y', 'n' or the fingerprint:")),
            }
        }
    }
    remember(&session.config.borrow(), name, &tls::to_pem(&certificate))
}

/// Keeps the certificate of a server.
fn remember(config: &Config, name: &str, pem: &str) -> Result<()> {
    let file = config.server_certificate(name);
    if let Some(folder) = file.parent() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o750)
            .create(folder)
            .context("Could not create server cert dir")?;
    }
    std::fs::write(&file, pem).with_context(|| format!("Could not write server cert file {:?}", file.display()))
}

/// Makes our own certificate, unless there is one.
fn make_identity(config: &Config) -> Result<()> {
    if remote::identity(config)?.is_some() {
        return Ok(());
    }
    printer::warn_line("Generating a client certificate. This may take a minute...");
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let user = std::env::var("USER").unwrap_or_else(|_| "root".to_owned());
    let made = identity::generate(&format!("{user}@{host}"))?;
    std::fs::create_dir_all(&config.folder).context("Failed to create the configuration folder")?;
    write_new(&config.folder.join("client.crt"), &made.certificate, 0o644)?;
    write_new(&config.folder.join("client.key"), &made.key, 0o600)
}

fn write_new(path: &Path, text: &str, mode: u32) -> Result<()> {
    use std::io::Write;
    std::fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(path)
        .and_then(|mut file| file.write_all(text.as_bytes()))
        .with_context(|| format!("Failed to write {}", path.display()))
}

/// Gives the server our certificate with its password or a token, unless it trusts us already.
async fn become_trusted(
    session: &Session,
    arguments: &Arguments,
    name: &str,
    found: &Remote,
    server: &Server,
) -> Result<()> {
    let info = server.info().await?;
    if !info.auth_methods.contains(&found.auth_type) {
        return Err(Error::invalid(format!("Authentication type '{}' not supported by server", found.auth_type)));
    }
    if info.auth == "trusted" {
        return Ok(());
    }
    let password = match arguments.text("password") {
        "" => question::secret(&format!("Admin password (or token) for {name}: "))?,
        given => given.to_owned(),
    };
    let request = CertificatesPost { password, r#type: "client".to_owned(), ..CertificatesPost::default() };
    server.post("/1.0/certificates", &request).await?;
    if connect(session, name, found)?.info().await?.auth != "trusted" {
        return Err(Error::forbidden("Server doesn't trust us after authentication"));
    }
    printer::print_line(&format!("Client certificate now trusted by server: {name}"));
    Ok(())
}

async fn by_token(
    session: &Session,
    arguments: &Arguments,
    name: &str,
    text: &str,
    token: &CertificateAddToken,
) -> Result<()> {
    make_identity(&session.config.borrow())?;
    for addr in &token.addresses {
        match join(session, arguments, name, &format!("https://{addr}"), text, token).await {
            Err(error) if error.kind == Kind::Unavailable => {}
            outcome => return outcome,
        }
    }
    printer::print_line("All server addresses are unavailable");
    let addr = question::line("Please provide an alternate server address (empty to abort): ")?;
    if addr.is_empty() {
        return Err(Error::invalid("Failed to add remote"));
    }
    join(session, arguments, name, &address::complete(&addr)?, text, token).await
}

/// Adds a server by the token that it made; the token says by which certificate to know it.
async fn join(
    session: &Session,
    arguments: &Arguments,
    name: &str,
    addr: &str,
    text: &str,
    token: &CertificateAddToken,
) -> Result<()> {
    let unavailable = |error: Error| Error::unavailable(format!("Unavailable remote server: {error}"));
    let mut found =
        Remote { addr: addr.to_owned(), protocol: "lxd".to_owned(), auth_type: "tls".to_owned(), ..Remote::default() };
    if connect(session, name, &found)?.info().await.is_err() {
        let (host, port) = remote::host_and_port(addr)?;
        let certificate = tls::server_certificate(&host, port).await.map_err(unavailable)?;
        if tls::fingerprint(&certificate) != token.fingerprint {
            return Err(Error::invalid(format!(
                "Certificate fingerprint mismatch between certificate token and server {addr:?}"
            )));
        }
        remember(&session.config.borrow(), name, &tls::to_pem(&certificate))?;
    }
    let server = connect(session, name, &found)?;
    server.info().await.map_err(unavailable)?;
    let request = CertificatesPost { password: text.to_owned(), ..CertificatesPost::default() };
    server.post("/1.0/certificates", &request).await.context("Failed to create certificate")?;
    let server = connect(session, name, &found)?;
    found.project = project(&server, arguments.text("project")).await.context("Failed to find project")?;
    keep(session, name, found)
}

/// The project to use on a server: the one asked for, the only one there is, `default`, or the user's choice.
async fn project(server: &Server, wanted: &str) -> Result<String> {
    if !wanted.is_empty() {
        let _: corten_api::project::Project = server.get(&url::path(["projects", wanted])).await?;
        return Ok(wanted.to_owned());
    }
    let paths: Vec<String> = server.get("/1.0/projects").await?;
    let mut names: Vec<String> =
        paths.iter().filter_map(|path| path.rsplit('/').next()).filter_map(url::unescape).collect();
    if names.len() == 1 {
        return Ok(names.remove(0));
    }
    if names.is_empty() || names.iter().any(|name| name == url::DEFAULT_PROJECT) {
        return Ok(String::new());
    }
    printer::print_line("Available projects:");
    for name in &names {
        printer::print_line(&format!(" - {name}"));
    }
    question::choice("Name of the project to use for this remote: ", &names)
}
