//! What libFuzzer says at the end of a run, in a line.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How a target went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Its name.
    pub target: String,
    /// How long it ran.
    pub time: Duration,
    /// How many inputs it was given.
    pub runs: u64,
    /// How many edges of the program they went over.
    pub edges: u64,
    /// How many inputs were kept, since each showed something new.
    pub kept: u64,
    /// Inputs that broke it.
    pub findings: Vec<PathBuf>,
}

impl Summary {
    /// Reads what libFuzzer wrote.
    pub fn of(target: &str, text: &str, time: Duration, findings: Vec<PathBuf>) -> Summary {
        let last = text.lines().rev().find(|line| line.starts_with('#') && line.contains(" cov: ")).unwrap_or_default();
        let after = |line: &str, word: &str| {
            let mut words = line.split_whitespace().skip_while(|found| *found != word);
            words.nth(1).and_then(|number| number.split('/').next()?.parse().ok()).unwrap_or(0)
        };
        let seen = last.trim_start_matches('#').split_whitespace().next().and_then(|number| number.parse().ok());
        let told = text.lines().find(|line| line.starts_with("stat::number_of_executed_units:"));
        let runs = told.map_or(seen.unwrap_or(0), |line| after(line, "stat::number_of_executed_units:"));
        let (edges, kept) = (after(last, "cov:"), after(last, "corp:"));
        Summary { target: target.to_string(), time, runs, edges, kept, findings }
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Summary { target, runs, edges, kept, findings, .. } = self;
        let minutes = self.time.as_secs_f64() / 60.0;
        write!(out, "{target:16} {minutes:5.1} min {runs:10} runs {edges:6} edges {kept:5} kept ")?;
        match findings.as_slice() {
            [] => write!(out, " nothing found"),
            found => found.iter().try_for_each(|file| write!(out, " FOUND {}", file.display())),
        }
    }
}

/// The files in a folder; none when it cannot be read.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_words_count() {
        let text = "#2\tINITED cov: 5 ft: 6 corp: 1/1b exec/s: 0 rss: 40Mb\n#512\tNEW    cov: 17 ft: 30 corp: 9/88b lim: 4 \
                    exec/s: 0 rss: 40Mb L: 3/4 MS: 1 CopyPart-\n#900\tDONE   cov: 18 ft: 31 corp: 10/90b lim: 8\n\
                    stat::number_of_executed_units: 901\n";
        let summary = Summary::of("filter", text, Duration::from_secs(90), Vec::new());
        assert_eq!((summary.runs, summary.edges, summary.kept), (901, 18, 10));
        let wanted = "filter             1.5 min        901 runs     18 edges    10 kept  nothing found";
        assert_eq!(summary.to_string(), wanted);
        let broken = Summary::of("filter", "", Duration::ZERO, vec!["crash-1".into()]);
        assert!(broken.to_string().ends_with("FOUND crash-1"));
    }
}
