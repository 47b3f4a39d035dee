//! Unsafe code has one place, `corten-host/src/syscall*`, and says there why it is needed and sound.

use super::Finding;
use super::source::Source;

/// How many lines may lie between a `// SAFETY:` comment and its block.
const NEAR: usize = 12;

/// Refuses the word anywhere else, blocks without a reason, and crate roots that do not forbid it.
pub fn check(source: &Source) -> Vec<Finding> {
    let path = source.path.to_string_lossy();
    let home = path.starts_with("crates/corten-host/src/syscall");
    let mut found = Vec::new();
    let lines: Vec<&str> = source.text.lines().collect();
    for (index, line) in source.code.lines().enumerate() {
        // An attribute such as `#[unsafe(no_mangle)]`, or the lint's name, is no block.
        let words = line.split(|c: char| !c.is_alphanumeric() && c != '_');
        if !words.into_iter().any(|word| word == "unsafe") {
            continue;
        }
        let reason = || lines[index.saturating_sub(NEAR)..=index].iter().any(|line| line.contains("SAFETY:"));
        let documented = || lines[index.saturating_sub(NEAR)..=index].iter().any(|line| line.contains("# Safety"));
        if !home {
            found.push(source.finding(index + 1, "unsafe code belongs into corten-host/src/syscall"));
        } else if !reason() && !documented() {
            found.push(source.finding(index + 1, "unsafe code without a // SAFETY: comment that says why it is sound"));
        }
    }
    let root = ["/src/lib.rs", "/src/main.rs"].iter().any(|root| path.ends_with(root)) || path.contains("/src/bin/");
    if root && !path.starts_with("crates/corten-host/") && !source.code.contains("#![forbid(unsafe_code)]") {
        found.push(source.finding(1, "this crate root lacks #![forbid(unsafe_code)]"));
    }
    found
}
