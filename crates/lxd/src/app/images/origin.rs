//! Where an image can be fetched, and what it is there.

use std::io::Write;

use corten_api::error::{Context, Error, Result};
use corten_api::image::Image;
use corten_client::endpoint::Endpoint;
use corten_client::image_source::ImageSource;
use corten_client::image_transfer;
use corten_client::server::Server;
use corten_client::simplestreams::fetch::{Address, Remote};
use corten_client::simplestreams::product::{File, Holds};
use corten_client::tls::{self, Trust};
use sha2::Sha256;

/// An image on a server, by alias or fingerprint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Origin {
    /// URL of the server, or of the file itself for `direct`.
    pub server: String,
    /// `lxd`, `simplestreams` or `direct`; empty means `lxd`.
    pub protocol: String,
    /// The server's certificate (PEM), where no authority vouches for it.
    pub certificate: String,
    /// A secret of the server, for an image that is not public.
    pub secret: String,
    /// What the image is asked for by: an alias, a fingerprint or its beginning.
    pub alias: String,
    /// `container`, `virtual-machine` or empty for either.
    pub kind: String,
    /// The project of the server, for `lxd`.
    pub project: String,
}

/// A server that was asked, and its answer.
pub enum Found {
    /// One that knows its images.
    Listed(Box<ImageSource>, Box<Image>),
    /// A file of which only the hash is known.
    Direct(Remote),
}

/// Another server of LXD's API, which does not know us. `certificate` is its own (PEM), where no authority vouches for
/// it.
///
/// # Errors
/// When URL or certificate are none.
pub fn server(url: &str, certificate: Option<String>, project: Option<&str>) -> Result<Server> {
    let Address { secure, host, port, .. } = Address::parse(url)?;
    if !secure {
        return Err(Error::invalid(format!("{url:?} is not an https URL, which an LXD server needs")));
    }
    let trust = match certificate {
        Some(pem) => Trust::Pinned(tls::certificates(&pem)?.remove(0)),
        None => Trust::System,
    };
    let server = Server::new(Endpoint::Tls { host, port, config: tls::config(trust, None)? });
    Ok(server.in_project(project.unwrap_or(corten_api::url::DEFAULT_PROJECT)))
}

impl Origin {
    /// The protocol, its default filled in.
    pub fn protocol(&self) -> &str {
        if self.protocol.is_empty() { "lxd" } else { &self.protocol }
    }

    fn certificate(&self) -> Option<String> {
        Some(self.certificate.clone()).filter(|pem| !pem.is_empty())
    }

    /// The server's API.
    fn source(&self) -> Result<ImageSource> {
        if self.protocol() == "simplestreams" {
            return Ok(ImageSource::simplestreams(&self.server, self.certificate()));
        }
        let project = Some(self.project.as_str()).filter(|project| !project.is_empty());
        Ok(ImageSource::Lxd(server(&self.server, self.certificate(), project)?))
    }

    /// Asks the server what the image is now; the fingerprint is a whole one then.
    ///
    /// # Errors
    /// When the server cannot be reached, or has no such image.
    pub async fn ask(&self) -> Result<(Found, String)> {
        match self.protocol() {
            "direct" => Ok((Found::Direct(Remote::new(&self.server, self.certificate())), self.alias.clone())),
            "lxd" | "simplestreams" => {
                let source = self.source()?;
                let image = self.look(&source).await.context("Failed getting remote image info")?;
                let fingerprint = image.fingerprint.clone();
                Ok((Found::Listed(Box::new(source), Box::new(image)), fingerprint))
            }
            other => Err(Error::invalid(format!("Unsupported protocol: {other}"))),
        }
    }

    async fn look(&self, source: &ImageSource) -> Result<Image> {
        if let (Some(server), false) = (source.server(), self.secret.is_empty()) {
            return server.get(&image_transfer::private_path(&self.alias, &self.secret)).await;
        }
        // What is no alias may be a fingerprint.
        let alias = source.alias(&self.kind, &self.alias).await;
        source.image(alias.as_ref().map_or(self.alias.as_str(), |entry| entry.target.as_str())).await
    }

    /// Fetches the image's files and checks them by their hash. `watch` hears bytes had and expected, for one file
    /// after the other.
    ///
    /// # Errors
    /// When they cannot be had, written, or are not what they should be; what has been written is then of no use.
    pub async fn download(
        &self,
        found: &Found,
        fingerprint: &str,
        meta: &mut (impl Write + Send),
        root: &mut (impl Write + Send),
        watch: impl FnMut(u64, u64),
    ) -> Result<()> {
        match found {
            Found::Direct(remote) => {
                let (path, sha256) = (self.server.clone(), fingerprint.to_string());
                let file = File { path, sha256, size: 0, holds: Holds::Metadata };
                remote.download(&file, meta, &mut Sha256::default(), watch).await.map(drop)
            }
            Found::Listed(source, _) => match source.server().filter(|_| !self.secret.is_empty()) {
                Some(server) => {
                    let secret = &self.secret;
                    image_transfer::download_private(server, fingerprint, secret, meta, root, watch).await.map(drop)
                }
                None => image_transfer::download(source, fingerprint, meta, root, watch).await.map(drop),
            },
        }
    }
}
