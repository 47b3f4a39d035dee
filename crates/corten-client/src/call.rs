//! The calls of the API by name, so that nobody writes a path twice.

pub mod images;
pub mod instances;
