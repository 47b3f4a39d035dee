//! Lists in the forms that `--format` names: a drawn table, a compact one, CSV, JSON and YAML.

use corten_api::error::{Error, Result};
use corten_api::yaml;
use serde::Serialize;

use crate::arguments::{Arguments, Flag};
use crate::printer;

mod csv;
mod draw;
mod json;
pub mod order;

pub use json::text as json;

/// `--format`, of all commands that list something.
pub const FORMAT: Flag = Flag::text("format", "Format (csv|json|table|yaml|compact)").short('f').or("table");

/// Prints rows in the format that the command line asks for.
///
/// # Errors
/// As [`render`].
pub fn print<T: Serialize + ?Sized>(
    arguments: &Arguments,
    header: &[&str],
    rows: &[Vec<String>],
    whole: &T,
) -> Result<()> {
    printer::print(&render(arguments.text_or("format", "table"), header, rows, whole)?);
    Ok(())
}

/// Renders rows in one of the five formats; JSON and YAML show `whole`, what the server said, instead.
///
/// # Errors
/// For an unknown format, in LXD's words.
pub fn render<T: Serialize + ?Sized>(format: &str, header: &[&str], rows: &[Vec<String>], whole: &T) -> Result<String> {
    match format {
        "table" => Ok(draw::table(header, rows)),
        "compact" => Ok(draw::compact(header, rows)),
        "csv" => Ok(csv::text(rows)),
        "json" => json(whole).map(|line| line + "\n"),
        "yaml" => yaml::to_string(whole),
        _ => Err(Error::invalid(format!("Invalid format {format:?}"))),
    }
}

#[cfg(test)]
mod tests;
