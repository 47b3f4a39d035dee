//! Reads a command line as LXD's client does: flags anywhere, `--flag=value`, `-ab`, `--` ends them.
//!
//! The rules and the error texts are those of the library under LXD's client, since scripts match them.

use corten_api::error::{Error, Result};

/// What a flag takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Nothing: it is on when given (`--flag=false` turns it off).
    Nothing,
    /// One text; the last one given counts.
    Text,
    /// A text each time it is given; all count.
    Texts,
    /// A signed number.
    Int,
    /// A number without sign.
    Uint,
    /// A text that may be left out; then this one stands for it.
    TextOr(&'static str),
}

/// One flag of a command.
#[derive(Clone, Copy, Debug)]
pub struct Flag {
    /// Its name after `--`.
    pub long: &'static str,
    /// Its letter after `-`.
    pub short: Option<char>,
    /// What follows it.
    pub takes: Takes,
    /// Its value when not given, as text.
    pub default: &'static str,
    /// What it does, for the help text.
    pub about: &'static str,
}

impl Flag {
    const fn new(long: &'static str, takes: Takes, default: &'static str, about: &'static str) -> Flag {
        Flag { long, short: None, takes, default, about }
    }

    /// A switch.
    pub const fn switch(long: &'static str, about: &'static str) -> Flag {
        Flag::new(long, Takes::Nothing, "", about)
    }

    /// A flag with one text, empty when not given.
    pub const fn text(long: &'static str, about: &'static str) -> Flag {
        Flag::new(long, Takes::Text, "", about)
    }

    /// A flag that may be repeated.
    pub const fn texts(long: &'static str, about: &'static str) -> Flag {
        Flag::new(long, Takes::Texts, "", about)
    }

    /// A flag with a signed number.
    pub const fn int(long: &'static str, default: &'static str, about: &'static str) -> Flag {
        Flag::new(long, Takes::Int, default, about)
    }

    /// A flag with a number that is not negative.
    pub const fn uint(long: &'static str, default: &'static str, about: &'static str) -> Flag {
        Flag::new(long, Takes::Uint, default, about)
    }

    /// A flag whose text may be left out (`--console` or `--console=vga`).
    pub const fn text_or(long: &'static str, missing: &'static str, about: &'static str) -> Flag {
        Flag::new(long, Takes::TextOr(missing), "", about)
    }

    /// The same flag with a letter.
    pub const fn short(mut self, letter: char) -> Flag {
        self.short = Some(letter);
        self
    }

    /// The same flag with a default text.
    pub const fn or(mut self, default: &'static str) -> Flag {
        self.default = default;
        self
    }
}

/// What was on a command line: flags with their values in order, and everything else.
#[derive(Clone, Debug, Default)]
pub struct Arguments {
    flags: Vec<(Flag, String)>,
    /// The words that are no flags, in order.
    pub words: Vec<String>,
}

impl Arguments {
    /// How many words there are.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// True when no word was given.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The word at a place, or an empty text when there are fewer.
    pub fn word(&self, place: usize) -> &str {
        self.words.get(place).map_or("", String::as_str)
    }

    /// The words from a place on.
    pub fn rest(&self, place: usize) -> &[String] {
        self.words.get(place..).unwrap_or_default()
    }

    /// True when the flag was given at all.
    pub fn given(&self, long: &str) -> bool {
        self.flags.iter().any(|(flag, _)| flag.long == long)
    }

    /// True when the switch is on.
    pub fn is_set(&self, long: &str) -> bool {
        self.last(long).is_some_and(|value| value == "true")
    }

    /// The text of a flag as last given, or `default`.
    pub fn text_or<'a>(&'a self, long: &str, default: &'a str) -> &'a str {
        self.last(long).unwrap_or(default)
    }

    /// The text of a flag as last given, or an empty text.
    pub fn text(&self, long: &str) -> &str {
        self.text_or(long, "")
    }

    /// All texts of a repeatable flag, in order.
    pub fn texts(&self, long: &str) -> Vec<&str> {
        self.flags.iter().filter(|(flag, _)| flag.long == long).map(|(_, value)| value.as_str()).collect()
    }

    /// The number of a flag as last given, or `default`. (It was checked when it was read.)
    pub fn int(&self, long: &str, default: i64) -> i64 {
        self.last(long).and_then(|value| value.parse().ok()).unwrap_or(default)
    }

    fn last(&self, long: &str) -> Option<&str> {
        self.flags.iter().rev().find(|(flag, _)| flag.long == long).map(|(_, value)| value.as_str())
    }
}

/// Splits `line` into flags and words. With `interspersed` false the first word ends the flags (as for `exec`).
///
/// # Errors
/// Names the first flag that is unknown, lacks its value or has one of the wrong kind.
pub fn parse(line: &[String], known: &[&[Flag]], interspersed: bool) -> Result<Arguments> {
    let mut found = Arguments::default();
    let mut rest = line.iter();
    while let Some(argument) = rest.next() {
        if argument == "--" {
            found.words.extend(rest.cloned());
            break;
        }
        if let Some(long) = argument.strip_prefix("--") {
            found.flags.push(long_flag(argument, long, known, &mut rest)?);
        } else if argument.len() > 1 && argument.starts_with('-') {
            short_flags(&argument[1..], known, &mut rest, &mut found.flags)?;
        } else if interspersed {
            found.words.push(argument.clone());
        } else {
            found.words.push(argument.clone());
            found.words.extend(rest.cloned());
            break;
        }
    }
    Ok(found)
}

