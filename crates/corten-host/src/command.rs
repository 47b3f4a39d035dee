//! Running other programs: the command line is data, the failure is typed. They end with the thread that runs them.

use std::ffi::OsString;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command as Process, Stdio};

/// A command line, its input and the Debian package that brings the program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// Program and arguments.
    pub argv: Vec<OsString>,
    /// What the program reads from standard input; nothing means `/dev/null`.
    pub input: Option<Vec<u8>>,
    /// Name of the Debian package that has the program, for the error when it is missing.
    pub package: &'static str,
}

/// Why a command did not do its work.
#[derive(Debug, thiserror::Error)]
pub enum Failed {
    /// The program is not installed.
    #[error("{program} is not installed; on Debian it comes with the package \"{package}\"")]
    Missing {
        /// The program looked for in PATH.
        program: String,
        /// The Debian package that brings it.
        package: &'static str,
    },
    /// The program could not be run, or its pipes broke.
    #[error("running {argv}: {source}")]
    Io {
        /// The command line, joined by spaces.
        argv: String,
        /// What the kernel said.
        source: std::io::Error,
    },
    /// The program ran and said no.
    #[error("{argv} failed with {status}: {stderr}")]
    Status {
        /// The command line, joined by spaces.
        argv: String,
        /// `exit status N` or `signal N`.
        status: String,
        /// Its standard error, trimmed.
        stderr: String,
    },
}

impl Command {
    /// A command line for `program`, which Debian's `package` brings.
    pub fn new(program: &str, package: &'static str) -> Command {
        Command { argv: vec![program.into()], input: None, package }
    }

    /// Adds one argument.
    #[must_use]
    pub fn arg(mut self, arg: impl Into<OsString>) -> Command {
        self.argv.push(arg.into());
        self
    }

    /// Adds several arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, args: impl IntoIterator<Item = A>) -> Command {
        self.argv.extend(args.into_iter().map(Into::into));
        self
    }

    /// Gives the program this text to read.
    #[must_use]
    pub fn input(mut self, input: impl Into<Vec<u8>>) -> Command {
        self.input = Some(input.into());
        self
    }

    /// The command line as one readable line.
    pub fn line(&self) -> String {
        self.argv.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ")
    }

    /// As [`Command::run`], under this AppArmor label.
    ///
    /// # Errors
    /// [`Failed`]; as when the kernel knows no such label.
    pub fn run_under(&self, label: &str) -> Result<Vec<u8>, Failed> {
        let refused = |error: crate::file::Error| Failed::Io { argv: self.line(), source: error.source };
        // The wish belongs to the thread, and each process that it starts has it, too: so the thread ends with this one.
        let work = || crate::apparmor::change_on_exec(label).map_err(refused).and_then(|()| self.run());
        std::thread::scope(|scope| match scope.spawn(work).join() {
            Ok(ran) => ran,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    /// Runs it to its end and gives its standard output.
    ///
    /// # Errors
    /// [`Failed`], with the program's own words where it had some.
    pub fn run(&self) -> Result<Vec<u8>, Failed> {
        let Some(input) = &self.input else {
            return self.outcome(self.spawn(Stdio::null())?);
        };
        // A program may end well without having read all of its input.
        self.run_fed(|pipe| drop(pipe.write_all(input))).map(|((), output)| output)
    }

    /// Runs it to its end while `feed` writes what it reads from standard input, and gives what `feed` gave and the
    /// program's standard output.
    ///
    /// # Errors
    /// [`Failed`]; then `feed` has seen its pipe break.
    pub fn run_fed<T>(&self, feed: impl FnOnce(&mut dyn Write) -> T) -> Result<(T, Vec<u8>), Failed> {
        let mut child = self.spawn(Stdio::piped())?;
        let pipe = child.stdin.take();
        // A thread collects what the program says, since it may fill its pipes before it has read everything.
        std::thread::scope(|scope| {
            let ending = scope.spawn(|| self.outcome(child));
            let fed = match pipe {
                Some(mut pipe) => feed(&mut pipe),
                None => feed(&mut std::io::sink()),
            };
            match ending.join() {
                Ok(outcome) => outcome.map(|output| (fed, output)),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        })
    }

    fn spawn(&self, stdin: Stdio) -> Result<Child, Failed> {
        self.start(stdin, Stdio::piped(), None)
    }

    /// Starts it, under a seccomp filter if there is one; its standard error is collected.
    pub(crate) fn start(&self, stdin: Stdio, stdout: Stdio, filter: Option<&[u8]>) -> Result<Child, Failed> {
        let mut process = Process::new(&self.argv[0]);
        process.args(&self.argv[1..]).stdin(stdin).stdout(stdout).stderr(Stdio::piped());
        // A program that outlived a killed daemon would go on writing into what the next one is cleaning up.
        crate::syscall::process::die_with_this_thread(&mut process);
        if let Some(filter) = filter {
            let refused = |source| Failed::Io { argv: self.line(), source };
            crate::syscall::process::filter_at_exec(&mut process, filter).map_err(refused)?;
        }
        process.env("LC_ALL", "C").spawn().map_err(|source| match source.kind() {
            std::io::ErrorKind::NotFound => {
                Failed::Missing { program: self.argv[0].to_string_lossy().into_owned(), package: self.package }
            }
            _ => Failed::Io { argv: self.line(), source },
        })
    }

    /// Waits for the end of the program and judges it.
    pub(crate) fn outcome(&self, child: Child) -> Result<Vec<u8>, Failed> {
        let output = child.wait_with_output().map_err(|source| Failed::Io { argv: self.line(), source })?;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let status = match (output.status.code(), output.status.signal()) {
            (Some(code), _) => format!("exit status {code}"),
            (None, Some(signal)) => format!("signal {signal}"),
            (None, None) => "an unknown status".to_string(),
        };
        Err(Failed::Status {
            argv: self.line(),
            status,
            stderr: String::from_utf8_lossy(&output.stderr).trim().to_string(),
        })
    }

    /// Where the program is, looked up in PATH as the shell does; `None` when it is not installed.
    pub fn find(&self) -> Option<PathBuf> {
        let program = PathBuf::from(&self.argv[0]);
        if program.components().count() > 1 {
            return program.is_file().then_some(program);
        }
        std::env::split_paths(&std::env::var_os("PATH")?).map(|dir| dir.join(&program)).find(|path| path.is_file())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_goes_in_and_output_comes_out() {
        let text = "x".repeat(300_000);
        let out = Command::new("cat", "coreutils").input(text.clone()).run().expect("cat works");
        assert_eq!(out, text.as_bytes());
    }

    #[test]
    fn failures_tell_their_story() {
        let missing = Command::new("no-such-program", "some-package").run().unwrap_err();
        assert_eq!(
            missing.to_string(),
            "no-such-program is not installed; on Debian it comes with the package \"some-package\""
        );
        let failed = Command::new("sh", "dash").args(["-c", "echo no >&2; exit 3"]).run().unwrap_err();
        assert_eq!(failed.to_string(), "sh -c echo no >&2; exit 3 failed with exit status 3: no");
    }
}
