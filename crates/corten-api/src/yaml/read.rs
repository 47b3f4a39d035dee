//! Reads a document into a type, within limits that no honest document reaches.

use serde::de::{DeserializeOwned, IgnoredAny};
use serde_saphyr::options::DuplicateKeyPolicy;

use super::invalid;
use crate::error::Result;
use crate::lenient::Lenient;

pub(in crate::yaml) use crate::lenient::Unknown;

/// Reads one document, in which `null` stands for the empty value of whatever is expected.
pub(super) fn document<T: DeserializeOwned + Default>(text: &str, unknown: Unknown) -> Result<T> {
    let options = || {
        serde_saphyr::options! {
            duplicate_keys: DuplicateKeyPolicy::LastWins,
            with_snippet: false,
        }
    };
    let empty = serde_saphyr::from_str_with_options::<Option<IgnoredAny>>(text, options())
        .is_ok_and(|document| document.is_none());
    if empty {
        return Ok(T::default());
    }
    serde_saphyr::with_deserializer_from_str_with_options(text, options(), |document| {
        T::deserialize(Lenient(document, unknown))
    })
    .map_err(|error| invalid(format!("yaml: {error}")))
}
