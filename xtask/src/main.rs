//! The project's own chores: `cargo xtask tidy`, `cargo xtask docs`, `cargo xtask upstream`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use xtask::{docs, project, tidy, upstream};

const USAGE: &str = "usage: cargo xtask tidy              looks for what the house style refuses
       cargo xtask docs              writes doc/config from the key tables
       cargo xtask upstream TEST…    runs tests of LXD's own suite";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let outcome = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tidy"] => tidy(),
        ["docs"] => docs::write(&project()),
        ["upstream", ref rest @ ..] => match upstream::run(&project(), rest) {
            Ok(true) => Ok(()),
            Ok(false) => return ExitCode::FAILURE,
            Err(message) => Err(message),
        },
        _ => Err(USAGE.to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("{message}");
            ExitCode::FAILURE
        }
    }
}

fn tidy() -> Result<(), String> {
    let findings = tidy::findings(&project())?;
    for finding in &findings {
        println!("{finding}");
    }
    if findings.is_empty() { Ok(()) } else { Err(format!("{} things are not tidy", findings.len())) }
}
