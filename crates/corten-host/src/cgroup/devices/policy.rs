//! What a list of rules comes to, with the meaning that version 1 of the kernel gives it.

use super::{Access, Node, Rule};

/// A default, and the nodes for which the opposite holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether a node that no exception names may be used.
    pub allow: bool,
    /// Nodes for which the opposite holds, as far as their access goes.
    pub exceptions: Vec<Node>,
}

impl Policy {
    /// Follows the rules one by one, from the kernel's beginning: everything is allowed.
    pub fn of(rules: &[Rule]) -> Policy {
        let mut policy = Policy { allow: true, exceptions: Vec::new() };
        for rule in rules {
            match rule.node {
                None => policy = Policy { allow: rule.allow, exceptions: Vec::new() },
                Some(node) if rule.allow == policy.allow => policy.remove(node),
                Some(node) => policy.add(node),
            }
        }
        policy
    }

    /// A rule against the default adds its access to the exception for the same numbers.
    fn add(&mut self, node: Node) {
        match self.exceptions.iter_mut().find(|old| same(old, &node)) {
            Some(old) => old.access = join(old.access, node.access),
            None => self.exceptions.push(node),
        }
    }

    /// A rule that says the same as the default takes its access from the exception for the same numbers.
    fn remove(&mut self, node: Node) {
        for old in self.exceptions.iter_mut().filter(|old| same(old, &node)) {
            let Access { read, write, mknod } = node.access;
            old.access.read &= !read;
            old.access.write &= !write;
            old.access.mknod &= !mknod;
        }
        self.exceptions.retain(|old| old.access != Access::default());
    }
}

fn same(a: &Node, b: &Node) -> bool {
    (a.block, a.major, a.minor) == (b.block, b.major, b.minor)
}

fn join(a: Access, b: Access) -> Access {
    Access { read: a.read || b.read, write: a.write || b.write, mknod: a.mknod || b.mknod }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(rules: &[&str]) -> String {
        let rules: Vec<Rule> = rules
            .iter()
            .map(|text| match text.split_at(1) {
                ("+", node) => Rule::allow(node).expect("a rule"),
                (_, node) => Rule::deny(node).expect("a rule"),
            })
            .collect();
        let policy = Policy::of(&rules);
        let nodes: Vec<String> = policy.exceptions.iter().map(ToString::to_string).collect();
        format!("{} but {}", if policy.allow { "allow" } else { "deny" }, nodes.join(", "))
    }

    #[test]
    fn later_rules_change_what_earlier_ones_said() {
        assert_eq!(policy(&[]), "allow but ");
        assert_eq!(policy(&["-a", "+c 1:3 rw", "+c 1:3 m"]), "deny but c 1:3 rwm");
        assert_eq!(policy(&["-a", "+c 1:3 rwm", "-c 1:3 w"]), "deny but c 1:3 rm");
        assert_eq!(policy(&["-a", "+c 1:3 rwm", "-c 1:3 rwm"]), "deny but ");
        assert_eq!(policy(&["-a", "+c 1:3 rwm", "+a"]), "allow but ");
        assert_eq!(policy(&["-c 1:3 w", "-b *:* m"]), "allow but c 1:3 w, b *:* m");
    }
}
