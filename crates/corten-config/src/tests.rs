//! What holds for all tables, and how whole configurations are refused.

mod devices;
mod refusals;
mod tables;
