//! Id maps against the running kernel: namespaces made for them, and trees whose owners change.

use std::os::fd::AsFd;
use std::os::unix::fs::{MetadataExt, PermissionsExt, lchown, symlink};
use std::path::{Path, PathBuf};

use corten_host::idmap::shift::{self, Change};
use corten_host::idmap::{IdMap, userns};
use corten_host::xattr;

use crate::{is_root, unique};

struct Scratch(PathBuf);

impl Scratch {
    fn new(what: &str) -> Scratch {
        let path = std::env::temp_dir().join(unique(what));
        std::fs::create_dir(&path).expect("a new directory");
        Scratch(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).expect("removable");
    }
}

fn owner(path: &Path) -> (u32, u32) {
    let found = std::fs::symlink_metadata(path).expect("there");
    (found.uid(), found.gid())
}

#[test]
fn a_namespace_holds_the_map_and_leaves_no_process() {
    if !is_root("a_namespace_holds_the_map_and_leaves_no_process") {
        return;
    }
    let map = IdMap::both(1_000_000, 65_536);
    let begun = std::time::Instant::now();
    let namespace = userns::namespace_for(&map).expect("made");
    println!("made in {:?}", begun.elapsed());
    let again = userns::namespace_for(&map).expect("remembered");
    let inode = |fd: &std::os::fd::OwnedFd| rustix::fs::fstat(fd).expect("known").st_ino;
    assert_eq!(inode(&namespace), inode(&again));
    assert_ne!(inode(&namespace), std::fs::metadata("/proc/self/ns/user").expect("known").ino());
    let children = std::fs::read_to_string("/proc/thread-self/children").expect("listed");
    assert_eq!(children.trim(), "", "the holder is gone");
}

#[test]
fn a_tree_gets_other_owners_and_gets_them_back() {
    if !is_root("a_tree_gets_other_owners_and_gets_them_back") {
        return;
    }
    let scratch = Scratch::new("shift");
    let root = scratch.0.join("rootfs");
    let at = |name: &str| root.join(name);
    std::fs::create_dir_all(at("a/b")).expect("writable");
    for number in 0..200 {
        std::fs::write(at(&format!("a/b/{number}")), "x").expect("writable");
    }
    let outside = scratch.0.join("outside");
    std::fs::write(&outside, "x").expect("writable");
    std::fs::write(at("file"), "x").expect("writable");
    std::fs::set_permissions(at("file"), std::fs::Permissions::from_mode(0o6755)).expect("allowed");
    lchown(at("file"), Some(1000), Some(1001)).expect("allowed");
    std::fs::set_permissions(at("file"), std::fs::Permissions::from_mode(0o6755)).expect("allowed");
    std::fs::hard_link(at("file"), at("a/again")).expect("allowed");
    symlink(&outside, at("link")).expect("allowed");
    std::fs::write(at("strange"), "x").expect("writable");
    lchown(at("strange"), Some(900_000), Some(0)).expect("allowed");
    let dir = std::fs::File::open(&root).expect("open");
    let (capability, acl) = ("security.capability".as_ref(), "system.posix_acl_access".as_ref());
    let caps = [1u8, 0, 0, 2, 0, 0x20, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    xattr::set(dir.as_fd(), "strange".as_ref(), capability, &caps).expect("allowed");
    let entry = |tag: u16, id: u32| [&tag.to_le_bytes()[..], &6u16.to_le_bytes(), &id.to_le_bytes()].concat();
    let list = [2u32.to_le_bytes().to_vec(), entry(1, !0), entry(2, 1000), entry(4, !0), entry(16, !0), entry(32, !0)]
        .concat();
    let has_acl = xattr::set(dir.as_fd(), "strange".as_ref(), acl, &list).is_ok();

    let map = IdMap::both(1_000_000, 65_536);
    let count = shift::tree(&root, &Change::new(&IdMap::default(), &map)).expect("changed");
    assert_eq!(count, 206);
    assert_eq!(owner(&root), (1_000_000, 1_000_000));
    assert_eq!(owner(&at("a/b/199")), (1_000_000, 1_000_000));
    assert_eq!(owner(&at("file")), (1_001_000, 1_001_001), "once, though it has two names");
    assert_eq!(std::fs::metadata(at("file")).expect("there").mode() & 0o7777, 0o6755);
    assert_eq!(owner(&at("link")), (1_000_000, 1_000_000));
    assert_eq!(owner(&outside), (0, 0), "links are not followed");
    assert_eq!(owner(&at("strange")), (900_000, 1_000_000), "an id without counterpart stays");
    let shifted = xattr::get(dir.as_fd(), "strange".as_ref(), capability).expect("readable").expect("still set");
    assert_eq!((shifted.len(), &shifted[20..]), (24, &1_000_000u32.to_le_bytes()[..]));
    if has_acl {
        let shifted = xattr::get(dir.as_fd(), "strange".as_ref(), acl).expect("readable").expect("still set");
        assert_eq!(&shifted[16..20], &1_001_000u32.to_le_bytes());
    }

    let other = IdMap::both(2_000_000, 65_536);
    shift::tree(&root, &Change::new(&map, &other)).expect("changed");
    assert_eq!(owner(&at("file")), (2_001_000, 2_001_001));
    shift::tree(&root, &Change::new(&other, &IdMap::default())).expect("changed back");
    assert_eq!(owner(&at("file")), (1000, 1001));
    assert_eq!(owner(&at("strange")), (900_000, 0));
    assert_eq!(xattr::get(dir.as_fd(), "strange".as_ref(), capability).expect("readable").expect("still set"), caps);
}

#[test]
fn a_tree_that_is_not_there_is_named() {
    let missing = Path::new("/no/such/tree");
    let error = shift::tree(missing, &IdMap::both(1, 1)).unwrap_err();
    assert!(error.to_string().starts_with("changing the owner of /no/such/tree: "), "{error}");
}
