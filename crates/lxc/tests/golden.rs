//! Commands against replies recorded from LXD 5.0.2: each must send what LXD's own client sent, and print what that
//! printed. `testdata/golden.json` holds both.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};

use serde::Deserialize;
use serde_json::{Value, json};

/// Replies by method, path and query.
type Pages = BTreeMap<String, Page>;

#[derive(Deserialize)]
struct Golden {
    /// What is answered in all runs.
    pages: Pages,
    runs: Vec<Run>,
}

#[derive(Clone, Deserialize)]
struct Page {
    status: u16,
    etag: String,
    /// What the request brought.
    sent: Value,
    body: Value,
}

/// One command line and what LXD's client did.
#[derive(Deserialize)]
struct Run {
    line: Vec<String>,
    stdin: String,
    pages: Pages,
    status: i32,
    out: String,
    err: String,
}

/// JSON without what means nothing: nulls, and empty texts, lists and objects. (An empty text in a configuration means
/// something, but there LXD's client and ours must both send the key.)
fn substance(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let entries = map.iter().map(|(key, value)| (key.clone(), substance(value)));
            Value::Object(entries.filter(|(key, value)| !is_empty(value) || key.contains('.')).collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(substance).collect()),
        other => other.clone(),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        Value::Bool(true) | Value::Number(_) => false,
    }
}

/// Path and query with the parameters in order, without empty ones.
fn normal(path: &str) -> String {
    let (path, query) = path.split_once('?').unwrap_or((path, ""));
    let mut parameters: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty() && !pair.ends_with('=')).collect();
    parameters.sort_unstable();
    format!("{path}?{}", parameters.join("&"))
}

/// Answers requests from the recorded pages until the client hangs up.
fn serve(stream: UnixStream, pages: &Pages) -> std::io::Result<()> {
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
        let mut content = vec![0; length];
        lines.read_exact(&mut content)?;
        let mut words = request.split(' ');
        let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let sent = substance(&serde_json::from_slice(&content).unwrap_or_default());
        let complaint =
            |text: String| (400, "", json!({"type": "error", "error": text, "error_code": 400}).to_string());
        let (status, etag, body) = match pages.get(&format!("{method} {}", normal(path))) {
            None => complaint(format!("not recorded: {method} {path}")),
            Some(page) if substance(&page.sent) != sent => {
                complaint(format!("{method} {path} should bring {}, not {sent}", substance(&page.sent)))
            }
            Some(page) => (page.status, page.etag.as_str(), page.body.to_string()),
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

fn run(expected: &Run, folder: &Path) -> (i32, String, String) {
    let mut client = Command::new(env!("CARGO_BIN_EXE_lxc"))
        .args(&expected.line)
        .env_clear()
        .env("LXD_DIR", folder)
        .env("LXD_CONF", folder.join("client"))
        .env("TZ", "UTC")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the client runs");
    let mut stdin = client.stdin.take().expect("standard input is a pipe");
    // A client that needs no input may have closed it already.
    let _ = stdin.write_all(expected.stdin.as_bytes());
    drop(stdin);
    let done = client.wait_with_output().expect("the client ends");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("the client prints text");
    (done.status.code().unwrap_or(-1), text(done.stdout), text(done.stderr))
}

#[test]
fn commands_do_what_lxds_own_client_does() {
    let golden: Golden = serde_json::from_str(include_str!("../testdata/golden.json")).expect("the recording is JSON");
    let folder = Folder(std::env::temp_dir().join(format!("lxc-golden-{}", std::process::id())));
    std::fs::create_dir_all(folder.0.join("client")).expect("a folder can be made");
    std::fs::write(folder.0.join("client/config.yml"), "default-remote: local\nremotes: {}\naliases: {}\n")
        .expect("a file can be written");
    let listener = UnixListener::bind(folder.0.join("unix.socket")).expect("a socket can be bound");
    let pages: Arc<Mutex<Arc<Pages>>> = Arc::default();
    let served = Arc::clone(&pages);
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let pages = Arc::clone(&served.lock().expect("nobody panicked with it"));
            std::thread::spawn(move || serve(stream, &pages));
        }
    });
    let mut different = String::new();
    for expected in &golden.runs {
        let all = golden.pages.iter().chain(&expected.pages);
        let normalized = all.map(|(request, page)| {
            let (method, path) = request.split_once(' ').expect("a method and a path");
            (format!("{method} {}", normal(path)), page.clone())
        });
        *pages.lock().expect("nobody panicked with it") = Arc::new(normalized.collect());
        let (status, out, err) = run(expected, &folder.0);
        if (status, &out, &err) != (expected.status, &expected.out, &expected.err) {
            let line = expected.line.join(" ");
            let Run { status: wanted, out: wanted_out, err: wanted_err, .. } = expected;
            different.push_str(&format!(
                "lxc {line}\nexpected {wanted}:\n{wanted_out}{wanted_err}\ngot {status}:\n{out}{err}\n"
            ));
        }
    }
    assert!(different.is_empty(), "{different}");
}
