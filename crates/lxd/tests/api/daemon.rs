//! A daemon for one test, and a client that shows every byte.

use serde_json::Value;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Whether this process may start daemons.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// A running daemon; it ends, and its folder goes, with this value.
pub struct Daemon {
    dir: PathBuf,
    process: Child,
}

static NUMBER: AtomicU32 = AtomicU32::new(0);

impl Daemon {
    /// Starts one in a folder of its own.
    pub fn start() -> Daemon {
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let dir = std::env::temp_dir().join(format!("corten-api-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("a folder");
        let daemon = Daemon { process: Daemon::spawn(&dir), dir };
        daemon.wait_ready();
        daemon
    }

    fn spawn(dir: &PathBuf) -> Child {
        let log = std::fs::File::create(dir.join("test.log")).expect("a log");
        // Bridges and mounts of a daemon under test stay in namespaces of its own.
        Command::new("unshare")
            .args([
                "--net",
                "--mount",
                "--propagation",
                "private",
                "sh",
                "-c",
                "ip link set lo up; exec \"$0\" --debug",
            ])
            .arg(env!("CARGO_BIN_EXE_lxd"))
            .env("LXD_DIR", dir)
            .stderr(Stdio::from(log))
            .spawn()
            .expect("the daemon starts")
    }

    fn wait_ready(&self) {
        let out = self.run(&["waitready", "-t", "20"]);
        let log = || std::fs::read_to_string(self.dir.join("test.log")).unwrap_or_default();
        assert!(out.status.success(), "not ready: {}", log());
    }

    fn stop(&mut self) {
        let pid = i32::try_from(self.process.id()).ok().and_then(rustix::process::Pid::from_raw);
        if let Some(pid) = pid.filter(|_| matches!(self.process.try_wait(), Ok(None))) {
            let _ = rustix::process::kill_process(pid, rustix::process::Signal::TERM);
        }
        let deadline = Instant::now() + Duration::from_secs(10);
        while Instant::now() < deadline && matches!(self.process.try_wait(), Ok(None)) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Ends the daemon and starts it again in the same folder.
    pub fn restart(&mut self) {
        self.stop();
        self.process = Daemon::spawn(&self.dir);
        self.wait_ready();
    }

    fn run(&self, arguments: &[&str]) -> std::process::Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lxd"));
        command.args(arguments).env("LXD_DIR", &self.dir).output().expect("it runs")
    }

    /// What a subcommand of `lxd` prints.
    pub fn command(&self, arguments: &[&str]) -> String {
        let out = self.run(arguments);
        assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).expect("text")
    }

    /// A connection to the unix socket.
    pub fn connect(&self) -> Connection {
        let stream = UnixStream::connect(self.dir.join("unix.socket")).expect("it listens");
        Connection(BufReader::new(stream))
    }

    /// One request on a connection of its own.
    pub fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        self.connect().ask(method, path, body, &[])
    }

    /// As [`Daemon::ask`], with headers.
    pub fn ask_with(&self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        self.connect().ask(method, path, body, headers)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.stop();
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(self.dir.join("test.log")).unwrap_or_default());
        }
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

/// A connection that is kept alive.
pub struct Connection(pub BufReader<UnixStream>);

impl Connection {
    /// Sends a request and reads its answer.
    pub fn ask(&mut self, method: &str, path: &str, body: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = format!("{method} {path} HTTP/1.1\r\nHost: localhost:None\r\n");
        for (name, value) in headers {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            request.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        request.push_str("\r\n");
        self.0.get_mut().write_all(request.as_bytes()).expect("sent");
        // A server may refuse a body before it has read all of it.
        let _ = self.0.get_mut().write_all(body.as_bytes());
        self.answer()
    }

    /// Reads an answer.
    pub fn answer(&mut self) -> Answer {
        let mut line = || {
            let mut line = String::new();
            self.0.read_line(&mut line).expect("a line");
            line.trim_end().to_string()
        };
        let status = line().split(' ').nth(1).expect("a status").parse().expect("a number");
        let mut headers = Vec::new();
        loop {
            let line = line();
            let Some((name, value)) = line.split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_string()));
        }
        let mut answer = Answer { status, headers, body: Vec::new() };
        let length: u64 = answer.header("content-length").parse().unwrap_or(0);
        self.0.by_ref().take(length).read_to_end(&mut answer.body).expect("a body");
        answer
    }
}

/// An answer.
pub struct Answer {
    /// The status.
    pub status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    /// A header; empty when it is not there.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }

    /// The body as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// The error in the envelope.
    pub fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_string()
    }
}
