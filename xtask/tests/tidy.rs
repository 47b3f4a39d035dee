//! The whole project is tidy.
#![forbid(unsafe_code)]

#[test]
fn nothing_is_untidy() {
    let found = xtask::tidy::findings(&xtask::project()).expect("the project can be read");
    let lines: Vec<String> = found.iter().map(ToString::to_string).collect();
    assert!(found.is_empty(), "\n{}\n", lines.join("\n"));
}
