//! From a remote's name to a connection: the socket, or TLS with our certificate and the one we know the server by.

use std::path::Path;

use corten_api::error::{Context, Error, Result};
use corten_client::endpoint::Endpoint;
use corten_client::image_source::ImageSource;
use corten_client::server::{self, Server};
use corten_client::tls::{self, Identity, Trust};

use crate::config::{Config, Remote};

/// The server of a remote, in its project (or `project`, when given). Nothing is sent yet.
///
/// # Errors
/// When certificates are missing or broken.
pub fn connect(config: &Config, name: &str, remote: &Remote, project: Option<&str>) -> Result<Server> {
    let server = Server::new(endpoint(config, name, remote)?);
    let project = project.unwrap_or(if remote.project == "default" { "" } else { &remote.project });
    Ok(server.in_project(project))
}

/// The images of a remote, whichever protocol it speaks.
///
/// # Errors
/// As [`connect`].
pub fn image_source(config: &Config, name: &str, project: Option<&str>) -> Result<ImageSource> {
    let remote = config.remote(name)?;
    if remote.protocol == "simplestreams" {
        return Ok(ImageSource::simplestreams(&remote.addr, known_certificate(config, name)?));
    }
    if remote.public {
        let server = Server::new(endpoint(config, name, remote)?);
        return Ok(ImageSource::Lxd(server.with_certificate(known_certificate(config, name)?)));
    }
    Ok(ImageSource::Lxd(connect(config, name, remote, project)?))
}

fn endpoint(config: &Config, name: &str, remote: &Remote) -> Result<Endpoint> {
    if let Some(path) = remote.addr.strip_prefix("unix:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        let socket = if path.is_empty() { server::local_socket() } else { path.into() };
        return Ok(Endpoint::Unix(socket));
    }
    let (host, port) = host_and_port(&remote.addr)?;
    let identity = identity(config)?;
    if identity.is_none() && !remote.public {
        return Err(Error::invalid("Missing TLS client certificate and key"));
    }
    let trust = match known_certificate(config, name)? {
        Some(pem) => Trust::Pinned(tls::certificates(&pem)?.remove(0)),
        None => Trust::System,
    };
    Ok(Endpoint::Tls { host, port, config: tls::config(trust, identity.as_ref())? })
}

/// Host and port of `https://host[:port][/…]`; without a port 443 is meant, as in any URL.
///
/// # Errors
/// When the address is of another form.
pub fn host_and_port(address: &str) -> Result<(String, u16)> {
    corten_client::simplestreams::fetch::Address::parse(address).map(|address| (address.host, address.port))
}

/// Our certificate and key, when both are there.
///
/// # Errors
/// When they cannot be read.
pub fn identity(config: &Config) -> Result<Option<Identity>> {
    let certificate = read_if_there(&config.folder.join("client.crt"))?;
    let key = read_if_there(&config.folder.join("client.key"))?;
    Ok(certificate.zip(key).map(|(certificate, key)| Identity { certificate, key }))
}

fn known_certificate(config: &Config, name: &str) -> Result<Option<String>> {
    read_if_there(&config.server_certificate(name))
}

fn read_if_there(path: &Path) -> Result<Option<String>> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error).with_context(|| format!("Failed to read {}", path.display())),
    }
}

/// What a first look at the local server shows.
#[derive(Default)]
pub struct Seen {
    /// It has a storage pool in use, so somebody has run `lxd init`.
    pub has_storage: bool,
    /// The only project we see, when it is not `default`.
    pub only_project: Option<String>,
}

/// Looks at the local server; a server that cannot be reached shows nothing.
pub fn look_at_local() -> Seen {
    let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else {
        return Seen::default();
    };
    runtime.block_on(async {
        let server = Server::local();
        let Ok(info) = server.info().await else { return Seen::default() };
        let projects: Vec<String> = server.get("/1.0/projects").await.unwrap_or_default();
        let only = match projects.as_slice() {
            [only] => only.rsplit('/').next().filter(|name| *name != "default").map(str::to_owned),
            _ => None,
        };
        Seen { has_storage: !info.environment.storage.is_empty(), only_project: only }
    })
}
