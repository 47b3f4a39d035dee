//! What the words of a usage line stand for.

/// One place for a word: `[<remote>:]<instance>[/<snapshot>]`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place<'a> {
    /// What is named there; empty where only a remote can stand.
    pub noun: &'a str,
    /// A remote may stand before the name.
    pub has_remote: bool,
    /// `key=value` is meant.
    pub is_pair: bool,
    /// The word may be repeated.
    pub repeats: bool,
}

/// The places of a usage line, in order.
pub fn places(usage: &str) -> Vec<Place<'_>> {
    split(usage).into_iter().map(place).collect()
}

/// The place of the word at an index; the last place serves for all that follow, if it may be repeated.
pub fn at<'a>(places: &'a [Place<'a>], index: usize) -> Option<&'a Place<'a>> {
    places.get(index).or_else(|| places.last().filter(|place| place.repeats))
}

/// Splits at the spaces that are not within brackets.
fn split(usage: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, character) in usage.char_indices() {
        match character {
            '[' | '<' | '(' => depth += 1,
            ']' | '>' | ')' => depth = depth.saturating_sub(1),
            ' ' if depth == 0 => {
                parts.push(&usage[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&usage[start..]);
    parts.retain(|part| !part.is_empty());
    parts
}

fn place(text: &str) -> Place<'_> {
    let has_remote = text.contains("<remote>:") || text.contains("<remote:>");
    let after_remote = text.rfind("<remote>:]").map_or(text, |at| &text[at + "<remote>:]".len()..]);
    let noun = after_remote
        .split_once('<')
        .and_then(|(_, rest)| rest.split_once('>'))
        .map_or_else(|| if has_remote { "" } else { text.trim_matches(['[', ']', '.']) }, |(noun, _)| noun);
    Place { noun, has_remote, is_pair: text.contains('='), repeats: text.contains("...") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_lines_say_what_words_are() {
        for (usage, nouns) in [
            ("[<remote>:]<instance> [[<remote>:]<instance>...]", vec!["instance", "instance"]),
            ("[<remote>:][<instance>] <key>=<value>...", vec!["instance", "key"]),
            (
                "[<remote>:]<pool> <volume> <instance> [<device name>] [<path>]",
                vec!["pool", "volume", "instance", "device name", "path"],
            ),
            ("[<remote>:]", vec![""]),
            ("[<remote>:]<pool> <driver> [key=value...]", vec!["pool", "driver", "key=value"]),
            ("<remote> <new-name>", vec!["remote", "new-name"]),
            ("", vec![]),
        ] {
            assert_eq!(places(usage).iter().map(|place| place.noun).collect::<Vec<_>>(), nouns, "{usage}");
        }
        let found = places("[<remote>:][<instance>] <key>=<value>...");
        assert!(found[0].has_remote && !found[0].repeats && found[1].is_pair && found[1].repeats);
        assert_eq!(at(&found, 5), Some(&found[1]));
        assert_eq!(at(&found[..1], 1), None);
    }
}
