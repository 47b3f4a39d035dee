//! `?filter=`: read, and held against an object.

use serde_json::json;

use crate::rest::filter::Filter;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Ok(filter) = Filter::parse(text) else { return };
    let object = json!({
        "name": "c1", "status": "Running", "ephemeral": false, "architecture": "x86_64",
        "config": {"image.os": "Debian GNU", "limits.cpu": "2", "user.x": "aaaaaaaaaaaaaaaaaaaaaaaa!"},
        "expanded_devices": {"root": {"pool": "default"}},
    });
    let passes = filter.matches(&object);
    assert_eq!(passes, filter.matches_value(&object));
    assert!(!filter.is_empty() || passes);
}
