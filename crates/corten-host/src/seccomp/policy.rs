//! A policy as liblxc's text form has it (`lxc.container.conf(5)`, "seccomp configuration", versions 1 and 2).

use std::str::FromStr;

/// What happens at a system call.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Action {
    /// It goes ahead.
    Allow,
    /// The process is killed.
    Kill,
    /// The process gets SIGSYS.
    Trap,
    /// It fails with this error number.
    Errno(u16),
    /// The daemon is asked.
    Notify,
}

/// How an argument is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs, reason = "the names say it")]
pub enum Comparison {
    NotEqual,
    Less,
    LessOrEqual,
    Equal,
    GreaterOrEqual,
    Greater,
    /// Equal in the bits of this mask.
    Masked(u64),
}

/// A condition on one argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Condition {
    /// Which argument, from 0.
    pub argument: u8,
    /// How it is compared.
    pub comparison: Comparison,
    /// With what.
    pub value: u64,
}

/// For which of the machine's instruction sets a rule holds.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Architecture {
    /// All of them.
    All,
    /// The one liblxc calls so (`x86`, `x86_64`, `arm64`, …).
    Named(String),
}

/// What happens at one system call.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Rule {
    /// Where it holds.
    pub architecture: Architecture,
    /// Name of the system call; a number in version 1.
    pub call: String,
    /// What happens.
    pub action: Action,
    /// All of these must be true.
    pub conditions: Vec<Condition>,
}

/// A whole policy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Policy {
    /// What happens at calls without a rule.
    pub default: Action,
    /// The rules, in order.
    pub rules: Vec<Rule>,
}

/// A line that is not of the form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("Invalid seccomp policy, line {line} ({text:?}): {wanted}")]
pub struct BadPolicy {
    /// Counted from 1.
    pub line: usize,
    /// The line.
    pub text: String,
    /// What would be right.
    pub wanted: &'static str,
}

const ACTIONS: &str = "wanted an action: \"allow\", \"kill\", \"trap\", \"notify\" or \"errno\" and a number";
const CONDITIONS: &str = "wanted conditions like [index,value,operator] or [index,value,SCMP_CMP_MASKED_EQ,mask]";
const LIST: &str = "wanted \"allowlist\" or \"denylist\", and for calls of the list an action";

/// `umount -f` can take away a mount that others use.
const FORCE_UMOUNT: &str = "reject_force_umount";

impl Policy {
    /// Whether the daemon is asked about some call, so that a listener is wanted.
    pub fn notifies(&self) -> bool {
        self.default == Action::Notify || self.rules.iter().any(|rule| rule.action == Action::Notify)
    }

    fn numbers<'a>(lines: impl Iterator<Item = (usize, &'a str)>) -> Result<Policy, BadPolicy> {
        let mut rules = Vec::new();
        for (at, text) in lines {
            if text.parse::<u32>().is_err() {
                return Err(bad(at, text, "wanted the number of a system call"));
            }
            let architecture = Architecture::All;
            rules.push(Rule { architecture, call: text.to_string(), action: Action::Allow, conditions: Vec::new() });
        }
        Ok(Policy { default: Action::Kill, rules })
    }

    fn names<'a>(lines: impl Iterator<Item = (usize, &'a str)>, list: (Action, Action)) -> Result<Policy, BadPolicy> {
        let (default, listed) = list;
        let (mut rules, mut architecture) = (Vec::new(), Architecture::All);
        for (at, text) in lines {
            if let Some(name) = text.strip_prefix('[') {
                let name = name.strip_suffix(']').ok_or_else(|| bad(at, text, "wanted [architecture]"))?;
                architecture = match name.to_ascii_lowercase().as_str() {
                    "all" => Architecture::All,
                    name => Architecture::Named(name.to_string()),
                };
            } else if text == FORCE_UMOUNT {
                let architecture = architecture.clone();
                let forced = u64::from(libc::MNT_FORCE.cast_unsigned());
                let conditions = vec![Condition { argument: 1, comparison: Comparison::Masked(forced), value: forced }];
                let action = Action::Errno(libc::EACCES.cast_unsigned() as u16);
                rules.push(Rule { architecture, call: "umount2".to_string(), action, conditions });
            } else {
                rules.push(rule(text, architecture.clone(), listed).map_err(|wanted| bad(at, text, wanted))?);
            }
        }
        Ok(Policy { default, rules })
    }
}

