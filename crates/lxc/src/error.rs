//! How failures reach the user: `Error: …` on standard error.

use std::io::Write;

use corten_api::error::Error;

/// Writes the failure in LXD's form. A closed standard error is no reason to fail differently.
pub fn report(error: &Error) {
    let _ = writeln!(std::io::stderr().lock(), "Error: {}", error.message);
}
