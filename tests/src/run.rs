//! Running a program in a story, and looking at what came out of it.

use std::ffi::OsStr;
use std::io::Write;
use std::process::{Command, Stdio};

/// What a program printed, and how it ended.
#[derive(Clone, Debug)]
pub struct Ran {
    /// The command line.
    pub line: String,
    /// Exit status; 128 and the signal's number when a signal ended it.
    pub status: i32,
    /// Standard output.
    pub out: String,
    /// Standard error.
    pub err: String,
}

/// Runs `command` with `input` to its end.
///
/// # Panics
/// When it cannot be run.
pub fn run(mut command: Command, input: &[u8]) -> Ran {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let line = words.map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|error| panic!("{line}: {error}"));
    let mut pipe = child.stdin.take().expect("a pipe was asked for");
    let input = input.to_vec();
    // The program may end without having read everything, which is its right.
    let feeder = std::thread::spawn(move || pipe.write_all(&input));
    let output = child.wait_with_output().unwrap_or_else(|error| panic!("{line}: {error}"));
    let _ = feeder.join();
    let signal = std::os::unix::process::ExitStatusExt::signal(&output.status);
    Ran {
        line,
        status: output.status.code().unwrap_or_else(|| 128 + signal.unwrap_or(0)),
        out: String::from_utf8_lossy(&output.stdout).into_owned(),
        err: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

impl Ran {
    /// Its standard output, when it ended well.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn ok(&self) -> &str {
        assert_eq!(self.status, 0, "{} failed:\n{}{}", self.line, self.out, self.err);
        &self.out
    }

    /// Its standard error, when it ended with status 1.
    ///
    /// # Panics
    /// When it ended otherwise.
    #[track_caller]
    pub fn refused(&self) -> &str {
        assert_eq!(self.status, 1, "{} was to fail with 1:\n{}{}", self.line, self.out, self.err);
        &self.err
    }
}
