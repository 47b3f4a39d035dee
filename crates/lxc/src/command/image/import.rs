//! `lxc image import`: from a file, two files, a folder or a URL.

use std::fs::File;
use std::io::{Read, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::Command as Program;

use corten_api::error::{Context, Error, Result};
use corten_api::image::{ImagesPost, ImagesPostSource};
use corten_client::image_transfer::{self, Upload};
use corten_client::operation::Running;
use corten_client::server::Server;
use hyper::Method;

use super::alias;
use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::progress::{self, Progress, Transfer};
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "import",
    usage: "<tarball>|<directory>|<URL> [<rootfs tarball>] [<remote>:] [key=value...]",
    about: "Import images into the image store",
    long: "Import images into the image store\n\nA directory must hold metadata.yaml and rootfs (and may hold templates); it is\npacked with tar, which only root can do faithfully.",
    flags: &[Flag::switch("public", "Make image public"), Flag::texts("alias", "New aliases to add to the image")],
    words: (1, None),
    run: crate::run!(run),
    ..Command::EMPTY
};

/// What the words of the command line mean.
#[derive(Debug, PartialEq, Eq)]
struct Words<'a> {
    image: &'a str,
    root: Option<&'a str>,
    remote: Option<&'a str>,
    properties: Vec<(&'a str, &'a str)>,
}

/// Sorts the words: files, a remote that ends with a colon, properties with an equals sign.
fn words<'a>(all: &'a [String], exists: impl Fn(&str) -> bool) -> Words<'a> {
    let first = all.first().map_or("", String::as_str);
    let mut words = Words { image: "", root: None, remote: None, properties: Vec::new() };
    for word in all {
        match word.split_once('=') {
            Some((key, value)) if !exists(word) => words.properties.push((key.trim(), value.trim())),
            _ if word.ends_with(':') => words.remote = Some(word),
            _ if words.image.is_empty() => words.image = first,
            _ => words.root = Some(word),
        }
    }
    if words.image.is_empty() {
        words.image = first;
    }
    words
}

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let words = words(&arguments.words, |word| Path::new(word).exists());
    let (remote, _) = session.parse_remote(words.remote.unwrap_or(""))?;
    let server = session.server(&remote).await?;
    if words.image.starts_with("http://") {
        return Err(Error::invalid("Only https:// is supported for remote image import"));
    }
    let mut post = ImagesPost { public: arguments.is_set("public"), ..ImagesPost::default() };
    let named = words.properties.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
    post.properties = Some(named.collect());
    let transfer = Transfer::new("Transferring image: %s", session.quiet);
    let running = if words.image.starts_with("https://") {
        from_url(&server, post, words.image).await?
    } else {
        let started = from_files(&server, post, words.image, words.root, &transfer).await;
        transfer.done("");
        started?
    };
    let mut progress = Progress::new("Transferring image: %s", session.quiet);
    let ended = progress::wait(&running, &mut progress).await?;
    let fingerprint = ended.metadata.as_ref().and_then(|metadata| metadata.get("fingerprint")?.as_str());
    let Some(fingerprint) = fingerprint else {
        return Err(Error::internal("The server does not say which image it has imported"));
    };
    progress.done(&format!("Image imported with fingerprint: {fingerprint}"));
    let aliases: Vec<String> = arguments.texts("alias").into_iter().map(str::to_owned).collect();
    alias::ensure(&server, &aliases, fingerprint).await
}

/// The server fetches the image by itself.
async fn from_url(server: &Server, mut post: ImagesPost, url: &str) -> Result<Running> {
    post.source = Some(ImagesPostSource {
        r#type: "url".to_owned(),
        mode: "pull".to_owned(),
        protocol: "direct".to_owned(),
        url: url.to_owned(),
        ..ImagesPostSource::default()
    });
    server.start(Method::POST, "/1.0/images", &post, "").await
}

async fn from_files(
    server: &Server,
    mut post: ImagesPost,
    image: &str,
    root: Option<&str>,
    transfer: &Transfer,
) -> Result<Running> {
    let packed = Path::new(image).is_dir().then(|| Packed::new(image)).transpose()?;
    let path = packed.as_ref().map_or(Path::new(image), |packed| packed.0.as_path());
    let (metadata, _) = open(path)?;
    post.filename.clone_from(&metadata.name);
    let root = root.map(|root| open(Path::new(root))).transpose()?;
    image_transfer::upload(server, &post, metadata, root, transfer.watcher()).await
}

/// Opens a file for sending, and tells whether it is a machine's disk in qcow2 form.
fn open(path: &Path) -> Result<(Upload, bool)> {
    let mut file = File::open(path).map_err(|error| Error::invalid(open_failed(path, &error)))?;
    let length = file.metadata().with_context(|| format!("Failed to look at {}", path.display()))?.size();
    let mut magic = [0; 4];
    let is_qcow2 = file.read_exact(&mut magic).is_ok() && magic == *b"QFI\xfb";
    file.rewind().with_context(|| format!("Failed to read {}", path.display()))?;
    let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok((Upload { name, content: Box::new(file), length }, is_qcow2))
}

/// The words of LXD's client for a file that cannot be opened.
pub fn open_failed(path: &Path, error: &std::io::Error) -> String {
    let reason = error.to_string();
    let reason = reason.split(" (os error").next().unwrap_or_default().to_lowercase();
    format!("open {}: {reason}", path.display())
}

/// A folder packed into a temporary file, which goes away with this value.
struct Packed(PathBuf);

impl Packed {
    fn new(folder: &str) -> Result<Packed> {
        if !rustix::process::geteuid().is_root() {
            return Err(Error::invalid("Must run as root to import from directory"));
        }
        let file = std::env::temp_dir().join(format!("lxd_image_{}", std::process::id()));
        let packed = Packed(file);
        let mut parts = vec!["rootfs", "metadata.yaml"];
        if Path::new(folder).join("templates").exists() {
            parts.push("templates");
        }
        let output = Program::new("tar")
            .args(["-C", folder, "--numeric-owner", "--restrict", "--force-local", "--xattrs", "-cJf"])
            .arg(&packed.0)
            .args(parts)
            .output()
            .context("Failed to run tar (Debian's packages tar and xz-utils)")?;
        if !output.status.success() {
            let said = String::from_utf8_lossy(&output.stderr);
            return Err(Error::invalid(format!("Failed to pack {folder}: {}", said.trim())));
        }
        Ok(packed)
    }
}

impl Drop for Packed {
    fn drop(&mut self) {
        // It may never have been made.
        let _ = std::fs::remove_file(&self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted() {
        let all = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let line = all("meta.tar root.squashfs far: os=Busy a=b=c x=y.tar");
        let found = words(&line, |word| word == "x=y.tar");
        assert_eq!(found.image, "meta.tar");
        assert_eq!((found.root, found.remote), (Some("x=y.tar"), Some("far:")));
        assert_eq!(found.properties, [("os", "Busy"), ("a", "b=c")]);
    }
}
