//! How Go writes JSON, where it differs from what serde expects by itself.

use serde::{Deserialize, Deserializer};

/// Reads a value where `null` stands for the empty one: Go's decoder leaves a field alone on `null`, and its encoder
/// writes `null` for nil slices and maps.
pub(crate) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// Whether Go's `omitempty` leaves out this boolean.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
pub(crate) fn is_false(value: &bool) -> bool {
    !*value
}

/// Whether Go's `omitempty` leaves out this number.
pub(crate) fn is_zero<N: Default + PartialEq>(value: &N) -> bool {
    *value == N::default()
}
