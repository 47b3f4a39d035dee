//! A tree goes through an archive and comes out the same, here and through GNU tar.

use super::*;
use crate::unpack::{self, Devices, Options};
use corten_host::command::Command;
use corten_host::rooted::{Rooted, remove};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

fn scratch(name: &str) -> PathBuf {
    let base = std::env::temp_dir().join(format!("corten-pack-{name}-{}", std::process::id()));
    remove::tree(&base).expect("removed");
    fs::create_dir_all(base.join("tree/sub")).expect("made");
    base
}

fn make_tree(tree: &Path) {
    fs::write(tree.join("sub/file"), "text").expect("written");
    fs::set_permissions(tree.join("sub/file"), fs::Permissions::from_mode(0o4711)).expect("set");
    fs::hard_link(tree.join("sub/file"), tree.join("a-second-name")).expect("linked");
    symlink("../../x".repeat(40), tree.join("link")).expect("linked");
    fs::write(tree.join("n".repeat(200)), "long").expect("written");
    let sparse = fs::File::create(tree.join("sparse")).expect("made");
    sparse.set_len(1 << 33).expect("set");
    std::os::unix::fs::FileExt::write_all_at(&sparse, b"end", (1 << 33) - 3).expect("written");
    let _socket = std::os::unix::net::UnixListener::bind(tree.join("socket")).expect("bound");
    rustix::fs::mkfifoat(rustix::fs::CWD, tree.join("fifo"), Mode::from_raw_mode(0o600)).expect("made");
}

fn pack(tree: &Path) -> Vec<u8> {
    let mut pack = Pack::new(Vec::new(), None, Watch::default());
    pack.tree(tree, Path::new("rootfs")).expect("packed");
    pack.file(Path::new("metadata.yaml"), b"a: b\n", 0o644, 7).expect("packed");
    pack.finish().expect("packed")
}

#[test]
fn a_dense_archive_has_the_zeros_of_holes() {
    let base = scratch("dense");
    let file = fs::File::create(base.join("tree/holes")).expect("made");
    file.set_len(1 << 20).expect("set");
    let packed = |dense: bool| {
        let mut pack = Pack::new(Vec::new(), None, Watch::default());
        let pack_into = if dense { pack.dense() } else { &mut pack };
        pack_into.tree(&base.join("tree"), Path::new("tree")).expect("packed");
        pack.finish().expect("packed").len()
    };
    assert!(packed(false) < 10_000 && packed(true) > 1 << 20);
    remove::tree(&base).expect("removed");
}

/// Path, mode, size, blocks taken or not, time and link of everything below.
fn look(tree: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut waiting = vec![tree.to_path_buf()];
    while let Some(path) = waiting.pop() {
        let metadata = fs::symlink_metadata(&path).expect("there");
        let link = fs::read_link(&path).unwrap_or_default();
        let relative = path.strip_prefix(tree).expect("below").display();
        let size = if metadata.is_dir() { 0 } else { metadata.size() };
        let (mode, owner) = (metadata.mode(), (metadata.uid(), metadata.gid()));
        let sparse = metadata.blocks() * 512 < size;
        let time = (metadata.mtime(), metadata.mtime_nsec());
        lines.push(format!("{relative} {mode:o} {owner:?} {size} {sparse} {time:?} {}", link.display()));
        if metadata.is_dir() {
            waiting.extend(fs::read_dir(&path).expect("readable").map(|entry| entry.expect("readable").path()));
        }
    }
    lines.retain(|line| !line.starts_with("socket"));
    lines.sort();
    lines
}

#[test]
fn a_tree_comes_out_as_it_went_in() {
    let base = scratch("same");
    make_tree(&base.join("tree"));
    let archive = pack(&base.join("tree"));
    assert!(archive.len() < 100_000, "holes are not stored");
    assert_eq!(archive, pack(&base.join("tree")), "the same bytes each time");
    fs::create_dir(base.join("out")).expect("made");
    let root = Rooted::open(&base.join("out")).expect("there");
    let options = Options { devices: Devices::All, ..Options::default() };
    unpack::stream(&archive[..], &root, &options, Watch::default()).expect("unpacked");
    assert_eq!(look(&base.join("out/rootfs")), look(&base.join("tree")));
    let inode = |name: &str| fs::metadata(base.join("out/rootfs").join(name)).expect("there").ino();
    assert_eq!(inode("sub/file"), inode("a-second-name"));
    fs::create_dir(base.join("gnu")).expect("made");
    let tar = Command::new("tar", "tar").args(["-xpf", "-", "-C"]).arg(base.join("gnu")).input(archive);
    tar.run().expect("GNU tar reads it");
    assert_eq!(look(&base.join("gnu/rootfs")), look(&base.join("tree")));
    assert_eq!(fs::read_to_string(base.join("gnu/metadata.yaml")).expect("there"), "a: b\n");
    remove::tree(&base).expect("removed");
}
