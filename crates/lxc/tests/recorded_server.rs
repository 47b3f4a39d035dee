//! The program against a server that answers from recordings, compared with what LXD's client printed for them.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Arc, Mutex};

/// What the server says to paths (without queries), and what it was asked.
struct Server {
    folder: PathBuf,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn new(name: &str, replies: &[(&str, String)]) -> Server {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        // The configuration is there: this user is not new.
        std::fs::write(folder.join("config.yml"), "").unwrap();
        let listener = UnixListener::bind(folder.join("unix.socket")).unwrap();
        let replies: BTreeMap<String, String> =
            replies.iter().map(|(path, reply)| ((*path).to_owned(), reply.clone())).collect();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = asked.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (replies, log) = (replies.clone(), log.clone());
                std::thread::spawn(move || serve(stream.unwrap(), &replies, &log));
            }
        });
        Server { folder, asked }
    }

    fn lxc(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_lxc"))
            .args(words)
            .env_clear()
            .env("TZ", "UTC")
            .env("LXD_CONF", &self.folder)
            .env("LXD_DIR", &self.folder)
            .env("LXD_GLOBAL_CONF", "/nonexistent/etc")
            .stdin(std::process::Stdio::null())
            .output()
            .unwrap()
    }

    fn prints(&self, words: &[&str], want: &str) {
        let output = self.lxc(words);
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), want, "{words:?}");
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// One connection, kept for as many requests as come.
fn serve(stream: UnixStream, replies: &BTreeMap<String, String>, log: &Mutex<Vec<String>>) {
    let mut lines = BufReader::new(stream.try_clone().unwrap());
    let mut stream = stream;
    loop {
        let (mut first, mut length) = (String::new(), 0);
        if lines.read_line(&mut first).unwrap_or(0) == 0 {
            return;
        }
        loop {
            let mut line = String::new();
            lines.read_line(&mut line).unwrap();
            if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        lines.read_exact(&mut body).unwrap();
        let mut words = first.split_whitespace();
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        log.lock().unwrap().push(format!("{method} {path} {}", String::from_utf8_lossy(&body)).trim_end().to_owned());
        let found = replies.get(path.split('?').next().unwrap());
        let (status, reply) = match found {
            Some(metadata) => (
                200,
                format!(r#"{{"type":"sync","status":"Success","status_code":200,"operation":"","error_code":0,"error":"","metadata":{metadata}}}"#),
            ),
            None => (
                404,
                r#"{"type":"error","status":"","status_code":0,"operation":"","error_code":404,"error":"Instance not found","metadata":null}"#
                    .to_owned(),
            ),
        };
        let head =
            format!("HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", reply.len());
        if stream.write_all((head + &reply).as_bytes()).is_err() {
            return;
        }
    }
}

fn recorded(name: &str) -> Server {
    let instances = include_str!("../testdata/instances.json");
    let all: Vec<serde_json::Value> = serde_json::from_str(instances).unwrap();
    let image = include_str!("../testdata/image.json");
    Server::new(
        name,
        &[
            (
                "/1.0",
                r#"{"api_extensions":[],"environment":{"server_version":"5.0.2","server_clustered":false}}"#.to_owned(),
            ),
            ("/1.0/instances", instances.to_owned()),
            ("/1.0/instances/c10", all[2].to_string()),
            ("/1.0/images", format!("[{image}]")),
            ("/1.0/images/x", image.to_owned()),
        ],
    )
}

#[test]
fn lists_are_printed_as_lxd_prints_them() {
    let server = recorded("lists");
    server.prints(&["list"], include_str!("../testdata/list-table.txt"));
    server.prints(&["ls", "local:", "-c", "nt", "--format=compact"], include_str!("../testdata/list-compact.txt"));
    server.prints(&["image", "list"], include_str!("../testdata/image-list.txt"));
    server.prints(&["image", "info", "x"], include_str!("../testdata/image-info.txt"));
    server.prints(&["info", "c10"], include_str!("../testdata/info.txt"));
    server.prints(&["list", "c3", "-c", "n", "-f", "csv"], "c3\n");
}

#[test]
fn only_what_is_shown_is_asked_for() {
    let server = recorded("asked");
    server.prints(&["list", "-c", "n", "-f", "csv", "type=container", "c3"], "c3\n");
    server.lxc(&["--project", "p q", "list", "-c", "n4"]);
    server.lxc(&["list", "-c", "n", "--all-projects"]);
    server.lxc(&["list"]);
    assert_eq!(
        *server.asked.lock().unwrap(),
        [
            "GET /1.0/instances?filter=type+eq+container&recursion=1",
            "GET /1.0/instances?filter=&recursion=2&project=p+q",
            "GET /1.0/instances?filter=&recursion=1&all-projects=true",
            "GET /1.0/instances?filter=&recursion=2",
        ]
    );
}

#[test]
fn replies_and_refusals_are_passed_on() {
    let server = recorded("replies");
    server.prints(&["query", "/1.0/images/x?a=b"], &{
        let image: serde_json::Value = serde_json::from_str(include_str!("../testdata/image.json")).unwrap();
        let mut text = Vec::new();
        let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
        let mut to = serde_json::Serializer::with_formatter(&mut text, formatter);
        serde::Serialize::serialize(&image, &mut to).unwrap();
        String::from_utf8(text).unwrap() + "\n\n"
    });
    server.prints(&["version"], "Client version: 5.0.2\nServer version: 5.0.2\n");
    let output = server.lxc(&["start", "nosuch"]);
    assert_eq!(String::from_utf8_lossy(&output.stderr), "Error: Instance not found\n");
    assert_eq!(output.status.code(), Some(1));
    let output = server.lxc(&["delete", "nosuch"]);
    let want = "Error: Failed checking instance exists \"local:nosuch\": Instance not found\n";
    assert_eq!(String::from_utf8_lossy(&output.stderr), want);
}
