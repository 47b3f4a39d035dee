//! `cargo xtask fuzz [TARGET…]`: fuzz targets one after another, each for some minutes, and what came of them.
//!
//! The targets are in `fuzz/`, a workspace of its own. They are built with the coverage that libFuzzer wants and with the
//! address sanitizer, which a stable compiler does when it is told to take itself for one of its own builds.

mod summary;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use summary::Summary;

/// How the command is called, for the usage text.
pub const USAGE: &str = "usage: cargo xtask fuzz [--minutes N] [--jobs N] [--list] [TARGET…]
  TARGET       a target; without one, all of them
  --minutes N  how long each runs (default: 10)
  --jobs N     how many run at once (default: 1)
  --list       prints their names";

/// What the sanitizers of code coverage are told, as libFuzzer wants it.
const FLAGS: &str = "-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares -Zsanitizer=address";

/// The only machine that the flags were tried on.
const MACHINE: &str = "x86_64-unknown-linux-gnu";

/// Dictionaries by target.
const DICTIONARIES: [(&str, &str); 18] = [
    ("archive", "tar"),
    ("backup_index", "yaml"),
    ("control", "json"),
    ("device_rules", "device"),
    ("filter", "filter"),
    ("image_file", "tar"),
    ("image_metadata", "yaml"),
    ("lxc_config", "yaml"),
    ("migration", "json"),
    ("protocol", "json"),
    ("raw_lxc", "lxc"),
    ("seccomp", "seccomp"),
    ("simplestreams", "json"),
    ("template", "template"),
    ("unpack", "tar"),
    ("values", "values"),
    ("yaml_documents", "yaml"),
    ("yaml_text", "yaml"),
];

/// What was asked for.
struct Wish {
    minutes: u32,
    jobs: u32,
    list: bool,
    targets: Vec<String>,
}

impl Wish {
    fn read(words: &[&str]) -> Result<Wish, String> {
        let mut wish = Wish { minutes: 10, jobs: 1, list: false, targets: Vec::new() };
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut number = || words.next().and_then(|word| word.parse().ok()).filter(|number| *number > 0);
            match *word {
                "--minutes" => wish.minutes = number().ok_or(USAGE)?,
                "--jobs" => wish.jobs = number().ok_or(USAGE)?,
                "--list" => wish.list = true,
                option if option.starts_with('-') => return Err(USAGE.to_string()),
                target => wish.targets.push(target.to_string()),
            }
        }
        Ok(wish)
    }
}

/// Runs the targets that are asked for; whether none of them found anything.
///
/// # Errors
/// For words that are none of the command's, or when the targets cannot be built or run.
pub fn run(project: &Path, words: &[&str]) -> Result<bool, String> {
    let mut wish = Wish::read(words)?;
    let program = build(project)?;
    let known = names(&program)?;
    if wish.list {
        known.iter().for_each(|name| println!("{name}"));
        return Ok(true);
    }
    if let Some(unknown) = wish.targets.iter().find(|name| !known.contains(name)) {
        return Err(format!("there is no target {unknown}; cargo xtask fuzz --list names them"));
    }
    if wish.targets.is_empty() {
        wish.targets = known;
    }
    let queue = Mutex::new(wish.targets.iter());
    let next = || queue.lock().ok().and_then(|mut queue| queue.next());
    let work = || -> Result<bool, String> {
        let mut clean = true;
        while let Some(target) = next() {
            let summary = one(project, &program, target, wish.minutes)?;
            println!("{summary}");
            clean &= summary.findings.is_empty();
        }
        Ok(clean)
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..wish.jobs).map(|_| scope.spawn(work)).collect();
        let outcomes = workers.into_iter().map(|worker| worker.join().map_err(|_| "a worker panicked".to_string())?);
        outcomes.collect::<Result<Vec<bool>, String>>().map(|clean| clean.into_iter().all(|clean| clean))
    })
}

/// Builds the program of all targets.
fn build(project: &Path) -> Result<PathBuf, String> {
    let folder = project.join("fuzz");
    let built = Command::new("cargo")
        .args(["build", "--release", "--target", MACHINE])
        .current_dir(&folder)
        .env("RUSTC_BOOTSTRAP", "1")
        .env("RUSTFLAGS", FLAGS)
        .status()
        .map_err(|error| format!("running cargo: {error}"))?;
    if !built.success() {
        return Err("the fuzz targets were not built".to_string());
    }
    Ok(folder.join("target").join(MACHINE).join("release/fuzz"))
}

fn names(program: &Path) -> Result<Vec<String>, String> {
    // libFuzzer takes an early end for a finding, and writes one where it stands.
    let folder = program.parent().unwrap_or(program);
    let mut list = Command::new(program);
    let listed = list.arg("-runs=0").current_dir(folder).output().map_err(|error| format!("running fuzz: {error}"))?;
    Ok(String::from_utf8_lossy(&listed.stdout).lines().map(str::to_string).collect())
}

/// Runs a target. What it finds interesting is kept in `fuzz/target/corpus`, what breaks it in `fuzz/target/findings`.
fn one(project: &Path, program: &Path, target: &str, minutes: u32) -> Result<Summary, String> {
    let folder = project.join("fuzz");
    let (corpus, findings) = (folder.join("target/corpus").join(target), folder.join("target/findings").join(target));
    for made in [&corpus, &findings] {
        fs::create_dir_all(made).map_err(|error| format!("making {}: {error}", made.display()))?;
    }
    let log = folder.join("target").join(format!("{target}.log"));
    let output = fs::File::create(&log).map_err(|error| format!("making {}: {error}", log.display()))?;
    let before = summary::files(&findings);
    let mut command = Command::new(program);
    command
        .env("CORTEN_FUZZ_TARGET", target)
        // What C libraries keep for the life of a thread is no leak, and looking for leaks costs a fork for each input.
        .env("ASAN_OPTIONS", "detect_leaks=0:abort_on_error=1")
        .arg(format!("-max_total_time={}", minutes * 60))
        .arg(format!("-artifact_prefix={}/", findings.display()))
        .args(["-print_final_stats=1", "-timeout=20", "-rss_limit_mb=1500", "-max_len=16384", "-reload=0"]);
    if let Some((_, dictionary)) = DICTIONARIES.iter().find(|(known, _)| *known == target) {
        command.arg(format!("-dict={}", folder.join("dictionaries").join(dictionary).display()));
    }
    command.arg(&corpus).arg(folder.join("seeds").join(target));
    let started = std::time::Instant::now();
    command
        .current_dir(&folder)
        .stdout(Stdio::null())
        .stderr(output)
        .status()
        .map_err(|error| format!("running {}: {error}", program.display()))?;
    let text = fs::read(&log).map_err(|error| format!("reading {}: {error}", log.display()))?;
    let mut findings = summary::files(&findings);
    findings.retain(|file| !before.contains(file));
    Ok(Summary::of(target, &String::from_utf8_lossy(&text), started.elapsed(), findings))
}
