//! Sizes in configuration values, as this crate needs them: bytes.

use corten_api::error::{Error, Result};

/// Reads `10GiB`, `5MB` or `4096` as bytes.
///
/// # Errors
/// When the text is not a size.
pub fn bytes(text: &str) -> Result<u64> {
    let bytes = corten_config::value::byte_size::parse(text).map_err(Error::invalid)?;
    u64::try_from(bytes).map_err(|_| Error::invalid(format!("Invalid value: {text}: a size is not negative")))
}