impl FromStr for Policy {
    type Err = BadPolicy;

    fn from_str(text: &str) -> Result<Policy, BadPolicy> {
        let numbered = text.lines().enumerate().map(|(at, line)| (at + 1, line));
        let mut lines = numbered
            .map(|(at, line)| (at, line.split('#').next().unwrap_or_default().trim()))
            .filter(|(_, line)| !line.is_empty());
        let version = lines.next();
        let (at, list) = lines.next().unwrap_or((2, ""));
        match version {
            Some((_, "1")) if matches!(list, "whitelist" | "allowlist") => Policy::numbers(lines),
            Some((_, "1")) => Err(bad(at, list, "wanted \"allowlist\", all that version 1 has")),
            Some((_, "2")) => Policy::names(lines, defaults(list).map_err(|wanted| bad(at, list, wanted))?),
            Some((at, other)) => Err(bad(at, other, "wanted the version of the form, 1 or 2")),
            None => Err(bad(1, "", "wanted the version of the form, 1 or 2")),
        }
    }
}

fn bad(line: usize, text: &str, wanted: &'static str) -> BadPolicy {
    BadPolicy { line, text: text.to_string(), wanted }
}

/// What happens at calls without a rule, and at those with a rule that does not say.
fn defaults(list: &str) -> Result<(Action, Action), &'static str> {
    let (kind, rest) = list.split_once(char::is_whitespace).unwrap_or((list, ""));
    let action = match rest.trim() {
        "" => None,
        words => Some(action(&mut words.split_whitespace().peekable()).ok().flatten().ok_or(ACTIONS)?),
    };
    match kind {
        "allowlist" | "whitelist" => Ok((action.unwrap_or(Action::Kill), Action::Allow)),
        "denylist" | "blacklist" => Ok((Action::Allow, action.unwrap_or(Action::Kill))),
        _ => Err(LIST),
    }
}

fn action<'a>(words: &mut std::iter::Peekable<impl Iterator<Item = &'a str>>) -> Result<Option<Action>, &'static str> {
    let action = match words.peek() {
        None => return Ok(None),
        Some(word) if word.starts_with('[') => return Ok(None),
        Some(&"allow") => Action::Allow,
        Some(&"kill") => Action::Kill,
        Some(&"trap") => Action::Trap,
        Some(&"notify") => Action::Notify,
        Some(&"errno") => {
            words.next();
            let number = words.peek().and_then(|word| word.parse().ok()).ok_or(ACTIONS)?;
            Action::Errno(number)
        }
        Some(_) => return Err(ACTIONS),
    };
    words.next();
    Ok(Some(action))
}

fn rule(text: &str, architecture: Architecture, listed: Action) -> Result<Rule, &'static str> {
    let mut words = text.split_whitespace().peekable();
    let call = words.next().unwrap_or_default().to_string();
    let action = action(&mut words)?.unwrap_or(listed);
    let rest: String = words.collect();
    let mut conditions = Vec::new();
    for condition in rest.split_terminator(']') {
        let inside = condition.trim_start_matches(',').strip_prefix('[').ok_or(CONDITIONS)?;
        conditions.push(parse_condition(inside).ok_or(CONDITIONS)?);
    }
    if !rest.is_empty() && !rest.ends_with(']') {
        return Err(CONDITIONS);
    }
    Ok(Rule { architecture, call, action, conditions })
}

