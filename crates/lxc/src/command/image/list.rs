//! `lxc image list`.

use std::cmp::Ordering;

use corten_api::error::Result;
use corten_api::image::Image;
use corten_client::image_source::ImageSource;
use regex::Regex;
use serde_json::Value;

use super::info::megabytes;
use crate::arguments::{Arguments, Flag};
use crate::columns::{self, Column};
use crate::commands::Command;
use crate::session::Session;
use crate::{moment, printer, remote, table};

const DEFAULT: &str = "lfpdatsu";

pub static COMMAND: Command = Command {
    name: "list",
    aliases: &["ls"],
    usage: "[<remote>:] [<filter>...]",
    about: "List images",
    long: "List images\n\nA filter is key=value on properties and fields, or a part of an alias or of a\nfingerprint. All filters must match.\n\nColumns:\n  l - Shortest image alias (and how many more there are)\n  L - All image aliases, one a line\n  f - Fingerprint (short)\n  F - Fingerprint (long)\n  p - Whether image is public\n  d - Description\n  a - Architecture\n  s - Size\n  u - Upload date\n  t - Type",
    flags: &[
        Flag::text("columns", "Columns").short('c').or(DEFAULT),
        Flag::text("format", "Format (csv|json|table|yaml|compact)").short('f').or("table"),
    ],
    run: crate::run!(run),
    ..Command::EMPTY
};

const COLUMNS: [Column<Image>; 10] = [
    Column { letter: 'l', title: "ALIAS", cell: shortest_alias },
    Column { letter: 'L', title: "ALIASES", cell: all_aliases },
    Column { letter: 'f', title: "FINGERPRINT", cell: |image| image.fingerprint.chars().take(12).collect() },
    Column { letter: 'F', title: "FINGERPRINT", cell: |image| image.fingerprint.clone() },
    Column { letter: 'p', title: "PUBLIC", cell: |image| if image.public { "yes" } else { "no" }.to_owned() },
    Column {
        letter: 'd',
        title: "DESCRIPTION",
        cell: |image| image.properties.get("description").cloned().unwrap_or_default(),
    },
    Column { letter: 'a', title: "ARCHITECTURE", cell: |image| image.architecture.clone() },
    Column { letter: 's', title: "SIZE", cell: |image| megabytes(image.size) },
    Column { letter: 'u', title: "UPLOAD DATE", cell: |image| moment::day_and_hour(image.uploaded_at) },
    Column { letter: 't', title: "TYPE", cell: kind },
];

/// Fields that the server can compare by itself.
const FIELDS: [&str; 17] = [
    "auto_update",
    "properties",
    "public",
    "expires_at",
    "profiles",
    "aliases",
    "architecture",
    "cached",
    "filename",
    "fingerprint",
    "size",
    "update_source",
    "type",
    "created_at",
    "last_used_at",
    "uploaded_at",
    "source",
];

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let (remote, name) = session.parse_remote(arguments.word(0))?;
    let source = remote::image_source(&session.config.borrow(), &remote, session.project.as_deref())?;
    let mut filters: Vec<&str> = Vec::new();
    if !name.is_empty() {
        filters.push(&name);
    }
    filters.extend(arguments.rest(1).iter().map(String::as_str));
    let columns = columns::parse(&COLUMNS, arguments.text_or("columns", DEFAULT), DEFAULT, true)?;
    let mut images = fetch(&source, &mut filters).await?;
    let tests: Vec<Test> = filters.iter().map(|filter| Test::new(filter)).collect();
    images.retain(|image| tests.iter().all(|test| test.matches(image)));
    printer::print(&render(arguments.text_or("format", "table"), &columns, &images)?);
    Ok(())
}

