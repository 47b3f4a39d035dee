//! The project's own chores: `cargo xtask tidy`, `cargo xtask docs`, `cargo xtask upstream`.
#![forbid(unsafe_code)]

use std::process::ExitCode;

use xtask::{crash, docs, fuzz, project, tidy, upstream};

const USAGE: &str = "usage: cargo xtask tidy              looks for what the house style refuses
       cargo xtask docs              writes doc/config from the key tables
       cargo xtask upstream TEST…    runs tests of LXD's own suite
       cargo xtask crash             kills the daemon at random moments and looks at what is left
       cargo xtask fuzz              runs the fuzz targets";

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let or_failed = |outcome: Result<bool, String>| match outcome {
        Ok(true) => Ok(()),
        Ok(false) => Err(String::new()),
        Err(message) => Err(message),
    };
    let outcome = match words.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["tidy"] => tidy(),
        ["docs"] => docs::write(&project()),
        ["upstream", ref rest @ ..] => or_failed(upstream::run(&project(), rest)),
        ["crash", ref rest @ ..] => or_failed(crash::run(&project(), rest)),
        ["fuzz", ref rest @ ..] => or_failed(fuzz::run(&project(), rest)),
        _ => Err(USAGE.to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            if !message.is_empty() {
                eprintln!("{message}");
            }
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
