//! Everything a tree can have is copied.

use super::*;
use corten_host::rooted::remove;
use std::fs;
use std::os::unix::fs::{FileExt, MetadataExt, PermissionsExt, symlink};
use std::path::PathBuf;

fn scratch(name: &str) -> PathBuf {
    let base = std::env::temp_dir().join(format!("corten-copy-{name}-{}", std::process::id()));
    remove::tree(&base).expect("removed");
    fs::create_dir_all(base.join("from")).expect("made");
    fs::create_dir_all(base.join("to")).expect("made");
    base
}

/// Path, mode, owner, size, holes, times and link of everything below, sockets left out.
fn look(tree: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut waiting = vec![tree.to_path_buf()];
    while let Some(path) = waiting.pop() {
        let metadata = fs::symlink_metadata(&path).expect("there");
        let link = fs::read_link(&path).unwrap_or_default();
        let relative = path.strip_prefix(tree).expect("below").display();
        let size = if metadata.is_dir() { 0 } else { metadata.size() };
        let numbers = (metadata.mode(), metadata.uid(), metadata.gid(), metadata.mtime(), metadata.mtime_nsec());
        lines.push(format!("{relative} {numbers:?} {size} {} {}", metadata.blocks() * 512 < size, link.display()));
        if metadata.is_dir() {
            waiting.extend(fs::read_dir(&path).expect("readable").map(|entry| entry.expect("readable").path()));
        }
    }
    lines.retain(|line| !line.starts_with("socket"));
    lines.sort();
    lines
}

#[test]
fn a_copy_is_the_same() {
    let base = scratch("same");
    let from = base.join("from");
    for directory in 0..20u8 {
        let path = from.join(format!("d{directory}/sub"));
        fs::create_dir_all(&path).expect("made");
        for file in 0..20usize {
            fs::write(path.join(format!("f{file}")), vec![directory; 100 * file]).expect("written");
        }
        if directory > 0 {
            fs::hard_link(from.join("d0/sub/f9"), path.join("linked")).expect("linked");
        }
    }
    fs::set_permissions(from.join("d0/sub/f1"), fs::Permissions::from_mode(0o6755)).expect("set");
    fs::set_permissions(from.join("d3"), fs::Permissions::from_mode(0o1500)).expect("set");
    symlink("/nowhere/at/all", from.join("link")).expect("linked");
    let sparse = fs::File::create(from.join("sparse")).expect("made");
    sparse.set_len(1 << 30).expect("set");
    sparse.write_all_at(b"middle", 1 << 29).expect("written");
    let _socket = std::os::unix::net::UnixListener::bind(from.join("socket")).expect("bound");
    rustix::fs::mkfifoat(rustix::fs::CWD, from.join("fifo"), Mode::from_raw_mode(0o600)).expect("made");
    // Not every filesystem has attributes of users; where there are some they must come along.
    let top = Directory::open(&from).expect("there");
    let has = corten_host::xattr::set(&top, OsStr::new("d1"), OsStr::new("user.corten"), b"value").is_ok();
    copy_tree(&from, &base.join("to"), &Watch::default()).expect("copied");
    assert_eq!(look(&base.join("to")), look(&from));
    let inode = |path: &str| fs::metadata(base.join("to").join(path)).expect("there").ino();
    assert!((1..20).all(|directory| inode(&format!("d{directory}/sub/linked")) == inode("d0/sub/f9")));
    let copy = Directory::open(&base.join("to")).expect("there");
    let value = corten_host::xattr::get(&copy, OsStr::new("d1"), OsStr::new("user.corten")).expect("read");
    assert_eq!(value.as_deref(), has.then_some(&b"value"[..]));
    remove::tree(&base).expect("removed");
}

#[test]
fn what_the_replaced_tree_has_already_is_not_copied() {
    let base = scratch("like");
    let (from, like, to) = (base.join("from"), base.join("like"), base.join("to"));
    for directory in ["sub", "gone"] {
        fs::create_dir(from.join(directory)).expect("made");
    }
    let names = ["sub/same", "data", "time", "mode", "attribute", "twice", "there-twice", "gone/file", "a-link"];
    for name in names {
        fs::write(from.join(name), name.repeat(50_000)).expect("written");
    }
    fs::create_dir(&like).expect("made");
    copy_tree(&from, &like, &Watch::default()).expect("copied");
    let time = fs::metadata(like.join("data")).and_then(|stat| stat.modified()).expect("there");
    let other = fs::File::options().write(true).open(like.join("data")).expect("open");
    // Its size and its time are the same.
    other.write_all_at(b"D", 100).and_then(|()| other.set_modified(time)).expect("written");
    let other = fs::File::options().write(true).open(like.join("time")).expect("open");
    other.set_modified(time + std::time::Duration::from_nanos(1)).expect("set");
    fs::set_permissions(like.join("mode"), fs::Permissions::from_mode(0o640)).expect("set");
    let top = Directory::open(&like).expect("there");
    corten_host::xattr::set(&top, OsStr::new("attribute"), OsStr::new("user.corten"), b"value").expect("set");
    fs::hard_link(from.join("twice"), from.join("twice-too")).expect("linked");
    fs::hard_link(like.join("there-twice"), base.join("elsewhere")).expect("linked");
    remove::tree(&like.join("gone")).expect("removed");
    symlink(from.join("gone"), like.join("gone")).expect("linked");
    fs::remove_file(like.join("a-link")).expect("removed");
    symlink("data", like.join("a-link")).expect("linked");
    let before = look(&like);
    copy_tree_like(&from, &to, Some(&like), &Watch::default()).expect("copied");
    assert_eq!(look(&to), look(&from));
    assert_eq!(look(&like), before);
    let inode = |tree: &Path, name: &str| fs::metadata(tree.join(name)).expect("there").ino();
    for name in names {
        assert_eq!(fs::read(to.join(name)).expect("there"), name.repeat(50_000).as_bytes(), "{name}");
        let linked = inode(&to, name) == inode(&like, name);
        assert_eq!(linked, name == "sub/same", "{name}");
    }
    remove::tree(&base).expect("removed");
}

#[test]
fn a_failure_and_a_flag_end_it() {
    let base = scratch("end");
    fs::write(base.join("from/file"), "x").expect("written");
    fs::write(base.join("to/file"), "in the way").expect("written");
    let error = copy_tree(&base.join("from"), &base.join("to"), &Watch::default()).expect_err("in the way");
    assert!(error.to_string().contains("Failed to copy \"file\": File exists"), "{error}");
    let flag = AtomicBool::new(true);
    let watch = Watch { cancelled: Some(&flag), progress: None };
    let error = copy_tree(&base.join("from"), &base.join("to"), &watch).expect_err("cancelled");
    assert_eq!(error.to_string(), "Operation cancelled");
    remove::tree(&base).expect("removed");
}
