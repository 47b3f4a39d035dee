//! Where images come from: a server of LXD's API, or one of simplestreams; the same questions to either.

use corten_api::error::{Context, Error, Result};
use corten_api::image::{Image, ImageAliasesEntry};
use corten_api::url;
use tokio::sync::OnceCell;

use crate::server::Server;
use crate::simplestreams::Catalogue;
use crate::simplestreams::fetch::Remote;
use crate::simplestreams::product::File;

/// A server that has images.
pub enum ImageSource {
    /// One of LXD's API.
    Lxd(Server),
    /// One of simplestreams, with what it offers once that was asked for.
    Streams(Remote, OnceCell<Catalogue>),
}

impl ImageSource {
    /// The simplestreams server at a URL; `known` is its certificate (PEM) if no authority vouches for it.
    pub fn simplestreams(url: &str, known: Option<String>) -> ImageSource {
        ImageSource::Streams(Remote::new(url, known), OnceCell::new())
    }

    async fn catalogue<'a>(remote: &Remote, cell: &'a OnceCell<Catalogue>) -> Result<&'a Catalogue> {
        cell.get_or_try_init(|| remote.catalogue()).await
    }

    /// What an alias stands for. `kind` is `container`, `virtual-machine` or empty for either.
    ///
    /// # Errors
    /// When there is no such alias.
    pub async fn alias(&self, kind: &str, name: &str) -> Result<ImageAliasesEntry> {
        match self {
            ImageSource::Lxd(server) => {
                let alias: ImageAliasesEntry = server.get(&url::path(["images", "aliases", name])).await?;
                if !kind.is_empty() && !alias.r#type.is_empty() && alias.r#type != kind {
                    return Err(Error::not_found("Alias doesn't exist for the specified type"));
                }
                Ok(alias)
            }
            ImageSource::Streams(remote, cell) => Ok(Self::catalogue(remote, cell).await?.alias(kind, name)?.clone()),
        }
    }

    /// The image with a fingerprint, or one that starts so.
    ///
    /// # Errors
    /// When there is none.
    pub async fn image(&self, fingerprint: &str) -> Result<Image> {
        Ok(self.image_with_etag(fingerprint).await?.0)
    }

    /// As [`ImageSource::image`], with its version (empty for simplestreams).
    ///
    /// # Errors
    /// When there is none.
    pub async fn image_with_etag(&self, fingerprint: &str) -> Result<(Image, String)> {
        match self {
            ImageSource::Lxd(server) => server.get_with_etag(&url::path(["images", fingerprint])).await,
            ImageSource::Streams(remote, cell) => {
                let catalogue = Self::catalogue(remote, cell).await?;
                let image = catalogue.image(fingerprint).context("Failed getting image")?;
                Ok((image.clone(), String::new()))
            }
        }
    }

    /// All aliases.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn aliases(&self) -> Result<Vec<ImageAliasesEntry>> {
        match self {
            ImageSource::Lxd(server) => server.get("/1.0/images/aliases?recursion=1").await,
            ImageSource::Streams(remote, cell) => {
                Ok(Self::catalogue(remote, cell).await?.aliases().into_iter().cloned().collect())
            }
        }
    }

    /// All images. A filter (LXD's small language) is only understood by servers of LXD's API.
    ///
    /// # Errors
    /// When the server cannot be asked.
    pub async fn images(&self, filter: &str) -> Result<Vec<Image>> {
        match self {
            ImageSource::Lxd(server) => {
                server.get(&format!("/1.0/images?filter={}&recursion=1", url::escape_query(filter))).await
            }
            ImageSource::Streams(remote, cell) => Ok(Self::catalogue(remote, cell).await?.images.clone()),
        }
    }

    /// The files of an image of a simplestreams server; none for one of LXD's API, which sends them in one reply.
    ///
    /// # Errors
    /// When there is no such image.
    pub async fn files(&self, fingerprint: &str) -> Result<Vec<File>> {
        match self {
            ImageSource::Lxd(_) => Ok(Vec::new()),
            ImageSource::Streams(remote, cell) => Ok(Self::catalogue(remote, cell).await?.files(fingerprint)?.to_vec()),
        }
    }

    /// The server of LXD's API, if that is what this is.
    pub fn server(&self) -> Option<&Server> {
        match self {
            ImageSource::Lxd(server) => Some(server),
            ImageSource::Streams(..) => None,
        }
    }
}

/// What another server needs to fetch an image from this source.
#[derive(Clone, Debug, Default)]
pub struct Directions {
    /// `lxd` or `simplestreams`.
    pub protocol: &'static str,
    /// The source's certificate (PEM), where it is known.
    pub certificate: String,
    /// URLs to try in turn.
    pub addresses: Vec<String>,
}

impl ImageSource {
    /// What another server needs to fetch images from here.
    ///
    /// # Errors
    /// When the source cannot be asked for its addresses.
    pub async fn directions(&self) -> Result<Directions> {
        match self {
            ImageSource::Lxd(server) => server.directions().await,
            ImageSource::Streams(remote, _) => Ok(Directions {
                protocol: "simplestreams",
                certificate: remote.known_certificate().to_owned(),
                addresses: vec![remote.url().to_owned()],
            }),
        }
    }
}

impl Server {
    /// What another server needs to reach this one: the URL that we use ourselves, then all that it announces.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn directions(&self) -> Result<Directions> {
        let environment = &self.info().await?.environment;
        let mut addresses = Vec::new();
        if matches!(self.endpoint(), crate::endpoint::Endpoint::Tls { .. }) {
            addresses.push(self.endpoint().base());
        }
        // An address that is only a port is reachable under no name that we know.
        for address in environment.addresses.iter().filter(|address| !address.starts_with(':')) {
            let url = format!("https://{address}");
            if !addresses.contains(&url) {
                addresses.push(url);
            }
        }
        let told = &environment.certificate;
        let certificate = if told.is_empty() { self.certificate.clone() } else { told.clone() };
        Ok(Directions { protocol: "lxd", certificate, addresses })
    }
}

/// Tries each address of a source until `attempt` succeeds or fails for a reason that another address will not mend.
///
/// # Errors
/// `what`, with the reason, or with all of them where they differ.
pub async fn try_each<T>(
    what: &str,
    directions: &Directions,
    mut attempt: impl AsyncFnMut(&str) -> Result<T>,
) -> Result<T> {
    if directions.addresses.is_empty() {
        return Err(Error::invalid("The source server isn't listening on the network"));
    }
    let mut failures: Vec<(String, Error)> = Vec::new();
    for address in &directions.addresses {
        match attempt(address).await {
            Ok(made) => return Ok(made),
            Err(error) => {
                let over = !is_about_connection(&error.message);
                failures.push((address.clone(), error));
                if over {
                    break;
                }
            }
        }
    }
    let Some((_, last)) = failures.last().cloned() else { return Err(Error::internal(what)) };
    if failures.iter().all(|(_, error)| error.message == last.message) {
        return Err(last.context(what));
    }
    let lines: Vec<String> = failures.iter().map(|(address, error)| format!(" - {address}: {error}")).collect();
    Err(Error { kind: last.kind, message: format!("{what}:\n{}", lines.join("\n")) })
}

/// Whether a failure of another server was that it could not reach the source.
fn is_about_connection(text: &str) -> bool {
    ["Unable to connect", "connection refused", "no route to host", "timeout", "dial tcp", "x509", "EOF"]
        .iter()
        .any(|sign| text.contains(sign))
}
