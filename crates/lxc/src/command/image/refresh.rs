//! `lxc image refresh`: looks for a newer version at the source now.

use corten_api::error::{Error, Result};
use corten_api::url::path;
use corten_client::image_source::ImageSource;
use hyper::Method;

use crate::arguments::Arguments;
use crate::commands::Command;
use crate::progress::{self, Progress};
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "refresh",
    usage: "[<remote>:]<image> [[<remote>:]<image>...]",
    about: "Refresh images",
    words: (1, None),
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    for resource in session.resources(&arguments.words).await? {
        if resource.name.is_empty() {
            return Err(Error::invalid("Image identifier missing"));
        }
        let server = resource.server;
        let image = super::dereference(&ImageSource::Lxd(server.clone()), "", &resource.name).await;
        let running = server.start(Method::POST, &path(["images", &image, "refresh"]), &(), "").await?;
        let mut progress = Progress::new("Refreshing the image: %s", session.quiet);
        let ended = progress::wait(&running, &mut progress).await?;
        let refreshed = ended.metadata.and_then(|metadata| metadata.get("refreshed")?.as_bool());
        progress.done(match refreshed {
            Some(true) => "Image refreshed successfully!",
            _ => "Image already up to date.",
        });
    }
    Ok(())
}
