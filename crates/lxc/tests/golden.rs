//! Commands that only show something, against replies recorded from LXD 5.0.2: each must print what LXD's own client
//! printed for the same replies. `testdata/golden.json` holds both.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

#[derive(Deserialize)]
struct Golden {
    /// Replies to GET requests, by path and query.
    pages: BTreeMap<String, Page>,
    runs: Vec<Run>,
}

#[derive(Deserialize)]
struct Page {
    status: u16,
    etag: String,
    body: Value,
}

/// One command line and what LXD's client did.
#[derive(Deserialize)]
struct Run {
    line: Vec<String>,
    status: i32,
    out: String,
    err: String,
}

/// Path and query with the parameters in order, without empty ones.
fn normal(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut parameters: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && !pair.ends_with('=')).collect();
    parameters.sort_unstable();
    format!("{path}?{}", parameters.join("&"))
}

/// Answers GET requests from the recorded pages until the client hangs up.
fn serve(stream: UnixStream, pages: &BTreeMap<String, Page>) -> std::io::Result<()> {
    let mut out = stream.try_clone()?;
    let mut lines = BufReader::new(stream);
    loop {
        let mut request = String::new();
        if lines.read_line(&mut request)? == 0 {
            return Ok(());
        }
        let mut length = 0;
        loop {
            let mut header = String::new();
            lines.read_line(&mut header)?;
            let header = header.trim_end().to_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length: ") {
                length = value.parse().unwrap_or(0);
            }
        }
        lines.read_exact(&mut vec![0; length])?;
        let path = request.split(' ').nth(1).unwrap_or_default();
        let (status, etag, body) = match pages.get(&normal(path)) {
            Some(page) => (page.status, page.etag.as_str(), page.body.to_string()),
            None => (404, "", format!("{{\"type\":\"error\",\"error\":\"not recorded: {path}\",\"error_code\":404}}")),
        };
        let length = body.len();
        write!(
            out,
            "HTTP/1.1 {status} Recorded\r\ncontent-type: application/json\r\netag: {etag}\r\ncontent-length: {length}\r\n\r\n{body}"
        )?;
    }
}

/// A folder that is removed in the end.
struct Folder(std::path::PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn run(line: &[String], folder: &Path) -> (i32, String, String) {
    let done = Command::new(env!("CARGO_BIN_EXE_lxc"))
        .args(line)
        .env_clear()
        .env("LXD_DIR", folder)
        .env("LXD_CONF", folder.join("client"))
        .env("TZ", "UTC")
        .stdin(Stdio::null())
        .output()
        .expect("the client runs");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the client prints text");
    (done.status.code().unwrap_or(-1), text(done.stdout), text(done.stderr))
}

#[test]
fn commands_show_what_lxds_own_client_shows() {
    let golden: Golden = serde_json::from_str(include_str!("../testdata/golden.json")).expect("the recording is JSON");
    let pages: Arc<BTreeMap<String, Page>> =
        Arc::new(golden.pages.into_iter().map(|(path, page)| (normal(&path), page)).collect());
    let folder = Folder(std::env::temp_dir().join(format!("lxc-golden-{}", std::process::id())));
    std::fs::create_dir_all(folder.0.join("client")).expect("a folder can be made");
    std::fs::write(folder.0.join("client/config.yml"), "default-remote: local\nremotes: {}\naliases: {}\n")
        .expect("a file can be written");
    let listener = UnixListener::bind(folder.0.join("unix.socket")).expect("a socket can be bound");
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let pages = Arc::clone(&pages);
            std::thread::spawn(move || serve(stream, &pages));
        }
    });
    let mut different = String::new();
    for expected in &golden.runs {
        let (status, out, err) = run(&expected.line, &folder.0);
        if (status, &out, &err) != (expected.status, &expected.out, &expected.err) {
            different.push_str(&format!(
                "lxc {}\nexpected {}:\n{}{}\ngot {status}:\n{out}{err}\n",
                expected.line.join(" "),
                expected.status,
                expected.out,
                expected.err
            ));
        }
    }
    assert!(different.is_empty(), "{different}");
}
