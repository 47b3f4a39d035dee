//! `lxc image copy`: an image from one server to another.

use std::fs::File;
use std::io::Seek;

use corten_api::error::{Context, Error, Result};
use corten_api::image::{Image, ImageExportPost, ImagesPost, ImagesPostSource};
use corten_api::operation::Operation;
use corten_api::url::path;
use corten_client::image_source::{ImageSource, try_each};
use corten_client::image_transfer::{self, Upload};
use corten_client::server::Server;
use hyper::Method;

use super::{alias, dereference, kind};
use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::progress::{self, Progress};
use crate::remote;
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "copy",
    aliases: &["cp"],
    usage: "[<remote>:]<image> <remote>:",
    about: "Copy images between servers",
    long: "Copy images between servers\n\nWith --auto-update the server looks for newer versions by itself; the source must\nthen be a public image named by an alias.",
    flags: &[
        Flag::switch("public", "Make image public"),
        Flag::switch("copy-aliases", "Copy aliases from source"),
        Flag::switch("auto-update", "Keep the image up to date after initial copy"),
        Flag::texts("alias", "New aliases to add to the image"),
        Flag::switch("vm", "Copy virtual machine images"),
        Flag::text("mode", "Transfer mode. One of pull (default), push or relay").or("pull"),
        Flag::text("target-project", "Copy to a project different from the source"),
    ],
    words: (2, Some(2)),
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let mode = arguments.text_or("mode", "pull");
    if mode != "pull" && arguments.is_set("auto-update") {
        return Err(Error::invalid("Auto update is only available in pull mode"));
    }
    let (remote_name, name) = session.parse_remote(arguments.word(0))?;
    // `--project` means the target's project; the source is seen in that of its remote.
    let source = remote::image_source(&session.config.borrow(), &remote_name, None)?;
    let resource = session.resource(arguments.word(1)).await?;
    if !resource.name.is_empty() {
        return Err(Error::invalid("Can't provide a name for the target image"));
    }
    let mut target = resource.server;
    if !arguments.text("target-project").is_empty() {
        target = target.in_project(arguments.text("target-project"));
    }
    check_different(&source, &target).await?;
    let own: Vec<String> = arguments.texts("alias").into_iter().map(str::to_owned).collect();
    let needs_names = arguments.is_set("copy-aliases") || !own.is_empty();
    let image = if matches!(source, ImageSource::Streams(..)) && !needs_names && mode != "relay" {
        // The target finds it by its name; the list of all images need not come here.
        Image { fingerprint: name.clone(), public: true, ..Image::default() }
    } else {
        source.image(&dereference(&source, kind(arguments), &name).await).await?
    };
    let wanted = Wanted {
        name: &name,
        kind: kind(arguments),
        public: arguments.is_set("public"),
        auto_update: arguments.is_set("auto-update"),
    };
    let mut progress = Progress::new("Copying the image: %s", session.quiet);
    match mode {
        "pull" => pull(&source, &target, &image, &wanted, &mut progress).await?,
        "push" => push(&source, &target, &image, &wanted, &mut progress).await?,
        "relay" => through_us(&source, &target, &image, &wanted, &mut progress).await?,
        _ => {
            return Err(Error::invalid(format!("Invalid transfer mode {mode:?}: one of pull, push or relay is meant")));
        }
    };
    progress.done("Image copied successfully!");
    let mut aliases = own;
    if arguments.is_set("copy-aliases") {
        aliases.extend(image.aliases.iter().map(|alias| alias.name.clone()));
    }
    alias::ensure(&target, &aliases, &image.fingerprint).await
}

/// What the user asked for.
struct Wanted<'a> {
    name: &'a str,
    kind: &'a str,
    public: bool,
    auto_update: bool,
}

/// An image cannot be copied onto itself.
async fn check_different(source: &ImageSource, target: &Server) -> Result<()> {
    match source.server() {
        Some(server) if server.is_same_server(target).await => {
            Err(Error::invalid("The source and target servers must be different"))
        }
        _ => Ok(()),
    }
}

/// Has `target` fetch an image of `source`.
///
/// # Errors
/// The servers' own errors.
pub async fn to_server(source: &ImageSource, target: &Server, fingerprint: &str, public: bool) -> Result<Operation> {
    check_different(source, target).await?;
    let image = source.image(fingerprint).await?;
    let wanted = Wanted { name: fingerprint, kind: "", public, auto_update: false };
    pull(source, target, &image, &wanted, &mut Progress::new("", true)).await
}

