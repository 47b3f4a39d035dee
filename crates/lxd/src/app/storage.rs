//! Storage pools as the daemon holds them: one open pool for each row, and the volumes of instances on them.

pub mod pools;
