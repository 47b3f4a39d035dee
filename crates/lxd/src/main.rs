//! The daemon, and the commands that talk to it.
#![forbid(unsafe_code)]

mod app;
mod auth;
mod boot;
mod command;
mod dns;
mod rest;
mod routes;

use std::process::ExitCode;

fn main() -> ExitCode {
    command::run()
}
