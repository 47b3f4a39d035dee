//! Names that say nothing: a file or module is called after the one idea it carries.

use super::Finding;
use super::source::Source;

const REFUSED: [&str; 9] = ["util", "utils", "common", "helper", "helpers", "misc", "manager", "inner", "mod"];

/// Refuses such files and folders, and modules inside of files.
pub fn check(source: &Source) -> Vec<Finding> {
    let parts = source.path.components().map(|part| part.as_os_str().to_string_lossy().into_owned());
    let path = parts.filter(|part| REFUSED.contains(&part.trim_end_matches(".rs")));
    let mut found: Vec<Finding> =
        path.map(|part| source.finding(0, format!("the name {part} does not say what is in it"))).collect();
    for (index, line) in source.code.lines().enumerate() {
        let words: Vec<&str> =
            line.split(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| !w.is_empty()).collect();
        let module = words.iter().position(|word| *word == "mod").and_then(|at| words.get(at + 1));
        if let Some(name) = module.filter(|name| REFUSED.contains(name)) {
            found.push(source.finding(index + 1, format!("the module name {name} does not say what is in it")));
        }
    }
    found
}
