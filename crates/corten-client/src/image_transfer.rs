//! Files of images to and from a server of LXD's API.

use std::io::{Read, Write};

use corten_api::error::{Context, Error, Result};
use corten_api::image::ImagesPost;
use corten_api::url::{escape_query, path};
use hyper::Method;
use sha2::{Digest, Sha256};

use crate::body::Body;
use crate::file::{announced_length, each_piece, succeeded, suggested_name};
use crate::http::Ask;
use crate::image_source::ImageSource;
use crate::multipart::{self, Found, Parser};
use crate::operation::Running;
use crate::server::Server;
use crate::simplestreams::product::Holds;

/// A file to send.
pub struct Upload {
    /// Its name.
    pub name: String,
    /// Its content.
    pub content: Box<dyn Read + Send>,
    /// Bytes.
    pub length: u64,
}

/// Sends an image: the unified file, or metadata and root.
///
/// # Errors
/// The server's own error.
pub async fn upload(
    server: &Server,
    post: &ImagesPost,
    metadata: Upload,
    root: Option<(Upload, bool)>,
    mut watch: impl FnMut(u64, u64) + Send + 'static,
) -> Result<Running> {
    let pairs = |pairs: &mut dyn Iterator<Item = (&str, &str)>| {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    };
    let properties = pairs(&mut post.properties.iter().flatten().map(|(key, value)| (key.as_str(), value.as_str())));
    let profiles = pairs(&mut post.profiles.iter().map(|name| ("profile", name.as_str())));
    // A server that expects the image takes it from whoever knows the secret.
    let source = post.source.clone().unwrap_or_default();
    let ask = Ask::new(Method::POST, "/1.0/images")
        .header("x-lxd-public", if post.public { "true" } else { "" })
        .header("x-lxd-filename", post.filename.clone())
        .header("x-lxd-properties", properties)
        .header("x-lxd-profiles", profiles)
        .header("x-lxd-fingerprint", source.fingerprint)
        .header("x-lxd-secret", source.secret);
    let Some((root, machine)) = root else {
        let length = metadata.length;
        let body = Body::reader(metadata.content, Some(length), move |sent| watch(sent, length));
        return server.start_raw(ask.body("application/octet-stream", body)).await;
    };
    let field = if machine { "rootfs.img" } else { "rootfs" };
    let fields = vec![
        ("metadata", metadata.name, metadata.content, metadata.length),
        (field, root.name, root.content, root.length),
    ];
    let form = multipart::form(fields, &boundary()?);
    let length = form.length;
    let body = Body::reader(form.body, Some(length), move |sent| watch(sent, length));
    let mut ask = ask.header("content-type", form.content_type);
    ask.body = body;
    server.start_raw(ask).await
}

/// A line that no file contains, by chance and not by search.
fn boundary() -> Result<String> {
    let mut random = [0; 30];
    std::fs::File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut random))
        .context("Failed to get random numbers")?;
    Ok(data_encoding::HEXLOWER.encode(&random))
}

/// Files that were received.
#[derive(Debug, Default)]
pub struct Received {
    /// The name that the server gives the metadata or the unified file.
    pub metadata_name: String,
    /// The root's name, when there is a root.
    pub root_name: Option<String>,
}

/// Fetches the files of an image and checks its fingerprint, which must be the whole one. `watch` hears bytes had and
/// expected (0 when the server does not tell).
///
/// # Errors
/// When they cannot be had, written, or are not what they should be; what has been written is then of no use.
pub async fn download(
    source: &ImageSource,
    fingerprint: &str,
    metadata: &mut (impl Write + Send),
    root: &mut (impl Write + Send),
    mut watch: impl FnMut(u64, u64),
) -> Result<Received> {
    let mut hash = Sha256::new();
    let received = match source {
        ImageSource::Lxd(server) => {
            let from = path(["images", fingerprint, "export"]);
            from_server(server, from, metadata, root, &mut hash, &mut watch).await?
        }
        ImageSource::Streams(remote, _) => {
            let mut received = Received::default();
            for file in source.files(fingerprint).await? {
                let name = file.path.rsplit('/').next().unwrap_or_default().to_owned();
                match file.holds {
                    Holds::Metadata => {
                        remote.download(&file, metadata, &mut hash, &mut watch).await?;
                        received.metadata_name = name;
                    }
                    Holds::Root => {
                        remote.download(&file, root, &mut hash, &mut watch).await?;
                        received.root_name = Some(name);
                    }
                    Holds::DeltaFrom(_) => {}
                }
            }
            received
        }
    };
    check(hash, fingerprint)?;
    Ok(received)
}

/// The path of an image that is not public, with a secret of its server.
pub fn private_path(fingerprint: &str, secret: &str) -> String {
    format!("{}?secret={}", path(["images", fingerprint]), escape_query(secret))
}

/// As [`download`], for an image of a server of LXD's API that is not public.
///
/// # Errors
/// As [`download`].
pub async fn download_private(
    server: &Server,
    fingerprint: &str,
    secret: &str,
    metadata: &mut (impl Write + Send),
    root: &mut (impl Write + Send),
    mut watch: impl FnMut(u64, u64),
) -> Result<Received> {
    let mut hash = Sha256::new();
    let from = format!("{}?secret={}", path(["images", fingerprint, "export"]), escape_query(secret));
    let received = from_server(server, from, metadata, root, &mut hash, &mut watch).await?;
    check(hash, fingerprint)?;
    Ok(received)
}

fn check(hash: Sha256, fingerprint: &str) -> Result<()> {
    let got = data_encoding::HEXLOWER.encode(&hash.finalize());
    if got != fingerprint {
        let text = format!("Image fingerprint doesn't match. Got {got} expected {fingerprint}");
        return Err(Error::internal(text));
    }
    Ok(())
}

async fn from_server(
    server: &Server,
    from: String,
    metadata: &mut impl Write,
    root: &mut impl Write,
    hash: &mut Sha256,
    watch: &mut impl FnMut(u64, u64),
) -> Result<Received> {
    let ask = Ask::new(Method::GET, from);
    let reply = succeeded(server, server.send(ask).await?).await?;
    let expected = announced_length(&reply).unwrap_or_default();
    let kind = reply.response.headers().get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let mut parser = Parser::new(kind);
    let name = suggested_name(&reply).unwrap_or_default();
    let mut received = Received { metadata_name: name, root_name: None };
    let (mut had, mut in_root) = (0, false);
    each_piece(reply, |piece| {
        had += piece.len() as u64;
        watch(had, expected);
        let mut store = |data: &[u8], in_root: bool| {
            hash.update(data);
            let stored = if in_root { root.write_all(data) } else { metadata.write_all(data) };
            stored.context("Failed to store the image")
        };
        let Some(parser) = &mut parser else { return store(piece, false) };
        parser.feed(piece, |found| {
            match found {
                Found::Data(data) => return store(data, in_root),
                Found::File(field, name) if field == "metadata" => received.metadata_name = name,
                Found::File(_, name) => {
                    in_root = true;
                    received.root_name = Some(name);
                }
            }
            Ok(())
        })
    })
    .await?;
    parser.map_or(Ok(()), Parser::finish)?;
    Ok(received)
}
