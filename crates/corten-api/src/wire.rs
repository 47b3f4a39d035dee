//! How Go writes JSON, where it differs from what serde expects by itself.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Reads a value where `null` stands for the empty one: Go's decoder leaves a field alone on `null`, and its encoder
/// writes `null` for nil slices and maps.
pub(crate) fn nullable<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(from: D) -> Result<T, D::Error> {
    Ok(Option::<T>::deserialize(from)?.unwrap_or_default())
}

/// The type under which a list goes to a serializer that nobody made.
pub(crate) const NO_LIST: &str = "NoList";

/// Writes an empty list as Go writes one that nobody made: as `null` in JSON, and as `[]` in YAML.
pub(crate) fn null_when_empty<S: Serializer, T: Serialize>(list: &Vec<T>, to: S) -> Result<S::Ok, S::Error> {
    if list.is_empty() { to.serialize_newtype_struct(NO_LIST, &()) } else { list.serialize(to) }
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

#[cfg(test)]
mod tests {
    use crate::network::Network;

    #[test]
    fn a_list_that_nobody_made_is_null_in_json_and_empty_in_yaml() {
        let network = Network::default();
        let json = serde_json::to_value(&network).expect("JSON");
        assert!(json["locations"].is_null() && json["used_by"].is_array());
        assert_eq!(serde_json::from_value::<Network>(json).expect("it reads back"), network);
        assert!(crate::yaml::to_string(&network).expect("YAML").contains("locations: []\n"));
        let here = Network { locations: vec!["none".to_string()], ..network };
        assert_eq!(serde_json::to_value(&here).expect("JSON")["locations"][0], "none");
    }
}
