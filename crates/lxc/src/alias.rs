//! Shortcuts of the user: `shell` may stand for `exec @ARGS@ -- su -l`.

use std::collections::BTreeMap;

use corten_api::error::{Error, Result};

/// Shortcuts that exist without being configured; the user's own win.
const BUILT_IN: [(&str, &str); 1] = [("shell", "exec @ARGS@ -- su -l")];

/// What became of a command line.
#[derive(Debug, PartialEq, Eq)]
pub enum Expansion {
    /// No alias applies.
    None,
    /// Another command line of this program.
    Line(Vec<String>),
    /// Another program with its arguments.
    Program(Vec<String>),
}

/// Replaces a leading alias (after global flags) by its target. `@ARGS@` stands for all arguments that no `@ARG1@`,
/// `@ARG2@`… takes; without it they follow at the end.
///
/// # Errors
/// When the target names an argument that was not given.
pub fn expand(own: &BTreeMap<String, String>, line: &[String]) -> Result<Expansion> {
    let flags = line.iter().take_while(|word| word.starts_with('-')).count();
    let (before, words) = line.split_at(flags);
    let own = own.iter().map(|(key, target)| (key.as_str(), target.as_str()));
    let Some((key, target)) = own.chain(BUILT_IN).find(|(key, _)| applies(key, words)) else {
        return Ok(Expansion::None);
    };
    let given = &words[key.split(' ').count()..];
    let target: Vec<&str> = target.split(' ').collect();
    let mut taken = Vec::new();
    for number in target.iter().flat_map(|word| numbers(word)) {
        if number == 0 || number > given.len() {
            return Err(Error::invalid(format!("Found alias {key:?} references an argument outside the given number")));
        }
        taken.push(number);
    }
    let rest: Vec<String> =
        given.iter().enumerate().filter(|(at, _)| !taken.contains(&(at + 1))).map(|(_, word)| word.clone()).collect();
    let mut made = Vec::new();
    for word in &target {
        if *word == "@ARGS@" {
            made.extend(rest.iter().cloned());
            continue;
        }
        made.push(
            numbers(word)
                .into_iter()
                .fold((*word).to_owned(), |text, number| text.replace(&format!("@ARG{number}@"), &given[number - 1])),
        );
    }
    if !target.contains(&"@ARGS@") {
        made.extend(rest);
    }
    Ok(if target[0].starts_with('/') {
        // Such a program gets the flags that stood before the alias too, as LXD hands them on.
        made.splice(1..1, before.iter().cloned());
        Expansion::Program(made)
    } else {
        Expansion::Line(before.iter().cloned().chain(made).collect())
    })
}

fn applies(key: &str, words: &[String]) -> bool {
    key.split(' ').enumerate().all(|(at, word)| words.get(at).is_some_and(|given| given == word))
}

/// The numbers N of all `@ARGN@` in a word.
fn numbers(word: &str) -> Vec<usize> {
    let mut found = Vec::new();
    for part in word.split("@ARG").skip(1) {
        if let Some((digits, _)) = part.split_once('@')
            && !digits.is_empty()
            && let Ok(number) = digits.parse()
        {
            found.push(number);
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
    }

    #[test]
    fn aliases_are_replaced() {
        let own: BTreeMap<String, String> =
            [("ll", "list -c n"), ("my list", "list @ARG1@ --x=@ARG2@ @ARGS@"), ("run", "/bin/prog a")]
                .map(|(key, target)| (key.to_owned(), target.to_owned()))
                .into();
        for (line, want) in [
            ("list", Expansion::None),
            ("", Expansion::None),
            ("ll x", Expansion::Line(words("list -c n x"))),
            ("--debug my list a b c d", Expansion::Line(words("--debug list a --x=b c d"))),
            ("shell c1", Expansion::Line(words("exec c1 -- su -l"))),
            ("run b", Expansion::Program(words("/bin/prog a b"))),
        ] {
            assert_eq!(expand(&own, &words(line)).unwrap(), want, "{line}");
        }
        let error = expand(&own, &words("my list a")).unwrap_err();
        assert_eq!(error.message, "Found alias \"my list\" references an argument outside the given number");
    }
}
