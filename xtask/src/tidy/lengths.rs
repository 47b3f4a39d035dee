//! Files of at most 500 lines, functions of at most 80.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::Finding;
use super::source::Source;

const FILE: usize = 500;
const FUNCTION: usize = 80;
/// Names what was too long before the rule was; lines may only be taken out, and their numbers only made smaller.
const LIST: &str = "xtask/allowed-lengths.txt";

/// From a file, or `FILE NAME-OF-FUNCTION`, to the length that it may have.
pub type Allowed = BTreeMap<String, usize>;

/// Reads the list of exceptions.
///
/// # Errors
/// When it cannot be read, or a line is not `WHAT LENGTH`.
pub fn allowed(project: &Path) -> Result<Allowed, String> {
    let text = fs::read_to_string(project.join(LIST)).map_err(|error| format!("reading {LIST}: {error}"))?;
    let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let parsed =
                line.rsplit_once(' ').and_then(|(what, length)| Some((what.to_string(), length.parse().ok()?)));
            parsed.ok_or_else(|| format!("{LIST}: {line:?} is not WHAT LENGTH"))
        })
        .collect()
}

/// What is longer than it may be.
pub fn check(source: &Source, allowed: &Allowed) -> Vec<Finding> {
    let limit = |what: &str, usual: usize| allowed.get(what).copied().unwrap_or(usual).max(usual);
    let path = source.path.to_string_lossy();
    let mut found = Vec::new();
    let length = source.text.lines().count();
    let most = limit(&path, FILE);
    if length > most {
        found.push(source.finding(0, format!("has {length} lines; {most} are the most: split it by verb or subject")));
    }
    for (name, line, length) in functions(&source.code) {
        let most = limit(&format!("{path} {name}"), FUNCTION);
        if length > most {
            found.push(source.finding(line, format!("the function {name} has {length} lines; {most} are the most")));
        }
    }
    found
}

/// Exceptions that are needed no more.
pub fn outdated(sources: &[Source], allowed: &Allowed) -> Vec<Finding> {
    let mut needed = Vec::new();
    for source in sources {
        let path = source.path.to_string_lossy().into_owned();
        let long = functions(&source.code).into_iter().filter(|(_, _, length)| *length > FUNCTION);
        needed.extend(long.map(|(name, ..)| format!("{path} {name}")));
        if source.text.lines().count() > FILE {
            needed.push(path);
        }
    }
    let gone = allowed.keys().filter(|what| !needed.contains(what));
    gone.map(|what| Finding {
        path: PathBuf::from(LIST),
        line: 0,
        message: format!("{what} is short enough now: take its line out"),
    })
    .collect()
}

/// Names, first lines and lengths of functions, by the indentation that rustfmt gives them.
fn functions(code: &str) -> Vec<(String, usize, usize)> {
    let lines: Vec<&str> = code.lines().collect();
    let mut found = Vec::new();
    for (index, line) in lines.iter().enumerate() {
        let indent = line.len() - line.trim_start().len();
        let words: Vec<&str> = line.split_whitespace().collect();
        let Some(at) = words.iter().position(|word| *word == "fn").filter(|at| *at < 5) else { continue };
        let before = ["pub", "pub(crate)", "pub(super)", "const", "async", "unsafe", "extern"];
        if !words[..at].iter().all(|word| before.contains(word)) {
            continue;
        }
        let name: String =
            words.get(at + 1).unwrap_or(&"").chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        let end = format!("{}}}", " ".repeat(indent));
        let opened = lines[index..].iter().position(|line| line.trim_end().ends_with(['{', ';', '}'])).unwrap_or(0);
        if !lines[index + opened].trim_end().ends_with('{') {
            continue;
        }
        let after = lines[index..].iter().position(|line| line.trim_end() == end);
        found.push((name, index + 1, after.map_or(1, |after| after + 1)));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::functions;

    #[test]
    fn functions_are_measured_by_their_indentation() {
        let code =
            "impl A {\n    pub fn b(\n        x: u8,\n    ) {\n        c();\n    }\n    fn d(&self);\n}\nfn e() {}\n";
        assert_eq!(functions(code), [("b".to_string(), 2, 5)]);
    }
}