/// Splits off the words that lead to a command: everything that is neither a flag nor a flag's value, in order, with
/// its place in `line`. Stops at `--`.
pub fn words_before_flags_end<'a>(line: &'a [String], known: &[&[Flag]]) -> Vec<(usize, &'a str)> {
    let mut words = Vec::new();
    let mut place = 0;
    while place < line.len() {
        let argument = line[place].as_str();
        if argument == "--" {
            break;
        }
        if argument.starts_with('-') && argument.len() > 1 {
            place += 1 + usize::from(takes_next(argument, known));
            continue;
        }
        words.push((place, argument));
        place += 1;
    }
    words
}

/// True when the flag `argument` takes the argument after it as its value. So does one that is not known yet, since it
/// may be the command's own (`lxc --target-project x storage volume move`), as in cobra; but not one of several letters.
fn takes_next(argument: &str, known: &[&[Flag]]) -> bool {
    if argument.contains('=') {
        return false;
    }
    let takes = |flag: Flag| !matches!(flag.takes, Takes::Nothing | Takes::TextOr(_));
    match argument.strip_prefix("--") {
        Some(long) => by_long(known, long).is_none_or(takes),
        None => match argument.chars().last().filter(|_| argument.len() == 2) {
            Some(letter) => by_short(known, letter).is_none_or(takes),
            None => false,
        },
    }
}

fn by_long(known: &[&[Flag]], long: &str) -> Option<Flag> {
    known.iter().flat_map(|flags| flags.iter()).find(|flag| flag.long == long).copied()
}

fn by_short(known: &[&[Flag]], letter: char) -> Option<Flag> {
    known.iter().flat_map(|flags| flags.iter()).find(|flag| flag.short == Some(letter)).copied()
}

fn long_flag<'a>(
    whole: &str,
    long: &str,
    known: &[&[Flag]],
    rest: &mut impl Iterator<Item = &'a String>,
) -> Result<(Flag, String)> {
    let (name, value) = match long.split_once('=') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (long, None),
    };
    if name.is_empty() || name.starts_with('-') {
        return Err(Error::invalid(format!("bad flag syntax: {whole}")));
    }
    let Some(flag) = by_long(known, name) else {
        return Err(Error::invalid(format!("unknown flag: --{name}")));
    };
    let value = match (value, flag.takes) {
        (Some(value), _) => value,
        (None, Takes::Nothing) => "true".to_owned(),
        (None, Takes::TextOr(missing)) => missing.to_owned(),
        (None, _) => match rest.next() {
            Some(value) => value.clone(),
            None => return Err(Error::invalid(format!("flag needs an argument: --{name}"))),
        },
    };
    checked(flag, value)
}

fn short_flags<'a>(
    letters: &str,
    known: &[&[Flag]],
    rest: &mut impl Iterator<Item = &'a String>,
    found: &mut Vec<(Flag, String)>,
) -> Result<()> {
    let mut after = letters;
    while let Some(letter) = after.chars().next() {
        let all = after;
        after = &after[letter.len_utf8()..];
        let Some(flag) = by_short(known, letter) else {
            return Err(Error::invalid(format!("unknown shorthand flag: '{letter}' in -{all}")));
        };
        let value = if let Some(value) = after.strip_prefix('=').filter(|_| all.len() > 2) {
            after = "";
            value.to_owned()
        } else if flag.takes == Takes::Nothing {
            "true".to_owned()
        } else if let Takes::TextOr(missing) = flag.takes {
            missing.to_owned()
        } else if !after.is_empty() {
            std::mem::take(&mut after).to_owned()
        } else {
            match rest.next() {
                Some(value) => value.clone(),
                None => return Err(Error::invalid(format!("flag needs an argument: '{letter}' in -{all}"))),
            }
        };
        found.push(checked(flag, value)?);
    }
    Ok(())
}

/// Checks a value against what its flag takes and gives switches one spelling, `true` or `false`.
fn checked(flag: Flag, value: String) -> Result<(Flag, String)> {
    let complaint = match flag.takes {
        Takes::Nothing => match value.as_str() {
            "1" | "t" | "T" | "true" | "TRUE" | "True" => return Ok((flag, "true".to_owned())),
            "0" | "f" | "F" | "false" | "FALSE" | "False" => return Ok((flag, "false".to_owned())),
            _ => "strconv.ParseBool",
        },
        Takes::Int if value.parse::<i64>().is_err() => "strconv.ParseInt",
        Takes::Uint if value.parse::<u32>().is_err() => "strconv.ParseUint",
        _ => return Ok((flag, value)),
    };
    let range = value.trim_start_matches('-').chars().all(|digit| digit.is_ascii_digit()) && !value.is_empty();
    let what = if range && !(flag.takes == Takes::Uint && value.starts_with('-')) {
        "value out of range"
    } else {
        "invalid syntax"
    };
    let name = match flag.short {
        Some(letter) => format!("-{letter}, --{}", flag.long),
        None => format!("--{}", flag.long),
    };
    Err(Error::invalid(format!("invalid argument {value:?} for {name:?} flag: {complaint}: parsing {value:?}: {what}")))
}

#[cfg(test)]
mod tests;
