//! The monitor: one small process per container, parent of its init, outliving the daemon.
//!
//! `lxd-monitor run SPEC.json` starts a container by hand and waits for its end. The daemon runs the program under the
//! title that the monitor is to have, and so does that command.
#![forbid(unsafe_code)]

use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use corten_runtime::{Exit, Spec, launch, monitor, proxy};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    if name.as_bytes().starts_with(launch::TITLE.as_bytes()) {
        return ExitCode::from(u8::try_from(monitor::run()).unwrap_or(1));
    }
    if name.as_bytes().starts_with(proxy::TITLE.as_bytes()) {
        return ExitCode::from(u8::try_from(proxy::run()).unwrap_or(1));
    }
    match (arguments.next(), arguments.next()) {
        (Some(verb), Some(path)) if verb == "run" => match run(Path::new(&path)) {
            Ok(code) => code,
            Err(error) => {
                eprintln!("Error: {error}");
                ExitCode::FAILURE
            }
        },
        _ => {
            eprintln!("Usage: lxd-monitor run SPEC.json");
            ExitCode::from(2)
        }
    }
}

/// Starts a container and waits for its end: its init's exit status, or 128 + the signal that killed it.
fn run(path: &Path) -> Result<ExitCode, Box<dyn std::error::Error>> {
    let reading = |error: &dyn std::fmt::Display| format!("reading {}: {error}", path.display());
    let text = std::fs::read(path).map_err(|error| reading(&error))?;
    let spec: Spec = serde_json::from_slice(&text).map_err(|error| reading(&error))?;
    let container = corten_runtime::start(Path::new("/proc/self/exe"), &spec)?;
    println!("{} runs, pid {}", spec.name, container.init_pid());
    let exit = match container.watch() {
        Ok(watch) => watch.wait()?,
        Err(corten_runtime::Error::Gone) => {
            corten_runtime::handle::last_exit(&spec.run_dir)?.ok_or(corten_runtime::Error::Gone)?
        }
        Err(error) => return Err(error.into()),
    };
    println!("{} ended: {exit:?}", spec.name);
    Ok(match exit {
        Exit::Exited(status) => ExitCode::from(u8::try_from(status).unwrap_or(1)),
        Exit::Killed(signal) => ExitCode::from(u8::try_from(128 + signal).unwrap_or(1)),
        Exit::Halted | Exit::Rebooted => ExitCode::SUCCESS,
    })
}
