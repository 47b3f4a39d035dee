//! The command line client.
#![forbid(unsafe_code)]

mod alias;
mod arguments;
mod byte_size;
mod columns;
mod command;
mod commands;
mod complete;
mod config;
mod dispatch;
mod editor;
mod entity;
mod error;
mod help;
mod key_value;
mod log;
mod moment;
mod printer;
mod progress;
mod question;
mod remote;
mod session;
mod signals;
mod ssh;
mod table;
mod terminal;
mod token;

use std::process::ExitCode;

fn main() -> ExitCode {
    let line: Vec<String> = std::env::args_os().skip(1).map(|word| word.to_string_lossy().into_owned()).collect();
    // Asked for by scripts in loops: answered before anything is read or built.
    if line == ["--version"] {
        printer::print(concat!(env!("CARGO_PKG_VERSION"), "\n"));
        return ExitCode::SUCCESS;
    }
    let ended = dispatch::run(line);
    if let Some(error) = &ended.error {
        error::report(error);
    }
    ExitCode::from(ended.status)
}
