//! What may be done to an instance when: observation, action and verdict.

pub mod admission;
