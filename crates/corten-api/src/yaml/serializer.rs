//! Turns any serde value into a document: structs keep the order of their fields, maps are sorted.

use std::fmt;

use serde::Serialize;
use serde::ser::{self, Impossible};
use serde_json::Value;

use super::node::Node;
use super::{float, invalid};
use crate::error::{Error, Result};
use crate::wire::NO_LIST;

/// The document of a value.
pub(super) fn node<T: Serialize + ?Sized>(value: &T) -> Result<Node> {
    value.serialize(Serializer).map_err(|failed| failed.0)
}

/// The name under which [`crate::time::Time`] serializes itself; times are not quoted.
const TIME: &str = "Time";
/// The name under which `serde_json::value::RawValue` does; its one field is JSON text.
const RAW_JSON: &str = "$serde_json::private::RawValue";

/// What kept a value from becoming a document.
#[derive(Debug)]
struct Failed(Error);

impl fmt::Display for Failed {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl std::error::Error for Failed {}

impl ser::Error for Failed {
    fn custom<T: fmt::Display>(what: T) -> Failed {
        Failed(invalid(what))
    }
}

struct Serializer;

macro_rules! plain {
    ($($method:ident: $type:ty),*) => {
        $(fn $method(self, value: $type) -> Result<Node, Failed> {
            Ok(Node::Plain(value.to_string()))
        })*
    };
}

impl ser::Serializer for Serializer {
    type Ok = Node;
    type Error = Failed;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeTupleVariant = Impossible<Node, Failed>;
    type SerializeMap = Map;
    type SerializeStruct = Struct;
    type SerializeStructVariant = Impossible<Node, Failed>;

    plain!(serialize_bool: bool, serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64);

    fn serialize_f32(self, value: f32) -> Result<Node, Failed> {
        // Through its shortest text, so that 0.1 stays 0.1.
        Ok(Node::Plain(float::text(value.to_string().parse().unwrap_or(f64::from(value)))))
    }

    fn serialize_f64(self, value: f64) -> Result<Node, Failed> {
        Ok(Node::Plain(float::text(value)))
    }

    fn serialize_char(self, value: char) -> Result<Node, Failed> {
        Ok(Node::Text(value.to_string()))
    }

    fn serialize_str(self, value: &str) -> Result<Node, Failed> {
        Ok(Node::Text(value.to_owned()))
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Node, Failed> {
        Err(ser::Error::custom("YAML holds text, not bytes"))
    }

    fn serialize_none(self) -> Result<Node, Failed> {
        Ok(Node::null())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Node, Failed> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Node, Failed> {
        Ok(Node::null())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Node, Failed> {
        Ok(Node::null())
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<Node, Failed> {
        Ok(Node::Text(variant.to_owned()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, name: &'static str, value: &T) -> Result<Node, Failed> {
        Ok(match value.serialize(self)? {
            Node::Text(text) if name == TIME => Node::Plain(text),
            _ if name == NO_LIST => Node::List(Vec::new()),
            other => other,
        })
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Node, Failed> {
        Ok(Node::Map(vec![(Node::Text(variant.to_owned()), value.serialize(Serializer)?)]))
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List, Failed> {
        Ok(List(Vec::new()))
    }

    fn serialize_tuple(self, _: usize) -> Result<List, Failed> {
        Ok(List(Vec::new()))
    }

    fn serialize_tuple_struct(self, _: &'static str, _: usize) -> Result<List, Failed> {
        Ok(List(Vec::new()))
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Failed> {
        Err(ser::Error::custom(format!("{name} has no form in YAML")))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Map, Failed> {
        Ok(Map { entries: Vec::new(), key: Node::null() })
    }

    fn serialize_struct(self, name: &'static str, _: usize) -> Result<Struct, Failed> {
        Ok(Struct { entries: Vec::new(), raw_json: name == RAW_JSON })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        _: u32,
        _: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Failed> {
        Err(ser::Error::custom(format!("{name} has no form in YAML")))
    }
}

struct List(Vec<Node>);

macro_rules! list {
    ($($trait:ident::$method:ident),*) => {
        $(impl ser::$trait for List {
            type Ok = Node;
            type Error = Failed;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
                self.0.push(value.serialize(Serializer)?);
                Ok(())
            }

            fn end(self) -> Result<Node, Failed> {
                Ok(Node::List(self.0))
            }
        })*
    };
}

list!(SerializeSeq::serialize_element, SerializeTuple::serialize_element, SerializeTupleStruct::serialize_field);

struct Map {
    entries: Vec<(Node, Node)>,
    key: Node,
}

impl ser::SerializeMap for Map {
    type Ok = Node;
    type Error = Failed;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Failed> {
        self.key = key.serialize(Serializer)?;
        match self.key {
            Node::Plain(_) | Node::Text(_) => Ok(()),
            Node::List(_) | Node::Map(_) => Err(ser::Error::custom("a key of a map must be a text or a number")),
        }
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Failed> {
        let key = std::mem::replace(&mut self.key, Node::null());
        self.entries.push((key, value.serialize(Serializer)?));
        Ok(())
    }

    fn end(self) -> Result<Node, Failed> {
        Ok(Node::sorted_map(self.entries))
    }
}

struct Struct {
    entries: Vec<(Node, Node)>,
    raw_json: bool,
}

impl ser::SerializeStruct for Struct {
    type Ok = Node;
    type Error = Failed;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) -> Result<(), Failed> {
        self.entries.push((Node::Text(name.to_owned()), value.serialize(Serializer)?));
        Ok(())
    }

    fn end(self) -> Result<Node, Failed> {
        match self.entries.first() {
            Some((_, Node::Text(json))) if self.raw_json => {
                let value: Value = serde_json::from_str(json).map_err(ser::Error::custom)?;
                Ok(Node::untyped(&value))
            }
            _ => Ok(Node::Map(self.entries)),
        }
    }
}
