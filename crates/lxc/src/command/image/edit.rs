//! `lxc image edit`: properties and the rest of what may be changed, as YAML.

use corten_api::error::Result;
use corten_api::image::ImagePut;
use corten_api::yaml;

use crate::arguments::Arguments;
use crate::commands::Command;
use crate::editor;
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "edit",
    usage: "[<remote>:]<image>",
    about: "Edit image properties",
    examples: "lxc image edit <image>\n    Launch a text editor to edit the properties\n\nlxc image edit <image> < image.yaml\n    Load the image properties from a YAML file",
    words: (1, Some(1)),
    run: crate::run!(run),
    ..Command::EMPTY
};

const HEADER: &str = "### This is the image as YAML. Lines that begin with '#' are not read.\n###\n### Each property is a line of its own, such as:\n###  description: My custom image";

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = super::place(session, arguments).await?;
    if let Some(text) = editor::from_stdin()? {
        let put: ImagePut = yaml::from_str(&text)?;
        return place.server.update_image(&place.image, &put, "").await;
    }
    let (image, etag) = place.server.image(&place.image).await?;
    let text = format!("{HEADER}\n\n{}", yaml::to_string(&image.writable())?);
    editor::until_taken(text, async |text| {
        let put: ImagePut = yaml::from_str(text)?;
        place.server.update_image(&place.image, &put, &etag).await
    })
    .await
}
