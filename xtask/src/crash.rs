//! The long form of the crash test: the daemon killed hundreds of times, and everything looked at after each.

use std::path::Path;
use std::process::Command;

/// How the command is called, for the usage text.
pub const USAGE: &str = "cargo xtask crash [--kills N] [--seed N] [--driver dir|overlay]";

/// What is tried unless told otherwise: so many kills for each driver.
const KILLS: &str = "250";

/// Builds the programs and kills the daemon as often as asked, on both drivers or one of them. Whether all went well.
///
/// # Errors
/// For words that are none of the command's, or when Cargo cannot be run.
pub fn run(project: &Path, words: &[&str]) -> Result<bool, String> {
    let mut environment = vec![("CORTEN_CRASH_KILLS", KILLS)];
    for pair in words.chunks(2) {
        match *pair {
            ["--kills", kills] => environment.push(("CORTEN_CRASH_KILLS", kills)),
            ["--seed", seed] => environment.push(("CORTEN_CRASH_SEED", seed)),
            ["--driver", driver @ ("dir" | "overlay")] => environment.push(("CORTEN_CRASH_DRIVER", driver)),
            _ => return Err(format!("usage: {USAGE}")),
        }
    }
    let cargo = |arguments: &[&str]| {
        let mut command = Command::new("cargo");
        command.args(arguments).current_dir(project).envs(environment.iter().copied());
        command.status().map(|status| status.success()).map_err(|error| format!("running cargo: {error}"))
    };
    Ok(cargo(&["build", "--workspace"])?
        && cargo(&["test", "-p", "stories", "--test", "crash", "--", "--nocapture", "--test-threads=1"])?)
}
