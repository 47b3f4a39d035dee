//! The server and the client against each other, on a tree of this host.

use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;

use corten_host::idmap::IdMap;
use corten_host::rooted::Rooted;

use crate::client::{Client, Failure};
use crate::transfer::{self, Reading};
use crate::tree::{Links, Tree};
use crate::wire::{PIECE, open, status};
use crate::{Attributes, server};

struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("corten-files-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        std::fs::create_dir_all(path.join("root")).expect("a folder for the test");
        std::fs::write(path.join("secret"), "outside").expect("written");
        Scratch(path)
    }

    fn root(&self) -> PathBuf {
        self.0.join("root")
    }

    fn connect(&self, map: Option<IdMap>) -> Client {
        let root = self.root();
        Client::greet(self.serve(root, map).into(), Duration::from_secs(20)).expect("greeted")
    }

    fn serve(&self, root: PathBuf, map: Option<IdMap>) -> UnixStream {
        let (ours, theirs) = UnixStream::pair().expect("a pair");
        std::thread::spawn(move || {
            let tree = Tree::new(Rooted::open(&root).expect("a root"), Links::open().expect("/proc"), map);
            let _ = server::serve(&tree, &theirs, &theirs);
        });
        ours
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn put(client: &mut Client, path: &str, flags: u32, mut content: &[u8]) -> Result<(), Failure> {
    let handle = client.open(Path::new(path), open::WRITE | flags)?;
    transfer::write(client, &handle, 0, &mut content).expect("transferred");
    client.close(&handle)
}

fn get(mut client: Client, path: &str) -> Vec<u8> {
    let handle = client.open(Path::new(path), open::READ).expect("opened");
    let mut content = Vec::new();
    Reading::new(client, handle).read_to_end(&mut content).expect("read");
    content
}

#[test]
fn files_of_every_size_come_and_go() {
    let scratch = Scratch::new("sizes");
    for size in [0, 1, PIECE - 1, PIECE, PIECE + 1, 5 * PIECE, 7 * PIECE + 77] {
        let content: Vec<u8> = (0..=250u8).cycle().take(size).collect();
        put(&mut scratch.connect(None), "/f", open::CREATE | open::TRUNCATE, &content).expect("put");
        assert_eq!(std::fs::read(scratch.root().join("f")).expect("there"), content, "{size}");
        assert!(get(scratch.connect(None), "f") == content, "{size}");
    }
}

#[test]
fn nothing_leads_out_of_the_root() {
    let scratch = Scratch::new("out");
    let root = scratch.root();
    for (link, target) in [
        ("absolute", scratch.0.join("secret")),
        ("relative", "../secret".into()),
        ("kernel", PathBuf::from("/proc/self/root/etc")),
        ("up", "..".into()),
    ] {
        symlink(target, root.join(link)).expect("linked");
    }
    let mut client = scratch.connect(None);
    for path in ["/../secret", "../../secret", "absolute", "relative", "up/secret", "kernel/passwd"] {
        assert!(client.stat(Path::new(path)).is_err_and(|failure| failure.is_not_found()), "{path}");
        assert!(client.open(Path::new(path), open::READ).is_err(), "{path}");
    }
    put(&mut client, "relative", open::CREATE, b"inside").expect("made within the root");
    assert_eq!(std::fs::read_to_string(root.join("secret")).expect("there"), "inside");
    assert_eq!(std::fs::read_to_string(scratch.0.join("secret")).expect("there"), "outside");
}

#[test]
fn only_regular_files_are_opened() {
    let scratch = Scratch::new("kinds");
    let root = scratch.root();
    rustix::fs::mknodat(
        rustix::fs::CWD,
        root.join("fifo"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o644),
        0,
    )
    .expect("a fifo");
    let _listener = std::os::unix::net::UnixListener::bind(root.join("socket")).expect("a socket");
    std::fs::create_dir(root.join("folder")).expect("made");
    let mut client = scratch.connect(None);
    for path in ["fifo", "socket", "folder"] {
        for flags in [open::READ, open::WRITE, open::WRITE | open::CREATE | open::TRUNCATE] {
            let failure = client.open(Path::new(path), flags).expect_err(path);
            assert!(matches!(failure, Failure::Refused(status::FAILURE, _)), "{path}: {failure}");
        }
    }
}

#[test]
fn names_links_and_attributes() {
    let scratch = Scratch::new("names");
    let mut client = scratch.connect(None);
    let path = Path::new;
    client.mkdir(path("d")).expect("made");
    client.mkdir(path("d")).expect_err("there already");
    client.symlink(path("d/x"), path("l")).expect("linked");
    assert_eq!(client.read_link(path("l")).expect("a link"), path("d/x"));
    put(&mut client, "l", open::CREATE, b"through a link").expect("put");
    let mut names = client.list(path("/")).expect("listed");
    names.sort();
    assert_eq!(names, ["d", "l"]);
    let wanted = Attributes { mode: Some(0o640), times: Some((5, 6)), size: Some(7), ..Attributes::default() };
    client.change_at(path("l"), &wanted).expect("changed");
    let found = client.stat(path("d/x")).expect("there");
    assert_eq!((found.permissions(), found.times, found.size), (Some(0o640), Some((5, 6)), Some(7)));
    let mode = std::fs::metadata(scratch.root().join("d/x")).expect("there").permissions().mode();
    assert_eq!(mode & 0o7777, 0o640);
    assert!(client.remove(path("d"), true).is_err(), "it is not empty");
    client.remove(path("d/x"), false).expect("removed");
    client.remove(path("d"), true).expect("removed");
    assert!(client.lstat(path("d")).is_err_and(|failure| failure.is_not_found()));
    // More entries than one packet carries.
    for number in 0..600 {
        std::fs::write(scratch.root().join(format!("n{number}")), "").expect("written");
    }
    assert_eq!(client.list(path("/")).expect("listed").len(), 601);
}

#[test]
fn ids_are_shifted_both_ways() {
    if !rustix::process::geteuid().is_root() {
        return;
    }
    use std::os::unix::fs::MetadataExt;
    let scratch = Scratch::new("ids");
    let mut client = scratch.connect(Some(IdMap::both(100_000, 1000)));
    put(&mut client, "f", open::CREATE, b"x").expect("put");
    client.mkdir(Path::new("d")).expect("made");
    let owner = |name: &str| {
        let found = std::fs::metadata(scratch.root().join(name)).expect("there");
        (found.uid(), found.gid())
    };
    assert_eq!((owner("f"), owner("d")), ((100_000, 100_000), (100_000, 100_000)));
    client.change_at(Path::new("f"), &Attributes { owner: Some((7, 8)), ..Attributes::default() }).expect("changed");
    assert_eq!(owner("f"), (100_007, 100_008));
    assert_eq!(client.stat(Path::new("f")).expect("there").owner, Some((7, 8)));
    let beyond = Attributes { owner: Some((5000, 0)), ..Attributes::default() };
    client.change_at(Path::new("f"), &beyond).expect_err("no such user inside");
    std::fs::write(scratch.root().join("host"), "").expect("written");
    assert_eq!(client.stat(Path::new("host")).expect("there").owner, Some((65534, 65534)));
}

#[test]
fn a_connection_is_good_for_more_after_a_transfer_that_failed() {
    struct Broken(usize);
    impl Read for Broken {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            if self.0 == 0 {
                return Err(std::io::Error::other("cut"));
            }
            let count = into.len().min(self.0);
            self.0 -= count;
            Ok(count)
        }
    }
    let scratch = Scratch::new("broken");
    std::fs::write(scratch.root().join("f"), "").expect("written");
    let mut client = scratch.connect(None);
    let handle = client.open(Path::new("f"), open::WRITE).expect("opened");
    let cut = transfer::write(&mut client, &handle, 0, &mut Broken(3 * PIECE)).expect_err("the source broke");
    assert!(matches!(cut, transfer::Cut::Source(_)));
    client.stat(Path::new("f")).expect("answered");
    // A handle that does not write.
    let handle = client.open(Path::new("f"), open::READ).expect("opened");
    let cut = transfer::write(&mut client, &handle, 0, &mut std::io::repeat(1).take(9 * PIECE as u64));
    assert!(matches!(cut, Err(transfer::Cut::Files(Failure::Refused(..)))));
    client.stat(Path::new("f")).expect("answered");
}

