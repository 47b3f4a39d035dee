//! The language of `?filter=`: `[not] field eq|ne value [and|or …]`, evaluated from left to right.

use regex::{Regex, RegexBuilder};
use serde::Serialize;
use serde_json::Value;

/// A filter that was read.
#[derive(Clone, Debug, Default)]
pub struct Filter(Vec<Clause>);

#[derive(Clone, Debug)]
struct Clause {
    or: bool,
    not: bool,
    field: String,
    operator: String,
    value: String,
    /// The value as a regular expression; none where it is not one.
    pattern: Option<Regex>,
}

/// How large a regular expression may become, in bytes of memory: far more than any that somebody types.
const LARGEST: usize = 1 << 18;

/// What a value means: a regular expression for the whole text, in any case of letters.
fn pattern(value: &str) -> Option<Regex> {
    let anchored = value.contains(['^', '$']);
    let pattern = if anchored { value.to_string() } else { format!("^{value}$") };
    RegexBuilder::new(&pattern).case_insensitive(true).size_limit(LARGEST).build().ok()
}

/// Objects whose members are a user's own keys: the rest of the field's name is one key, dots included, and a key
/// that is absent reads as the empty string.
const MAPS: [&str; 3] = ["config", "expanded_config", "properties"];

impl Filter {
    /// Reads a filter; an empty text lets everything pass.
    ///
    /// # Errors
    /// LXD's words for what is missing.
    pub fn parse(text: &str) -> Result<Filter, &'static str> {
        let mut words = text.split_whitespace().peekable();
        let mut clauses = Vec::new();
        let mut or = false;
        while let Some(first) = words.next() {
            let not = first.eq_ignore_ascii_case("not");
            let field = if not { words.next().ok_or("incomplete not clause")? } else { first };
            let operator = words.next().ok_or("clause has no operator")?.to_string();
            let value = value(words.next().ok_or("clause has no value")?, &mut words)?;
            let pattern = pattern(&value);
            clauses.push(Clause { or, not, field: field.to_string(), operator, value, pattern });
            let Some(joint) = words.next() else { break };
            or = match joint {
                "and" => false,
                "or" => true,
                _ => return Err("invalid clause composition"),
            };
            if words.peek().is_none() {
                return Err("unterminated compound clause");
            }
        }
        Ok(Filter(clauses))
    }

    /// Whether nothing is filtered.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether an object passes.
    pub fn matches(&self, object: &impl Serialize) -> bool {
        if self.is_empty() {
            return true;
        }
        serde_json::to_value(object).is_ok_and(|object| self.matches_value(&object))
    }

    /// Whether an object passes that is JSON already.
    pub fn matches_value(&self, object: &Value) -> bool {
        self.0.iter().fold(true, |so_far, clause| {
            let mut matched = clause.is_met(lookup(object, &clause.field).as_deref());
            if clause.operator == "ne" {
                matched = !matched;
            }
            matched = matched != clause.not;
            if clause.or { so_far || matched } else { so_far && matched }
        })
    }
}

impl Clause {
    /// Whether a text is what the clause asks for. Only strings ever are equal to a filter's value.
    fn is_met(&self, seen: Option<&str>) -> bool {
        let Some(seen) = seen else { return false };
        match &self.pattern {
            Some(pattern) => pattern.is_match(seen),
            None => seen.to_lowercase() == self.value.to_lowercase(),
        }
    }
}

/// A value, which may be quoted and then hold spaces.
fn value<'a>(first: &str, words: &mut impl Iterator<Item = &'a str>) -> Result<String, &'static str> {
    let Some(quoted) = first.strip_prefix('"') else { return Ok(first.to_string()) };
    let mut value = quoted.to_string();
    while !value.ends_with('"') {
        value.push(' ');
        value.push_str(words.next().ok_or("unterminated quote")?);
    }
    value.pop();
    Ok(value)
}

/// The string at `field`, a path of names joined by dots.
fn lookup(object: &Value, field: &str) -> Option<String> {
    let object = object.as_object()?;
    let (name, rest) = match field.split_once('.') {
        Some((name, rest)) => (name, Some(rest)),
        None => (field, None),
    };
    let member = object.get(name);
    match (member, rest) {
        (Some(Value::String(text)), None) => Some(text.clone()),
        (Some(Value::Object(map)), Some(key)) if MAPS.contains(&name) => {
            Some(map.get(key).and_then(Value::as_str).unwrap_or_default().to_string())
        }
        (Some(member), Some(rest)) => lookup(member, rest),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn clauses_are_read_or_refused_in_lxds_words() {
        for text in ["", "name eq x", "not name eq x and a ne b or c eq d", "x eq \"a b\"", "x eq \"a\""] {
            assert!(Filter::parse(text).is_ok(), "{text}");
        }
        for (text, wanted) in [
            ("not", "incomplete not clause"),
            ("a", "clause has no operator"),
            ("a eq", "clause has no value"),
            ("a eq \"b c", "unterminated quote"),
            ("a eq b xor c eq d", "invalid clause composition"),
            ("a eq b and", "unterminated compound clause"),
        ] {
            assert_eq!(Filter::parse(text).expect_err(text), wanted, "{text}");
        }
    }

    #[test]
    fn objects_pass_or_do_not() {
        let object = json!({
            "name": "c1", "status": "Running", "ephemeral": false,
            "config": {"image.os": "Debian GNU", "limits.cpu": "2"},
            "expanded_devices": {"root": {"pool": "default"}},
        });
        for (text, wanted) in [
            ("name eq c1", true),
            ("name eq C1", true),
            ("name eq c", false),
            ("name eq c.*", true),
            ("name eq ^c", true),
            ("name eq [", false),
            ("status eq running and name ne c2", true),
            ("status eq stopped or name eq c1", true),
            ("not status eq running", false),
            ("config.image.os eq \"debian gnu\"", true),
            ("config.none eq .*", true),
            ("expanded_devices.root.pool eq default", true),
            ("expanded_devices.eth0.pool eq .*", false),
            ("ephemeral eq false", false),
            ("ephemeral ne false", true),
            ("unknown eq x", false),
        ] {
            let filter = Filter::parse(text).expect(text);
            assert_eq!(filter.matches(&object), wanted, "{text}");
        }
    }
}
