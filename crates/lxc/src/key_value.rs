//! `key=value` words of command lines.

use std::collections::BTreeMap;
use std::io::IsTerminal;

use corten_api::error::{Error, Result};

use crate::editor;

/// Keys with their values.
pub type Pairs = BTreeMap<String, String>;

/// The words of a `set` command: `key=value…`, or the old form `key value`. A lone `-` as value is read from standard
/// input.
///
/// # Errors
/// For a word without `=`, in LXD's words.
pub fn to_set(words: &[String]) -> Result<Pairs> {
    if let [key, value] = words
        && !key.contains('=')
    {
        return Ok(Pairs::from([(key.clone(), or_stdin(value)?)]));
    }
    let mut pairs = Pairs::new();
    for word in words {
        let Some((key, value)) = word.split_once('=') else {
            return Err(Error::invalid(format!("Invalid key=value configuration: {word}")));
        };
        pairs.insert(key.to_owned(), or_stdin(value)?);
    }
    Ok(pairs)
}

/// Words that must all be `key=value`; `complain` makes the error for one that is not.
///
/// # Errors
/// What `complain` gives for the first word without `=`.
pub fn all<S: AsRef<str>>(words: &[S], complain: impl Fn(&str) -> String) -> Result<Pairs> {
    words
        .iter()
        .map(|word| match word.as_ref().split_once('=') {
            Some((key, value)) => Ok((key.to_owned(), value.to_owned())),
            None => Err(Error::invalid(complain(word.as_ref()))),
        })
        .collect()
}

fn or_stdin(value: &str) -> Result<String> {
    if value == "-" && !std::io::stdin().is_terminal() { editor::all_of_stdin() } else { Ok(value.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split(' ').map(str::to_owned).collect()
    }

    #[test]
    fn both_forms_of_set() {
        assert_eq!(to_set(&words("limits.cpu 2")).unwrap(), Pairs::from([("limits.cpu".into(), "2".into())]));
        assert_eq!(
            to_set(&words("a=b=c d=")).unwrap(),
            Pairs::from([("a".into(), "b=c".into()), ("d".into(), String::new())])
        );
        assert_eq!(to_set(&words("a=1 b")).unwrap_err().message, "Invalid key=value configuration: b");
        assert_eq!(to_set(&words("a")).unwrap_err().message, "Invalid key=value configuration: a");
    }
}