/// The target fetches the image.
async fn pull(
    source: &ImageSource,
    target: &Server,
    image: &Image,
    wanted: &Wanted<'_>,
    progress: &mut Progress,
) -> Result<Operation> {
    let directions = source.directions().await?;
    let mut from = ImagesPostSource {
        r#type: "image".to_owned(),
        mode: "pull".to_owned(),
        protocol: directions.protocol.to_owned(),
        certificate: directions.certificate.clone(),
        image_type: wanted.kind.to_owned(),
        fingerprint: image.fingerprint.clone(),
        project: source.server().map(|server| server.project().to_owned()).unwrap_or_default(),
        ..ImagesPostSource::default()
    };
    if image.public && !image.fingerprint.starts_with(wanted.name) || matches!(source, ImageSource::Streams(..)) {
        // A public image is followed by its alias, so that a newer version is found later.
        wanted.name.clone_into(&mut from.alias);
        from.fingerprint.clear();
    }
    if !image.public {
        from.secret = secret(source, &image.fingerprint).await?;
    }
    try_each("Failed remote image download", &directions, async |address| {
        address.clone_into(&mut from.server);
        let post = ImagesPost {
            auto_update: wanted.auto_update,
            public: wanted.public,
            source: Some(from.clone()),
            ..ImagesPost::default()
        };
        progress::wait(&target.start(Method::POST, "/1.0/images", &post, "").await?, progress).await
    })
    .await
}

/// The source sends the image; the target is told to expect it.
async fn push(
    source: &ImageSource,
    target: &Server,
    image: &Image,
    wanted: &Wanted<'_>,
    progress: &mut Progress,
) -> Result<Operation> {
    let Some(server) = source.server() else {
        return Err(Error::invalid("Exporting images is not supported by the simplestreams protocol"));
    };
    let post = ImagesPost {
        public: wanted.public,
        properties: Some(image.properties.clone()),
        expires_at: image.expires_at,
        source: Some(ImagesPostSource {
            fingerprint: image.fingerprint.clone(),
            mode: "push".to_owned(),
            ..ImagesPostSource::default()
        }),
        ..ImagesPost::default()
    };
    let waiting = target.start(Method::POST, "/1.0/images", &post, "").await?;
    let secret = waiting.first().metadata.as_ref().and_then(|metadata| metadata.get("secret")?.as_str());
    let secret = secret.ok_or_else(|| Error::internal("No token provided"))?.to_owned();
    let directions = target.directions().await?;
    let sent = try_each("Failed image export", &directions, async |address| {
        let export = ImageExportPost {
            target: address.to_owned(),
            certificate: directions.certificate.clone(),
            secret: secret.clone(),
            project: target.project().to_owned(),
            ..ImageExportPost::default()
        };
        let path = path(["images", &image.fingerprint, "export"]);
        progress::wait(&server.start(Method::POST, &path, &export, "").await?, progress).await
    })
    .await;
    // The token has served, or never will.
    let _ = waiting.cancel().await;
    sent
}

/// The image comes here and goes on from here.
async fn through_us(
    source: &ImageSource,
    target: &Server,
    image: &Image,
    wanted: &Wanted<'_>,
    progress: &mut Progress,
) -> Result<Operation> {
    let (mut metadata, mut root) = (scratch_file("metadata")?, scratch_file("root")?);
    let received = image_transfer::download(source, &image.fingerprint, &mut metadata, &mut root, |_, _| {}).await?;
    let post = ImagesPost { public: wanted.public, filename: image.filename.clone(), ..ImagesPost::default() };
    let machine = image.r#type == "virtual-machine";
    let root = received.root_name.map(|name| Ok((upload(root, name)?, machine))).transpose()?;
    let metadata = upload(metadata, received.metadata_name)?;
    let running = image_transfer::upload(target, &post, metadata, root, |_, _| {}).await?;
    progress::wait(&running, progress).await
}

/// A file without a name, which the kernel removes with its last descriptor.
fn scratch_file(what: &str) -> Result<File> {
    let folder = std::env::temp_dir();
    let flags = rustix::fs::OFlags::TMPFILE | rustix::fs::OFlags::RDWR | rustix::fs::OFlags::CLOEXEC;
    rustix::fs::open(&folder, flags, rustix::fs::Mode::from_raw_mode(0o600))
        .map(File::from)
        .map_err(std::io::Error::from)
        .with_context(|| format!("Failed to make a file for the {what} in {}", folder.display()))
}

fn upload(mut file: File, name: String) -> Result<Upload> {
    file.rewind().context("Failed to read the image back")?;
    let length = file.metadata().context("Failed to look at the image")?.len();
    Ok(Upload { name, content: Box::new(file), length })
}

/// A secret by which another server may fetch a private image.
///
/// # Errors
/// The server's own error.
pub async fn secret(source: &ImageSource, fingerprint: &str) -> Result<String> {
    let Some(server) = source.server() else {
        return Err(Error::invalid("Private images aren't supported by the simplestreams protocol"));
    };
    let running = server.start(Method::POST, &path(["images", fingerprint, "secret"]), &(), "").await?;
    let secret = running.first().metadata.as_ref().and_then(|metadata| metadata.get("secret")?.as_str());
    secret.map(str::to_owned).ok_or_else(|| Error::internal("The server gives no secret for the image"))
}
