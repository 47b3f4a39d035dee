//! Yes or no, in LXD's eight spellings, any case.

use super::Kind;
use super::go_text::quoted;

/// A yes or no.
#[derive(Clone, Copy, Debug)]
pub struct Bool;

const TRUE: [&str; 4] = ["true", "1", "yes", "on"];
const FALSE: [&str; 4] = ["false", "0", "no", "off"];

/// Whether a text says yes; anything else, the empty text included, does not.
pub fn is_true(text: &str) -> bool {
    TRUE.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Whether a text says no. The empty text does not.
pub fn is_false(text: &str) -> bool {
    FALSE.iter().any(|word| word.eq_ignore_ascii_case(text))
}

impl Kind for Bool {
    type Value = bool;
    const WORD: &'static str = "bool";

    fn parse(&self, text: &str) -> Result<bool, String> {
        match (is_true(text), is_false(text)) {
            (true, _) => Ok(true),
            (_, true) => Ok(false),
            _ => Err(format!("Invalid value for a boolean {}", quoted(text))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_spellings() {
        for text in ["true", "TRUE", "1", "yes", "On"] {
            assert_eq!(Bool.parse(text), Ok(true), "{text}");
        }
        for text in ["false", "False", "0", "NO", "off"] {
            assert_eq!(Bool.parse(text), Ok(false), "{text}");
        }
        for text in ["t", "2", "enabled", " true"] {
            assert_eq!(Bool.parse(text), Err(format!("Invalid value for a boolean {text:?}")));
        }
    }
}
