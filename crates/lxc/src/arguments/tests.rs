//! Command lines and what is read from them.

use super::*;

const FLAGS: &[Flag] = &[
    Flag::switch("force", "").short('f'),
    Flag::texts("config", "").short('c'),
    Flag::text("storage", "").short('s'),
    Flag::int("timeout", "-1", ""),
    Flag::uint("user", "0", ""),
    Flag::text_or("console", "console", ""),
];

fn words(text: &str) -> Vec<String> {
    text.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn read(text: &str) -> Result<Arguments> {
    parse(&words(text), &[FLAGS], true)
}

#[test]
fn flags_stand_anywhere_and_end_at_two_dashes() {
    let found = read("a -f b --storage=pool -c k=v -cx=y --console c -- -d --force").unwrap();
    assert_eq!(found.words, words("a b c -d --force"));
    assert!(found.is_set("force"));
    assert_eq!(found.text("storage"), "pool");
    assert_eq!(found.texts("config"), ["k=v", "x=y"]);
    assert_eq!(found.text("console"), "console");
    assert_eq!(found.int("timeout", -1), -1);
    assert!(!found.given("timeout"));
}

#[test]
fn letters_may_be_joined() {
    let found = read("-fs pool -fspool -s=other").unwrap();
    assert_eq!(found.text("storage"), "other");
    assert!(found.is_set("force"));
}

#[test]
fn the_first_word_may_end_the_flags() {
    let found = parse(&words("-f c1 ls -l --x"), &[FLAGS], false).unwrap();
    assert_eq!(found.words, words("c1 ls -l --x"));
}

#[test]
fn mistakes_are_told_in_known_words() {
    for (line, want) in [
        ("--foo", "unknown flag: --foo"),
        ("-x", "unknown shorthand flag: 'x' in -x"),
        ("-fx", "unknown shorthand flag: 'x' in -x"),
        ("--storage", "flag needs an argument: --storage"),
        ("-s", "flag needs an argument: 's' in -s"),
        ("--=x", "bad flag syntax: --=x"),
        ("--timeout x", r#"invalid argument "x" for "--timeout" flag: strconv.ParseInt: parsing "x": invalid syntax"#),
        ("--user -1", r#"invalid argument "-1" for "--user" flag: strconv.ParseUint: parsing "-1": invalid syntax"#),
        (
            "--user 4294967296",
            r#"invalid argument "4294967296" for "--user" flag: strconv.ParseUint: parsing "4294967296": value out of range"#,
        ),
        ("-f=x", r#"invalid argument "x" for "-f, --force" flag: strconv.ParseBool: parsing "x": invalid syntax"#),
    ] {
        assert_eq!(read(line).unwrap_err().message, want, "{line}");
    }
}

#[test]
fn words_that_lead_to_a_command_skip_flags_and_their_values() {
    let line = words("--storage x list -f --timeout=3 b -- c");
    assert_eq!(words_before_flags_end(&line, &[FLAGS]), [(2, "list"), (5, "b")]);
}

#[test]
fn a_flag_of_the_command_keeps_its_value_before_the_command_too() {
    let found = |text: &str| {
        let line = words(text);
        words_before_flags_end(&line, &[FLAGS]).into_iter().map(|(_, word)| word.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(found("--target-project bar storage volume move"), ["storage", "volume", "move"]);
    assert_eq!(found("-z bar storage"), ["storage"]);
    assert_eq!(found("-zz storage"), ["storage"]);
    assert_eq!(found("--target-project=bar storage"), ["storage"]);
}
