//! What a hostile tree tries, and what must not come of it.

use super::*;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

/// A directory of its own for one test, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let path = std::env::temp_dir().join(format!("corten-rooted-{name}-{}", std::process::id()));
        std::fs::create_dir_all(path.join("root/etc")).expect("the temporary directory can be written");
        std::fs::write(path.join("secret"), "outside").expect("written");
        Scratch(path)
    }

    fn root(&self) -> Rooted {
        Rooted::open(&self.0.join("root")).expect("it was just made")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove::tree(&self.0).expect("removed");
    }
}

fn read(root: &Rooted, path: &str) -> io::Result<String> {
    std::io::read_to_string(root.open_file(Path::new(path), OFlags::RDONLY, Mode::empty())?)
}

#[test]
fn links_and_dots_stay_inside() {
    let scratch = Scratch::new("inside");
    let inside = scratch.0.join("root");
    std::fs::write(inside.join("secret"), "inside").expect("written");
    symlink("/secret", inside.join("absolute")).expect("linked");
    symlink("../../../secret", inside.join("etc/relative")).expect("linked");
    symlink(&scratch.0, inside.join("out")).expect("linked");
    let root = scratch.root();
    for path in ["absolute", "etc/relative", "/../../secret", "etc/../secret"] {
        assert_eq!(read(&root, path).expect(path), "inside", "{path}");
    }
    assert_eq!(read(&root, "out/secret").unwrap_err().kind(), io::ErrorKind::NotFound);
    let strict = scratch.root().refuse_links();
    assert!(strict.parent(Path::new("out/x")).is_err());
    assert_eq!(strict.stat(Path::new("absolute")).expect("the link itself").st_size, 7);
}

#[test]
fn entries_are_changed_themselves() {
    let scratch = Scratch::new("entries");
    let root = scratch.root();
    symlink(scratch.0.join("secret"), scratch.0.join("root/link")).expect("linked");
    let (dir, name) = root.parent(Path::new("link")).expect("the root");
    assert!(dir.chmod(name, Mode::from_raw_mode(0o777)).is_err());
    assert!(dir.create(name, Mode::from_raw_mode(0o644)).is_err());
    assert!(dir.open_fd(name, OFlags::RDONLY, Mode::empty()).is_err());
    dir.hardlink(name, &dir, OsStr::new("second")).expect("the link itself is linked");
    assert_eq!(dir.readlink(OsStr::new("second")).expect("a link"), scratch.0.join("secret"));
    for bad in ["", ".", "..", "a/b"] {
        assert!(dir.mkdir(OsStr::new(bad), Mode::empty()).is_err(), "{bad:?}");
    }
    for bad in ["/", "", "etc/..", "."] {
        assert!(root.parent(Path::new(bad)).is_err(), "{bad:?}");
    }
}

#[test]
fn a_tree_goes_without_what_its_links_point_to() {
    let scratch = Scratch::new("tree");
    let root = scratch.root();
    root.mkdir_all(Path::new("a/b/c"), Mode::from_raw_mode(0o700), None).expect("made");
    root.mkdir_all(Path::new("a/b/c"), Mode::from_raw_mode(0o700), None).expect("again is no failure");
    symlink(&scratch.0, scratch.0.join("root/a/b/out")).expect("linked");
    std::fs::write(scratch.0.join("root/a/b/file"), "x").expect("written");
    root.rename(Path::new("a/b/file"), Path::new("a/moved")).expect("renamed");
    root.remove_tree(Path::new("a")).expect("removed");
    root.remove_tree(Path::new("a")).expect("again is no failure");
    assert!(root.stat(Path::new("a")).is_err());
    assert_eq!(std::fs::read_to_string(scratch.0.join("secret")).expect("still there"), "outside");
}

#[test]
fn attributes_are_those_of_the_entry() {
    let scratch = Scratch::new("attributes");
    let dir = scratch.root().directory(Path::new("")).expect("the root");
    let (etc, name) = (OsStr::new("etc"), OsStr::new("user.corten"));
    match crate::xattr::set(&dir, etc, name, &[7; 300]) {
        // A temporary directory on a filesystem without user attributes has nothing to show.
        Err(error) if error.raw_os_error() == Some(Errno::OPNOTSUPP.raw_os_error()) => return,
        set => set.expect("set"),
    }
    assert_eq!(crate::xattr::get(&dir, etc, name).expect("read"), Some(vec![7; 300]));
    assert!(crate::xattr::list(&dir, etc).expect("listed").iter().any(|each| each == name));
    crate::xattr::remove(&dir, etc, name).expect("removed");
    crate::xattr::remove(&dir, etc, name).expect("again is no failure");
    assert_eq!(crate::xattr::get(&dir, etc, name).expect("read"), None);
    crate::xattr::set(&dir, OsStr::new(""), name, b"own").expect("the directory itself");
    assert_eq!(crate::xattr::get(&dir, OsStr::new(""), name).expect("read").as_deref(), Some(&b"own"[..]));
}
