//! The SFTP server: whatever a client asks, nothing outside of the root is touched.

use corten_files::tree::{Links, Tree};
use corten_files::{server, wire};
use corten_host::rooted::Rooted;

use crate::scratch;

/// What the file beside the root holds.
const SECRET: &[u8] = b"untouched";

pub fn run(data: &[u8]) {
    let folder = scratch::folder("sftp");
    let root = folder.join("root");
    std::fs::create_dir_all(root.join("etc")).expect("a root");
    std::fs::write(root.join("etc/hosts"), "localhost").expect("a file");
    std::fs::write(folder.join("secret"), SECRET).expect("a file beside it");
    std::os::unix::fs::symlink("../../secret", root.join("etc/out")).expect("a link");
    let tree = Tree::new(Rooted::open(&root).expect("opened"), Links::open().expect("/proc"), None);
    let mut answers = Vec::new();
    let _ = server::serve(&tree, packets(data).as_slice(), &mut answers);
    let mut rest = answers.as_slice();
    let mut packet = Vec::new();
    while wire::read_packet(&mut rest, &mut packet).expect("whole answers") {}
    // What a client says itself it may hear again.
    assert!(contains(data, SECRET) || !contains(&answers, SECRET), "a file outside of the root was read");
    assert_eq!(std::fs::read(folder.join("secret")).expect("still there"), SECRET);
    assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 2);
}

/// A greeting, and the bytes cut into packets by the byte 0xfe: their lengths need not be guessed.
fn packets(data: &[u8]) -> Vec<u8> {
    let mut out = wire::Packet::new(wire::kind::INIT).number(3).done();
    for packet in data.split(|byte| *byte == 0xfe).filter(|packet| !packet.is_empty()) {
        out.extend_from_slice(&u32::try_from(packet.len()).expect("short").to_be_bytes());
        out.extend_from_slice(packet);
    }
    out
}

fn contains(text: &[u8], what: &[u8]) -> bool {
    text.windows(what.len()).any(|window| window == what)
}
