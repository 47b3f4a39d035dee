//! The project's own chores: tidy, generate, test in namespaces, measure.

fn main() {}
