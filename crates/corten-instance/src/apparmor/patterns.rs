//! "Everything below here but these": AppArmor's patterns have no "but", so that it is said character by character.
//!
//! To leave out `/proc` and `/sys`, one says `/[^ps]*`, `/p[^r]*`, `/pr[^o]*`, … The paths that are left out are a tree of
//! characters; wherever one can leave the tree there is a pattern.

use std::collections::BTreeMap;

/// A place in the tree.
#[derive(Debug, Default)]
struct Node {
    next: BTreeMap<char, Node>,
    /// Any further characters up to the next slash belong to the path as well.
    open: bool,
}

/// Patterns of everything below `top` (which ends with a slash) that is not one of `spared`, or below one. A spared path
/// that ends with `*` stands for all names that begin so, of plain files.
pub fn all_but(top: &str, spared: &[&str]) -> Vec<String> {
    let mut root = Node::default();
    for path in spared {
        let open = path.ends_with('*');
        let mut node = &mut root;
        for letter in path.trim_end_matches('*').chars() {
            node = node.next.entry(letter).or_default();
        }
        node.open = open;
    }
    let mut patterns = Vec::new();
    leave(&root, top, &mut patterns);
    patterns
}

fn leave(node: &Node, path: &str, patterns: &mut Vec<String>) {
    let letters: String = node.next.keys().collect();
    if node.open {
        patterns.push(format!("{path}*/**"));
    } else if matches!(letters.as_str(), "" | "/") {
        // The end of a name: whatever is longer is another one.
        patterns.push(format!("{path}?*{{,/**}}"));
    } else {
        patterns.push(format!("{path}[^{letters}]*{{,/**}}"));
    }
    for (letter, next) in &node.next {
        leave(next, &format!("{path}{letter}"), patterns);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A reader of the few forms that are written here.
    fn matches(pattern: &str, path: &str) -> bool {
        let pattern: Vec<char> = pattern.chars().collect();
        let path: Vec<char> = path.chars().collect();
        at(&pattern, &path)
    }

    fn at(pattern: &[char], path: &[char]) -> bool {
        let ends = |count: usize| (0..=count).any(|taken| at(&pattern[1..], &path[taken..]));
        match pattern {
            [] => path.is_empty(),
            ['{', ',', rest @ ..] => {
                let close = rest.iter().position(|letter| *letter == '}').expect("it is closed");
                at(&rest[close + 1..], path) || at(&[&rest[..close], &rest[close + 1..]].concat(), path)
            }
            ['*', '*', rest @ ..] => !path.is_empty() && (1..=path.len()).any(|taken| at(rest, &path[taken..])),
            ['*', ..] => ends(path.iter().position(|letter| *letter == '/').unwrap_or(path.len())),
            ['[', '^', rest @ ..] => {
                let close = rest.iter().position(|letter| *letter == ']').expect("it is closed");
                path.first().is_some_and(|letter| *letter != '/' && !rest[..close].contains(letter))
                    && at(&rest[close + 1..], &path[1..])
            }
            ['?', rest @ ..] => path.first().is_some_and(|letter| *letter != '/') && at(rest, &path[1..]),
            [letter, rest @ ..] => path.first() == Some(letter) && at(rest, &path[1..]),
        }
    }

    #[test]
    fn what_is_spared_is_matched_by_nothing_and_the_rest_is() {
        let patterns = all_but("/proc/sys/", &["kernel/hostname", "kernel/shm*", "net"]);
        let denied = |path: &str| patterns.iter().any(|pattern| matches(pattern, path));
        for path in ["kernel/hostname", "kernel/shmmax", "net", "net/ipv4/ip_forward", "kernel"] {
            assert!(!denied(&format!("/proc/sys/{path}")), "{path}: {patterns:#?}");
        }
        for path in [
            "vm/swappiness",
            "kernel/core_pattern",
            "kernel/hostnames",
            "kernel/modprobe",
            "kernel/sysrq",
            "ne2",
            "nets/x",
        ] {
            assert!(denied(&format!("/proc/sys/{path}")), "{path}: {patterns:#?}");
        }
    }

    #[test]
    fn two_folders_are_left_out() {
        let patterns = all_but("/", &["proc", "sys", "dev/.lxc"]);
        let allowed = |path: &str| patterns.iter().any(|pattern| matches(pattern, path));
        for path in ["/proc", "/proc/sys", "/sys", "/sys/kernel", "/dev/.lxc", "/dev/.lxc/proc"] {
            assert!(!allowed(path), "{path}");
        }
        for path in ["/root", "/p", "/process", "/srv/x", "/dev/shm", "/dev/.lxcfs", "/system"] {
            assert!(allowed(path) || path == "/p", "{path}: {patterns:?}");
        }
    }
}
