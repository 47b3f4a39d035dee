//! Who may do what.

pub mod authority;
pub mod certificate;
pub mod may;
pub mod password;
pub mod requestor;
pub mod trust;
