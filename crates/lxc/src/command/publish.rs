//! `lxc publish`: an image made of an instance or of one of its snapshots.

use corten_api::error::{Context, Error, Result};
use corten_api::image::{ImagesPost, ImagesPostSource};
use corten_api::instance_state::InstanceStatePut;
use corten_api::status::StatusCode;
use corten_api::time::Time;
use corten_client::image_source::ImageSource;
use corten_client::server::Server;
use hyper::Method;

use super::image::{alias, copy};
use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::progress::{self, Progress};
use crate::session::Session;
use crate::{key_value, printer};

pub static COMMAND: Command = Command {
    name: "publish",
    usage: "[<remote>:]<instance>[/<snapshot>] [<remote>:] [flags] [key=value...]",
    about: "Publish instances as images",
    flags: &[
        Flag::switch("public", "Make the image public"),
        Flag::texts("alias", "New alias to define at target"),
        Flag::switch("force", "Stop the instance if currently running").short('f'),
        Flag::text("compression", "Compression algorithm to use (none for uncompressed)"),
        Flag::text("expire", "Image expiration date (format: rfc3339)"),
    ],
    words: (1, None),
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let (remote, name) = session.parse_remote(arguments.word(0))?;
    let to_remote = arguments.len() > 1 && !arguments.word(1).contains('=');
    let (target, image) = session.parse_remote(if to_remote { arguments.word(1) } else { "" })?;
    if name.is_empty() {
        return Err(Error::invalid("Instance name is mandatory"));
    }
    if !image.is_empty() {
        return Err(Error::invalid("There is no \"image name\".  Did you want an alias?"));
    }
    let target_server = session.server(&target).await?;
    let server = session.server(&remote).await?;
    let properties =
        key_value::all(arguments.rest(if to_remote { 2 } else { 1 }), |word| format!("Bad key=value pair: [{word}]"))?;
    let expires_at: Time = match arguments.text("expire") {
        "" => Time::ZERO,
        text => text.parse().map_err(|error| Error::invalid(format!("Invalid expiration date: {error}")))?,
    };
    let snapshot = name.contains('/');
    let stopped = if snapshot { false } else { stop(&server, &name, arguments.is_set("force")).await? };
    let post = ImagesPost {
        // Sending none at all would take away those of the instance.
        properties: Some(properties).filter(|properties| !properties.is_empty()),
        expires_at,
        public: remote == target && arguments.is_set("public"),
        compression_algorithm: arguments.text("compression").to_owned(),
        source: Some(ImagesPostSource {
            r#type: if snapshot { "snapshot" } else { "instance" }.to_owned(),
            name: name.clone(),
            ..ImagesPostSource::default()
        }),
        ..ImagesPost::default()
    };
    let published = publish(session, &server, &post).await;
    if stopped {
        let put = InstanceStatePut { action: "start".to_owned(), timeout: -1, ..InstanceStatePut::default() };
        server.change_instance_state(&name, &put).await?.wait().await?;
    }
    let fingerprint = published?;
    if remote != target {
        let source = ImageSource::Lxd(server.clone());
        let moved = copy::to_server(&source, &target_server, &fingerprint, arguments.is_set("public")).await;
        // The image was only on its way through here.
        let _ = server.delete_image(&fingerprint).await;
        moved?;
    }
    let aliases: Vec<String> = arguments.texts("alias").into_iter().map(str::to_owned).collect();
    alias::ensure(&target_server, &aliases, &fingerprint).await?;
    printer::print_line(&format!("Instance published with fingerprint: {fingerprint}"));
    Ok(())
}

/// Makes the image and gives its fingerprint.
async fn publish(session: &Session, server: &Server, post: &ImagesPost) -> Result<String> {
    let running = server.start(Method::POST, "/1.0/images", post, "").await?;
    let mut progress = Progress::new("Publishing instance: %s", session.quiet);
    let ended = progress::wait(&running, &mut progress).await?;
    progress.done("");
    let fingerprint = ended.metadata.as_ref().and_then(|metadata| metadata.get("fingerprint")?.as_str());
    fingerprint.map(str::to_owned).ok_or_else(|| Error::internal("The server does not say which image it has made"))
}

/// Stops a running instance when the user allows it; tells whether it ran. An ephemeral one is kept from vanishing.
async fn stop(server: &Server, name: &str, force: bool) -> Result<bool> {
    let (instance, etag) = server.instance(name).await?;
    if matches!(instance.status_code, StatusCode::Unknown | StatusCode::Stopped) {
        return Ok(false);
    }
    if !force {
        let text = "The instance is currently running. Use --force to have it stopped and restarted";
        return Err(Error::invalid(text));
    }
    if instance.ephemeral {
        let mut put = instance.writable();
        put.ephemeral = false;
        server.update_instance(name, &put, &etag).await?.wait().await?;
    }
    let put = InstanceStatePut { action: "stop".to_owned(), timeout: -1, force: true, ..InstanceStatePut::default() };
    let running = server.change_instance_state(name, &put).await?;
    running.wait().await.context("Stopping instance failed!")?;
    if instance.ephemeral {
        let (now, etag) = server.instance(name).await?;
        let mut put = now.writable();
        put.ephemeral = true;
        server.update_instance(name, &put, &etag).await?.wait().await?;
    }
    Ok(true)
}
