//! `cargo xtask upstream TEST…`: tests of LXD's own suite, told about our programs or, as the control, about Debian's.
//!
//! The suite is kept outside of the project: it is fetched from Debian's source package, and each test gets a copy of its own.

mod one;
mod source;

use std::path::{Path, PathBuf};
use std::process::Command;

use one::Outcome;

/// How to ask for it.
pub const USAGE: &str = "usage: cargo xtask upstream [OPTION…] TEST…
  TEST             a test of LXD's suite, as basic_usage or test_basic_usage
  --source DIR     LXD's source, with its suite in DIR/test (default: fetched once, by apt-get source lxd)
  --lxd DIR        where the programs lxd, lxc and fuidshift are (default: those of this project, built before)
  --limit SECONDS  time for each test (default: 600)
  --tty            a terminal on standard input (config_edit and container_snapshot_config always have one)
  --scratch DIR    where sources and copies are (default: /var/tmp/corten-upstream)";

/// Where sources and copies are. Not below a folder that the mapped root of a container cannot pass.
const SCRATCH: &str = "/var/tmp/corten-upstream";

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wish {
    tests: Vec<String>,
    source: Option<PathBuf>,
    programs: Option<PathBuf>,
    limit: u32,
    tty: bool,
    scratch: PathBuf,
}

/// Runs what the words after `upstream` ask for; whether all of it passed.
///
/// # Errors
/// When the words are wrong, the suite cannot be had, or nothing could be run.
pub fn run(project: &Path, words: &[&str]) -> Result<bool, String> {
    let wish = Wish::read(words)?;
    if !rustix::process::geteuid().is_root() {
        return Err("LXD's suite runs as root only".to_string());
    }
    let suite = source::suite(wish.source.as_deref(), &wish.scratch)?;
    let programs = match &wish.programs {
        Some(folder) => folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?,
        None => built(project)?,
    };
    let logs = project.join("target/upstream");
    make(&logs)?;
    let mut passed = 0;
    for test in &wish.tests {
        let label = if wish.programs.is_some() { format!("{test}.control") } else { test.clone() };
        let log = logs.join(label).with_added_extension("log");
        let ran =
            one::run(&one::Test { project, suite: &suite, programs: &programs, name: test, log: &log, wish: &wish })?;
        let word = match ran.outcome {
            Outcome::Passed => "ok",
            Outcome::Skipped => "skipped",
            Outcome::Failed => "FAILED",
            Outcome::LeftBehind => "FAILED (left something behind)",
            Outcome::TimeOut => "FAILED (time out)",
        };
        println!("{test}: {word}, {} s, {}", ran.seconds, log.display());
        passed += usize::from(ran.outcome == Outcome::Passed);
    }
    let failed = wish.tests.len() - passed;
    println!("{passed} passed, {failed} failed");
    Ok(failed == 0)
}

impl Wish {
    fn read(words: &[&str]) -> Result<Wish, String> {
        let mut wish =
            Wish { tests: Vec::new(), source: None, programs: None, limit: 600, tty: false, scratch: SCRATCH.into() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} wants a value\n{USAGE}"));
            match *word {
                "--source" => wish.source = Some(value()?.into()),
                "--lxd" => wish.programs = Some(value()?.into()),
                "--scratch" => wish.scratch = value()?.into(),
                "--limit" => {
                    let seconds = value()?;
                    wish.limit = seconds.parse().map_err(|_| format!("{seconds} is no number of seconds\n{USAGE}"))?;
                }
                "--tty" => wish.tty = true,
                option if option.starts_with('-') => return Err(format!("no option {option}\n{USAGE}")),
                test => wish.tests.push(test.strip_prefix("test_").unwrap_or(test).to_string()),
            }
        }
        if wish.tests.is_empty() { Err(USAGE.to_string()) } else { Ok(wish) }
    }
}

/// Builds our programs; the folder they are in.
fn built(project: &Path) -> Result<PathBuf, String> {
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--quiet", "--workspace", "--bins"]).current_dir(project);
    let status = cargo.status().map_err(|error| format!("running cargo: {error}"))?;
    if status.success() { Ok(project.join("target/debug")) } else { Err("the programs cannot be built".to_string()) }
}

fn make(folder: &Path) -> Result<(), String> {
    std::fs::create_dir_all(folder).map_err(|error| format!("making {}: {error}", folder.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_tests_and_options() {
        let wish = Wish::read(&["test_query", "--limit", "30", "exec", "--lxd", "/usr/bin"]).expect("they are right");
        assert_eq!(wish.tests, ["query", "exec"]);
        assert_eq!((wish.limit, wish.programs, wish.tty), (30, Some("/usr/bin".into()), false));
    }

    #[test]
    fn wrong_words_are_named() {
        for (words, reason) in [
            (&["--limit", "soon", "exec"][..], "soon is no number of seconds"),
            (&["exec", "--lxd"], "--lxd wants a value"),
            (&["--fast", "exec"], "no option --fast"),
            (&[], "usage: cargo xtask upstream"),
        ] {
            let message = Wish::read(words).expect_err(reason);
            assert!(message.starts_with(reason), "{words:?}: {message}");
        }
    }
}