#[test]
fn nonsense_ends_the_connection_and_nothing_else() {
    let scratch = Scratch::new("nonsense");
    for bytes in [&b"GET / HTTP/1.1\r\n\r\n"[..], &[0, 0, 0, 1, 77], &[0, 0, 0, 5, 1, 0, 0, 0, 3, 0, 0, 0, 1, 3]] {
        let mut stream = scratch.serve(scratch.root(), None);
        stream.write_all(bytes).expect("sent");
        stream.shutdown(std::net::Shutdown::Write).expect("closed");
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        assert!(all.len() < 300, "{all:?}");
    }
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config::with_cases(64))]
    #[test]
    fn any_request_is_answered(requests: Vec<(u8, Vec<u8>)>) {
        let scratch = Scratch::new("any");
        let mut stream = scratch.serve(scratch.root(), None);
        let mut said = vec![0, 0, 0, 5, 1, 0, 0, 0, 3];
        for (number, (kind, body)) in requests.iter().enumerate() {
            said.extend_from_slice(&u32::try_from(body.len() + 5).unwrap().to_be_bytes());
            said.push(*kind);
            said.extend_from_slice(&u32::try_from(number).unwrap().to_be_bytes());
            said.extend_from_slice(body);
        }
        stream.write_all(&said).expect("sent");
        stream.shutdown(std::net::Shutdown::Write).expect("closed");
        let (mut answers, mut packet) = (0, Vec::new());
        while crate::wire::read_packet(&mut stream, &mut packet).expect("whole packets") {
            answers += 1;
        }
        assert_eq!(answers, requests.len() + 1);
    }
}
