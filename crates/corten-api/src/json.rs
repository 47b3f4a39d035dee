//! JSON as LXD reads it: unknown fields are ignored, `null` stands for the empty value, and objects are no lists.

use serde::de::DeserializeOwned;

use crate::lenient::{Lenient, Unknown};

/// Reads one JSON document.
///
/// # Errors
/// Where and why it is none, or not of this shape.
pub fn from_slice<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<T> {
    let mut document = serde_json::Deserializer::from_slice(text);
    let read = T::deserialize(Lenient(&mut document, Unknown::Ignored))?;
    document.end()?;
    Ok(read)
}

/// Reads a value that was a part of a document.
///
/// # Errors
/// As [`from_slice`], without the place.
pub fn from_value<T: DeserializeOwned>(value: serde_json::Value) -> serde_json::Result<T> {
    T::deserialize(Lenient(value, Unknown::Ignored))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::InstancesPost;
    use crate::profile::ProfilePut;

    #[test]
    fn objects_are_not_read_from_lists() {
        for text in ["[]", r#"[{"a": "b"}, "words", {}]"#, "7", "\"x\"", "true"] {
            from_slice::<ProfilePut>(text.as_bytes()).expect_err(text);
        }
        from_slice::<InstancesPost>(br#"{"name": "c1", "source": []}"#).expect_err("a list for a source");
        from_slice::<ProfilePut>(b"{} {}").expect_err("two documents");
    }

    #[test]
    fn null_is_empty_and_more_is_ignored() {
        let text = r#"{"config": {"a": null, "b": "c"}, "devices": null, "description": null, "more": [1, {}]}"#;
        let put: ProfilePut = from_slice(text.as_bytes()).expect("a profile");
        assert_eq!((put.config["a"].as_str(), put.config["b"].as_str()), ("", "c"));
        assert!(put.devices.is_empty() && put.description.is_empty());
        let any: serde_json::Map<String, serde_json::Value> = from_slice(text.as_bytes()).expect("an object");
        assert!(any["devices"].is_null() && any["more"].is_array());
    }
}
