//! Image servers that speak simplestreams: two JSON documents say which images there are, files hold them.
//!
//! Reading is pure: documents in, a [`Catalogue`] out. Fetching over the network is apart, in [`fetch`].

pub mod architecture;
pub mod catalogue;
pub mod fetch;
pub mod index;
pub mod product;

pub use catalogue::Catalogue;

#[cfg(test)]
mod tests;
