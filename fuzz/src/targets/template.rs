//! Templates of images: bounded in time and text, whatever they say.

use std::collections::BTreeMap;

use crate::instance::template::{LONGEST, Value, render};

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let config = BTreeMap::from([("user.a".to_owned(), "<b>&é".to_owned()), ("limits.cpu".to_owned(), "2".to_owned())]);
    let list = Value::List(vec![Value::Integer(3), "x".into(), Value::Nothing, Value::Truth(true)]);
    let variables = BTreeMap::from([
        ("trigger".to_owned(), "create".into()),
        ("path".to_owned(), "/etc/hostname".into()),
        ("container".to_owned(), Value::texts(&config)),
        ("instance".to_owned(), Value::texts(&config)),
        ("config".to_owned(), Value::texts(&config)),
        ("list".to_owned(), list),
        ("number".to_owned(), Value::Float(1.5)),
    ]);
    if let Ok(made) = render(text, variables, &config) {
        assert!(made.len() <= LONGEST);
    }
}