fn parse_condition(text: &str) -> Option<Condition> {
    let words: Vec<&str> = text.split(',').map(str::trim).collect();
    let (argument, value, comparison, mask) = match words[..] {
        [argument, value, comparison] => (argument, value, comparison, None),
        [argument, value, comparison, mask] => (argument, value, comparison, Some(number(mask)?)),
        _ => return None,
    };
    let comparison = match comparison {
        "SCMP_CMP_NE" | "!=" => Comparison::NotEqual,
        "SCMP_CMP_LT" | "<" => Comparison::Less,
        "SCMP_CMP_LE" | "<=" => Comparison::LessOrEqual,
        "SCMP_CMP_EQ" | "==" => Comparison::Equal,
        "SCMP_CMP_GE" | ">=" => Comparison::GreaterOrEqual,
        "SCMP_CMP_GT" | ">" => Comparison::Greater,
        "SCMP_CMP_MASKED_EQ" | "&=" => Comparison::Masked(mask?),
        _ => return None,
    };
    let argument = argument.parse().ok().filter(|argument| *argument < 6)?;
    Some(Condition { argument, comparison, value: number(value)? })
}

fn number(text: &str) -> Option<u64> {
    match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16).ok(),
        None => text.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(text: &str) -> Policy {
        text.parse().expect("a policy")
    }

    #[test]
    fn lists_have_their_defaults() {
        for (list, default, listed) in [
            ("denylist", Action::Allow, Action::Kill),
            ("blacklist errno 5", Action::Allow, Action::Errno(5)),
            ("allowlist", Action::Kill, Action::Allow),
            ("whitelist trap", Action::Trap, Action::Allow),
        ] {
            let policy = policy(&format!("2\n{list}\nmount\n"));
            assert_eq!((policy.default, policy.rules[0].action), (default, listed), "{list}");
        }
    }

    #[test]
    fn rules_have_actions_conditions_and_sections() {
        let policy = policy(
            "2\ndenylist\n[x86_64]\nmknod notify [1,8192,SCMP_CMP_MASKED_EQ,0xf000]\n# all of them\n[all]\nbpf errno 38 [0,5,==][1,7,>]\nreject_force_umount  # kept\n",
        );
        assert_eq!(policy.rules[0].architecture, Architecture::Named("x86_64".into()));
        let masked = Condition { argument: 1, comparison: Comparison::Masked(0xf000), value: 8192 };
        assert_eq!((policy.rules[0].action, policy.rules[0].conditions.as_slice()), (Action::Notify, &[masked][..]));
        assert_eq!((policy.rules[1].action, policy.rules[1].conditions.len()), (Action::Errno(38), 2));
        assert_eq!(policy.rules[2].call, "umount2");
        assert!(policy.notifies());
    }

    #[test]
    fn version_1_is_a_list_of_numbers() {
        let policy = policy("1\nwhitelist\n0\n1\n");
        assert_eq!((policy.default, policy.rules.len()), (Action::Kill, 2));
    }

    #[test]
    fn what_is_not_of_the_form_is_named_with_its_line() {
        for (text, line) in [
            ("", 1),
            ("3\ndenylist\n", 1),
            ("2\nsomelist\n", 2),
            ("2\n", 2),
            ("2\ndenylist maybe\n", 2),
            ("2\ndenylist\n\nmount errno\n", 4),
            ("2\ndenylist\nmount perhaps\n", 3),
            ("2\ndenylist\n[all\n", 3),
            ("2\ndenylist\nmount errno 1 [6,1,==]\n", 3),
            ("2\ndenylist\nmount errno 1 [0,1,&=]\n", 3),
            ("2\ndenylist\nmount errno 1 [0,1,==\n", 3),
            ("2\ndenylist\nmount errno 1 0,1\n", 3),
            ("1\ndenylist\n", 2),
            ("1\nwhitelist\nmount\n", 3),
        ] {
            assert_eq!(text.parse::<Policy>().unwrap_err().line, line, "{text}");
        }
    }
}
