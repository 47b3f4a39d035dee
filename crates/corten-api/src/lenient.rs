//! Reads documents as Go's decoders do, at any depth of a type: `null` stands for the empty text, list or map, zero or
//! false, and what has named fields is never read from a list.

mod fields;

use std::fmt;

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{DeserializeSeed, Deserializer, EnumAccess, Error, MapAccess, SeqAccess, Visitor};

use fields::{Known, Shape};

/// What becomes of fields that a struct does not have.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Unknown {
    /// They are left out.
    Ignored,
    /// They are an error.
    Refused,
}

/// A deserializer that has no nulls, except where the type has a place for them (`Option`).
pub(crate) struct Lenient<D>(pub(crate) D, pub(crate) Unknown);

/// What a type expects, hence what null means to it.
#[derive(Clone, Copy)]
enum Expects {
    Text,
    Bool,
    Signed,
    Unsigned,
    Float,
    List,
    Map,
    Struct(&'static str, &'static [&'static str]),
}

macro_rules! or_empty {
    ($($method:ident => $expects:ident),*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.deserialize_option(OrEmpty { visitor, expects: Expects::$expects, unknown: self.1 })
        })*
    };
}

macro_rules! as_it_is {
    ($($method:ident),*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
            self.0.$method(Within(visitor, self.1))
        })*
    };
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Lenient<D> {
    type Error = D::Error;

    or_empty!(deserialize_str => Text, deserialize_string => Text, deserialize_char => Text, deserialize_bool => Bool,
        deserialize_i8 => Signed, deserialize_i16 => Signed, deserialize_i32 => Signed, deserialize_i64 => Signed,
        deserialize_u8 => Unsigned, deserialize_u16 => Unsigned, deserialize_u32 => Unsigned, deserialize_u64 => Unsigned,
        deserialize_f32 => Float, deserialize_f64 => Float, deserialize_seq => List, deserialize_map => Map);

    as_it_is!(
        deserialize_any,
        deserialize_bytes,
        deserialize_byte_buf,
        deserialize_option,
        deserialize_unit,
        deserialize_identifier,
        deserialize_ignored_any
    );

    fn deserialize_unit_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_unit_struct(name, Within(visitor, self.1))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple(length, Within(visitor, self.1))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        length: usize,
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_tuple_struct(name, length, Within(visitor, self.1))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_option(OrEmpty { visitor, expects: Expects::Struct(name, fields), unknown: self.1 })
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, Within(visitor, self.1))
    }
}

/// Receives null or a value, where the type's own visitor only knows values.
struct OrEmpty<V> {
    visitor: V,
    expects: Expects,
    unknown: Unknown,
}

impl<'de, V: Visitor<'de>> Visitor<'de> for OrEmpty<V> {
    type Value = V::Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.visitor.expecting(out)
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        match self.expects {
            Expects::Text => self.visitor.visit_str(""),
            Expects::Bool => self.visitor.visit_bool(false),
            Expects::Signed | Expects::Unsigned | Expects::Float => self.visitor.visit_u64(0),
            Expects::List => self.visitor.visit_seq(SeqDeserializer::new(std::iter::empty::<()>())),
            Expects::Map | Expects::Struct(..) => {
                self.visitor.visit_map(MapDeserializer::new(std::iter::empty::<((), ())>()))
            }
        }
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        let visitor = Within(self.visitor, self.unknown);
        match self.expects {
            Expects::Text => value.deserialize_string(visitor),
            Expects::Bool => value.deserialize_bool(visitor),
            Expects::Signed => value.deserialize_i64(visitor),
            Expects::Unsigned => value.deserialize_u64(visitor),
            Expects::Float => value.deserialize_f64(visitor),
            Expects::List => value.deserialize_seq(visitor),
            Expects::Map => value.deserialize_map(visitor),
            Expects::Struct(name, fields) if self.unknown == Unknown::Refused => {
                let known = Known(visitor.0, Shape(name, fields));
                value.deserialize_struct(name, fields, ByName(Within(known, self.unknown)))
            }
            Expects::Struct(name, fields) => value.deserialize_struct(name, fields, ByName(visitor)),
        }
    }
}

/// Takes fields by their names only; serde's own visitors would take a list for the fields in their order.
struct ByName<V>(V);

impl<'de, V: Visitor<'de>> Visitor<'de> for ByName<V> {
    type Value = V::Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(out)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(entries)
    }
}

/// Hands on what it gets, and makes everything below lenient as well.
struct Within<T>(T, Unknown);

macro_rules! hand_on {
    ($($method:ident: $type:ty),*) => {
        $(fn $method<E: Error>(self, value: $type) -> Result<V::Value, E> {
            self.0.$method(value)
        })*
    };
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Within<V> {
    type Value = V::Value;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(out)
    }

    hand_on!(visit_bool: bool, visit_i64: i64, visit_u64: u64, visit_i128: i128, visit_u128: u128, visit_f64: f64,
        visit_str: &str, visit_borrowed_str: &'de str, visit_string: String, visit_bytes: &[u8], visit_byte_buf: Vec<u8>);

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Lenient(value, self.1))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, value: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Lenient(value, self.1))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, items: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Within(items, self.1))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Within(entries, self.1))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(data)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Within<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Within(seed, self.1))
    }
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Within<A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_key_seed(Within(seed, self.1))
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.0.next_value_seed(Within(seed, self.1))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Within<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, value: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Lenient(value, self.1))
    }
}
