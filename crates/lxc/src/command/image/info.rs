//! `lxc image info` for people, `lxc image show` for programs.

use std::fmt::Write;

use corten_api::error::Result;
use corten_api::image::Image;
use corten_api::time::Time;
use corten_api::yaml;

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::session::Session;
use crate::{moment, printer, run};

const FLAGS: &[Flag] = &[Flag::switch("vm", "Query virtual machine images")];

pub static COMMAND: Command = Command {
    name: "info",
    usage: "[<remote>:]<image>",
    about: "Show useful information about images",
    flags: FLAGS,
    words: (1, Some(1)),
    run: run!(info),
    ..Command::EMPTY
};

pub static SHOW: Command = Command {
    name: "show",
    usage: "[<remote>:]<image>",
    about: "Show image properties",
    flags: FLAGS,
    words: (1, Some(1)),
    run: run!(show),
    ..Command::EMPTY
};

async fn info(session: &Session, arguments: &Arguments) -> Result<()> {
    let (source, image) = super::source(session, arguments).await?;
    printer::print(&text(&source.image(&image).await?));
    Ok(())
}

async fn show(session: &Session, arguments: &Arguments) -> Result<()> {
    let (source, image) = super::source(session, arguments).await?;
    printer::print(&yaml::to_string(&source.image(&image).await?.writable())?);
    Ok(())
}

/// Bytes as image lists show them: binary megabytes, called MB.
#[expect(clippy::cast_precision_loss, reason = "two digits after the point are shown")]
pub fn megabytes(bytes: i64) -> String {
    format!("{:.2}MB", bytes as f64 / 1024.0 / 1024.0)
}

fn text(image: &Image) -> String {
    let yes_no = |value: bool| if value { "yes" } else { "no" };
    let or_never = |time: Time| if time.is_never() { "never".to_owned() } else { moment::minute(time) };
    let kind = if image.r#type.is_empty() { "container" } else { &image.r#type };
    let mut text = format!(
        "Fingerprint: {}\nSize: {}\nArchitecture: {}\nType: {kind}\nPublic: {}\nTimestamps:\n",
        image.fingerprint,
        megabytes(image.size),
        image.architecture,
        yes_no(image.public)
    );
    let mut line = |line: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{line}");
    };
    if !image.created_at.is_never() {
        line(format!("    Created: {}", moment::minute(image.created_at)));
    }
    line(format!("    Uploaded: {}", moment::minute(image.uploaded_at)));
    line(format!("    Expires: {}", or_never(image.expires_at)));
    line(format!("    Last used: {}", or_never(image.last_used_at)));
    line("Properties:".to_owned());
    for (key, value) in &image.properties {
        line(format!("    {key}: {value}"));
    }
    line("Aliases:".to_owned());
    for alias in &image.aliases {
        let description = &alias.description;
        let description = if description.is_empty() { String::new() } else { format!(" ({description})") };
        line(format!("    - {}{description}", alias.name));
    }
    line(format!("Cached: {}", yes_no(image.cached)));
    line(format!("Auto update: {}", if image.auto_update { "enabled" } else { "disabled" }));
    if let Some(source) = &image.update_source {
        line("Source:".to_owned());
        line(format!("    Server: {}", source.server));
        line(format!("    Protocol: {}", source.protocol));
        line(format!("    Alias: {}", source.alias));
    }
    if image.profiles.is_empty() {
        line("Profiles: []".to_owned());
    } else {
        line("Profiles:".to_owned());
    }
    for profile in &image.profiles {
        line(format!("    - {profile}"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_told_as_lxd_tells_it() {
        let image: Image = serde_json::from_str(include_str!("../../../testdata/image.json")).unwrap();
        assert_eq!(text(&image), include_str!("../../../testdata/image-info.txt"));
    }
}
