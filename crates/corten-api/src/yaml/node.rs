//! A YAML document before it is text: scalars that know whether they are strings, lists, and ordered maps.

use serde_json::Value;

use super::{float, order};

/// One value of a document.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Node {
    /// A number, boolean, time or null: written as it is, whatever a reader makes of it.
    Plain(String),
    /// A string: quoted when a reader would take its text for something else.
    Text(String),
    /// A list.
    List(Vec<Node>),
    /// A map in the order in which it is written.
    Map(Vec<(Node, Node)>),
}

impl Node {
    /// What a missing value looks like.
    pub(super) fn null() -> Node {
        Node::Plain("null".to_owned())
    }

    /// A map whose entries have no order of their own.
    ///
    /// The order of keys is not total for keys of odd characters, on which `sort_by` might panic; so each entry is
    /// inserted at its place. Most maps arrive nearly sorted.
    pub(super) fn sorted_map(entries: Vec<(Node, Node)>) -> Node {
        let mut sorted: Vec<(Node, Node)> = Vec::with_capacity(entries.len());
        for entry in entries {
            let place = sorted.partition_point(|(key, _)| order::keys(key.scalar(), entry.0.scalar()).is_le());
            sorted.insert(place, entry);
        }
        Node::Map(sorted)
    }

    /// JSON without a type: Go decodes all of its numbers as floating point ones.
    pub(super) fn untyped(value: &Value) -> Node {
        match value {
            Value::Null => Node::null(),
            Value::Bool(yes) => Node::Plain(yes.to_string()),
            Value::Number(number) => Node::Plain(float::text(number.as_f64().unwrap_or_default())),
            Value::String(text) => Node::Text(text.clone()),
            Value::Array(items) => Node::List(items.iter().map(Node::untyped).collect()),
            Value::Object(map) => Node::sorted_map(
                map.iter().map(|(key, value)| (Node::Text(key.clone()), Node::untyped(value))).collect(),
            ),
        }
    }

    /// The text of a scalar; empty for lists and maps, which cannot be keys.
    fn scalar(&self) -> &str {
        match self {
            Node::Plain(text) | Node::Text(text) => text,
            Node::List(_) | Node::Map(_) => "",
        }
    }
}
