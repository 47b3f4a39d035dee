//! What may be configured: every key, its type, default and rules.
#![forbid(unsafe_code)]