/// Asks for the images; filters that the server applies are taken out of the list.
async fn fetch(source: &ImageSource, filters: &mut Vec<&str>) -> Result<Vec<Image>> {
    if matches!(source, ImageSource::Streams(..)) {
        return source.images("").await;
    }
    let (theirs, ours): (Vec<&str>, Vec<&str>) = filters.iter().partition(|filter| {
        filter.split_once('=').is_some_and(|(key, value)| FIELDS.contains(&key) && !value.contains(','))
    });
    let conditions: Vec<String> = theirs.iter().map(|filter| filter.replacen('=', " eq ", 1)).collect();
    let images = source.images(&conditions.join(" and ")).await?;
    *filters = ours;
    Ok(images)
}

fn render(format: &str, columns: &[&Column<Image>], images: &[Image]) -> Result<String> {
    let header: Vec<&str> = columns.iter().map(|column| column.title).collect();
    let mut rows: Vec<Vec<String>> =
        images.iter().map(|image| columns.iter().map(|column| (column.cell)(image)).collect()).collect();
    table::order::by_cells(&mut rows);
    table::render(format, &header, &rows, images)
}

/// The shortest alias, the first of several, and how many more there are.
fn shortest_alias(image: &Image) -> String {
    let names = image.aliases.iter().map(|alias| alias.name.as_str()).filter(|name| !name.is_empty());
    let shortest = names.reduce(|best, name| match name.len().cmp(&best.len()) {
        Ordering::Less => name,
        _ => best,
    });
    let shortest = shortest.unwrap_or_default();
    match image.aliases.len() {
        0 | 1 => shortest.to_owned(),
        several => format!("{shortest} ({} more)", several - 1),
    }
}

fn all_aliases(image: &Image) -> String {
    let mut names: Vec<&str> = image.aliases.iter().map(|alias| alias.name.as_str()).collect();
    names.sort_unstable();
    names.join("\n")
}

fn kind(image: &Image) -> String {
    if image.r#type.is_empty() { "CONTAINER".to_owned() } else { image.r#type.to_uppercase() }
}

/// A filter made ready.
enum Test {
    Part(String),
    Key(String, String, Option<Regex>),
}

impl Test {
    fn new(filter: &str) -> Test {
        let Some((key, value)) = filter.split_once('=') else { return Test::Part(filter.to_owned()) };
        let anchored = value.contains('^') || value.contains('$');
        let pattern = Regex::new(&if anchored { value.to_owned() } else { format!("^{value}$") }).ok();
        Test::Key(key.to_owned(), value.to_owned(), pattern)
    }

    fn matches(&self, image: &Image) -> bool {
        match self {
            Test::Part(part) => {
                image.fingerprint.contains(part) || image.aliases.iter().any(|alias| alias.name.contains(part))
            }
            Test::Key(key, value, pattern) => {
                let short_for = |full: &str| {
                    key.split('.').count() == full.split('.').count()
                        && key.split('.').zip(full.split('.')).all(|(short, full)| full.starts_with(short))
                };
                let mut properties = image.properties.iter().filter(|(name, _)| short_for(name));
                properties.any(|(_, found)| pattern.as_ref().map_or(found == value, |test| test.is_match(found)))
                    || field(image, key).is_some_and(|found| found == *value)
            }
        }
    }
}

/// A field of an image as text.
fn field(image: &Image, key: &str) -> Option<String> {
    match serde_json::to_value(image).ok()?.get(key)? {
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_listed_and_filtered() {
        let image: Image = serde_json::from_str(include_str!("../../../testdata/image.json")).unwrap();
        let columns = columns::parse(&COLUMNS, DEFAULT, DEFAULT, true).unwrap();
        let images = [image];
        assert_eq!(render("table", &columns, &images).unwrap(), include_str!("../../../testdata/image-list.txt"));
        for (filter, want) in [
            ("busy", true),
            (&images[0].fingerprint[3..9], true),
            ("nosuch", false),
            ("os=Busybox", true),
            ("o=Busy.*", true),
            ("os=Busy", false),
            ("type=container", true),
            ("public=false", true),
        ] {
            assert_eq!(Test::new(filter).matches(&images[0]), want, "{filter}");
        }
    }
}
