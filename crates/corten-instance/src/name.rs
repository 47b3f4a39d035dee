//! Names for instances that were given none: two words of ours.

use std::collections::BTreeSet;

use corten_api::error::{Error, Result};

use crate::volatile::random;

const QUALITIES: [&str; 48] = [
    "able", "amber", "ample", "brave", "brisk", "calm", "clean", "clear", "cosmic", "crisp", "daring", "deep", "eager",
    "early", "fair", "fast", "fine", "firm", "fond", "fresh", "gentle", "glad", "golden", "grand", "happy", "hardy",
    "keen", "kind", "light", "lively", "loyal", "lucky", "merry", "mild", "neat", "noble", "polite", "proud", "quick",
    "quiet", "ready", "rusty", "sharp", "smart", "steady", "sunny", "warm", "wise",
];

const ANIMALS: [&str; 48] = [
    "ant", "badger", "bass", "bat", "bear", "bee", "bison", "boar", "bream", "carp", "cat", "cod", "crab", "crane",
    "crow", "deer", "dove", "duck", "eagle", "eel", "elk", "emu", "finch", "fox", "frog", "gecko", "goat", "goose",
    "hare", "hawk", "heron", "ibis", "jay", "koala", "lark", "lion", "lynx", "mole", "moose", "newt", "otter", "owl",
    "puma", "raven", "seal", "swan", "toad", "wren",
];

/// How often another pair of words is tried before giving up.
const TRIES: usize = 10_000;

/// A name of two words that is not among `taken`.
///
/// # Errors
/// When no free one was found, or the kernel has no random bytes.
pub fn generate(taken: &BTreeSet<String>) -> Result<String> {
    for _ in 0..TRIES {
        let [a, b] = random()?;
        let word = |words: &[&'static str; 48], byte: u8| words[usize::from(byte) % words.len()];
        let name = format!("{}-{}", word(&QUALITIES, a), word(&ANIMALS, b));
        if !taken.contains(&name) {
            return Ok(name);
        }
    }
    Err(Error::internal("Failed to generate a free instance name; give one"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn generated_names_are_free() {
        let taken = BTreeSet::from(["rusty-otter".to_string()]);
        let name = generate(&taken).expect("many are free");
        assert!(!taken.contains(&name) && name.contains('-'), "{name}");
    }
}
