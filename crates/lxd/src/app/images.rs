//! Images: what is at hand, and what instances are made from.

pub mod source;
