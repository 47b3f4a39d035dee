//! Trees go through mksquashfs and come out the same; hostile squashfs files do no harm.

mod hostile;
mod property;

use std::fs;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;

use corten_host::command::Command;
use corten_host::rooted::{Rooted, remove};
use corten_host::xattr;
use rustix::fs::{CWD, FileType, Mode, makedev};

use crate::error::Error;
use crate::unpack::{self, Devices, Limits, Options, Totals};
use crate::watch::Watch;

/// A folder with a tree to pack, a place to unpack to, and a file outside of both that nobody may touch.
struct Bench(PathBuf);

impl Bench {
    /// `None`, said in a line, where squashfs-tools are missing.
    fn new(name: &str) -> Option<Bench> {
        if Command::new("mksquashfs", "squashfs-tools").find().is_none() {
            println!("SKIPPED {name}: it needs mksquashfs");
            return None;
        }
        let base = std::env::temp_dir().join(format!("corten-squashfs-{name}-{}", std::process::id()));
        remove::tree(&base).expect("removed");
        for directory in ["tree", "root"] {
            fs::create_dir_all(base.join(directory)).expect("made");
        }
        fs::write(base.join("outside"), "outside").expect("written");
        Some(Bench(base))
    }

    fn tree(&self) -> PathBuf {
        self.0.join("tree")
    }

    fn root(&self) -> PathBuf {
        self.0.join("root")
    }

    fn image(&self) -> PathBuf {
        self.0.join("image.squashfs")
    }

    fn pack(&self, options: &[&str]) {
        let make = Command::new("mksquashfs", "squashfs-tools").arg(self.tree()).arg(self.image());
        make.args(["-noappend", "-quiet", "-no-progress"]).args(options.iter().copied()).run().expect("packed");
    }

    fn unpack(&self, options: &Options) -> Result<Totals, Error> {
        unpack::file(&self.image(), &Rooted::open(&self.root()).expect("there"), options, Watch::default())
    }

    fn empty_root(&self) {
        remove::contents(&self.root()).expect("emptied");
    }

    /// That nothing but the root was touched.
    fn assert_outside_untouched(&self) {
        assert_eq!(fs::read_to_string(self.0.join("outside")).expect("there"), "outside");
        assert!(fs::read_dir(&self.0).expect("readable").count() <= 4);
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        remove::tree(&self.0).expect("removed");
    }
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Bytes that pack badly, other ones for each seed.
fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut state = seed | 1;
    let next = |_| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 56) as u8 & 0x1f
    };
    (0..length).map(next).collect()
}

/// Every kind of file there is.
fn make_tree(tree: &Path) {
    fs::create_dir_all(tree.join("sub/deeper")).expect("made");
    fs::create_dir(tree.join("empty")).expect("made");
    for (path, length) in [
        ("sub/file", 5),
        ("sub/none", 0),
        ("block", 128 << 10),
        ("blocks-and-a-bit", (256 << 10) + 77),
        ("large", (5 << 20) + 3),
        ("sub/deeper/small", 4000),
    ] {
        fs::write(tree.join(path), noise(length, length as u64)).expect("written");
    }
    for number in 0..150 {
        fs::write(tree.join(format!("sub/many{number}")), format!("file {number}\n").repeat(number)).expect("written");
    }
    fs::set_permissions(tree.join("sub/file"), fs::Permissions::from_mode(0o4711)).expect("set");
    fs::hard_link(tree.join("sub/file"), tree.join("a-second-name")).expect("linked");
    fs::hard_link(tree.join("large"), tree.join("sub/large-too")).expect("linked");
    symlink("../../x".repeat(40), tree.join("link")).expect("linked");
    fs::hard_link(tree.join("link"), tree.join("sub/link-too")).expect("linked");
    symlink("/etc/passwd", tree.join("sub/absolute")).expect("linked");
    fs::write(tree.join("n".repeat(255)), "long").expect("written");
    for (name, size) in [("sparse", (6 << 20) + 9), ("hole-at-the-end", 3 << 20)] {
        let file = fs::File::create(tree.join(name)).expect("made");
        file.set_len(size).expect("set");
        file.write_all_at(b"middle", 2 << 20).expect("written");
    }
    let directory = fs::File::open(tree).expect("open");
    rustix::fs::mkfifoat(CWD, tree.join("fifo"), Mode::from_raw_mode(0o640)).expect("made");
    xattr::set(&directory, "block".as_ref(), "user.word".as_ref(), b"value").expect("set");
    xattr::set(&directory, "sub".as_ref(), "user.of-a-directory".as_ref(), b"").expect("set");
    if is_root() {
        for (name, kind, device) in
            [("null", FileType::CharacterDevice, makedev(1, 3)), ("disk", FileType::BlockDevice, makedev(259, 70_000))]
        {
            rustix::fs::mknodat(CWD, tree.join(name), kind, Mode::from_raw_mode(0o660), device).expect("made");
        }
        std::os::unix::fs::lchown(tree.join("sub/many1"), Some(1000), Some(70_000)).expect("owned");
        std::os::unix::fs::lchown(tree.join("link"), Some(7), Some(8)).expect("owned");
        let capability = [1, 0, 0, 2, 0, 32, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        xattr::set(&directory, "block".as_ref(), "security.capability".as_ref(), &capability).expect("set");
    }
    for (path, mode) in [("empty", 0o1777), ("sub", 0o2750)] {
        fs::set_permissions(tree.join(path), fs::Permissions::from_mode(mode)).expect("set");
    }
    let times =
        fs::FileTimes::new().set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(1_000_000_000));
    for path in ["sub/deeper", "sub", "", "block"] {
        fs::File::open(tree.join(path)).and_then(|file| file.set_times(times)).expect("set");
    }
}

/// All that can be said of everything below a folder; files with several names say their first one.
fn look(tree: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let mut first = std::collections::HashMap::new();
    let mut waiting = vec![PathBuf::new()];
    while let Some(path) = waiting.pop() {
        let at = tree.join(&path);
        let stat = fs::symlink_metadata(&at).expect("there");
        let link = fs::read_link(&at).unwrap_or_default();
        let kind = stat.file_type();
        let data = if kind.is_file() { fs::read(&at).expect("readable") } else { Vec::new() };
        let sum = data.iter().fold(7u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)));
        let parent = fs::File::open(at.parent().expect("not the root")).expect("open");
        let name = at.file_name().expect("a name");
        let attributes: Vec<_> = xattr::list(&parent, name)
            .expect("a list")
            .into_iter()
            .map(|attribute| {
                let value = xattr::get(&parent, name, &attribute).expect("readable").unwrap_or_default();
                format!("{attribute:?}={value:?}")
            })
            .collect();
        let size = if kind.is_dir() { 0 } else { stat.size() };
        let device = if kind.is_char_device() || kind.is_block_device() { stat.rdev() } else { 0 };
        let same = if kind.is_dir() { path.clone() } else { first.entry(stat.ino()).or_insert(path.clone()).clone() };
        let (uid, gid, mtime) = (stat.uid(), stat.gid(), stat.mtime());
        lines.push(format!(
            "{} {:o} {uid}:{gid} {size} {sum:x} {mtime} {device:x} {} {} {attributes:?}",
            path.display(),
            stat.mode(),
            link.display(),
            same.display()
        ));
        if kind.is_dir() {
            let mut below: Vec<_> =
                fs::read_dir(&at).expect("readable").map(|one| path.join(one.expect("one").file_name())).collect();
            below.sort();
            waiting.extend(below.into_iter().rev());
        }
    }
    lines
}

#[test]
fn a_tree_comes_out_the_same_by_every_compressor() {
    let Some(bench) = Bench::new("same") else { return };
    make_tree(&bench.tree());
    let wanted = look(&bench.tree());
    let ways: &[&[&str]] = &[
        &["-comp", "gzip"],
        &["-comp", "xz"],
        &["-comp", "xz", "-Xbcj", "x86", "-b", "1M"],
        &["-comp", "zstd", "-Xcompression-level", "3"],
        &["-comp", "lz4"],
        &["-comp", "lz4", "-Xhc", "-b", "4096"],
        &["-comp", "lzo"],
        &["-comp", "lzo", "-Xalgorithm", "lzo1x_1"],
        &["-comp", "lzma", "-b", "64K"],
        &["-no-fragments"],
        &["-always-use-fragments", "-b", "1M"],
        &["-noI", "-noD", "-noF", "-noX"],
    ];
    for way in ways {
        bench.pack(way);
        bench.empty_root();
        let totals = bench.unpack(&Options { devices: Devices::All, ..Options::default() }).expect("good");
        let got = look(&bench.root());
        for (one, other) in got.iter().zip(&wanted) {
            assert_eq!(one, other, "{way:?}");
        }
        assert_eq!((got.len(), totals.unpacked as usize), (wanted.len(), wanted.len()), "{way:?}");
        let blocks = |tree: PathBuf| fs::metadata(tree.join("sparse")).expect("there").blocks();
        assert!(blocks(bench.root()) < 4096, "the hole is one: {}", blocks(bench.root()));
    }
}

#[test]
fn some_of_it_is_unpacked_and_read() {
    let Some(bench) = Bench::new("some") else { return };
    make_tree(&bench.tree());
    bench.pack(&[]);
    let only = |path: &Path| path.as_os_str().is_empty() || path.starts_with("deeper");
    let below = Options { below: "sub", only: Some(&only), ..Options::default() };
    let totals = bench.unpack(&below).expect("good");
    assert_eq!(totals.unpacked, 3);
    assert_eq!(fs::read_dir(bench.root()).expect("readable").count(), 1);
    assert_eq!(fs::read(bench.root().join("deeper/small")).expect("there"), noise(4000, 4000));
    assert_eq!(bench.unpack(&Options { below: "nothing/there", ..Options::default() }).expect("good").unpacked, 0);
    let top = super::top(&bench.image()).expect("good");
    let named = |name: &str| top.iter().find(|one| one.name == name).map(|one| (one.is_file, one.size));
    assert_eq!(named("block"), Some((true, 128 << 10)));
    assert_eq!((named("sub"), named("link"), named("x")), (Some((false, 0)), Some((false, 0)), None));
    let read = |name: &str, limit| super::read(&bench.image(), name, limit);
    assert_eq!(read("blocks-and-a-bit", 1 << 20).expect("good"), Some(noise((256 << 10) + 77, (256 << 10) + 77)));
    assert!(read("sub/absolute", 9).expect("good").is_none() && read("sub/none/x", 9).expect("good").is_none());
    assert!(matches!(read("block", 9), Err(Error::TooLarge { .. })));
}

#[test]
fn what_was_there_is_replaced() {
    let Some(bench) = Bench::new("replaced") else { return };
    for path in ["a/file", "link", "empty/x"] {
        fs::create_dir_all(bench.tree().join(path).parent().expect("one")).expect("made");
        fs::write(bench.tree().join(path), "new").expect("written");
    }
    bench.pack(&[]);
    let root = bench.root();
    fs::create_dir(root.join("a")).expect("made");
    fs::write(root.join("a/file"), "old").expect("written");
    symlink("../outside", root.join("link")).expect("linked");
    symlink("..", root.join("empty")).expect("linked");
    bench.unpack(&Options::default()).expect("good");
    for path in ["a/file", "link", "empty/x"] {
        assert_eq!(fs::read_to_string(root.join(path)).expect("there"), "new");
    }
    bench.assert_outside_untouched();
}

#[test]
fn limits_and_flags_end_it() {
    let Some(bench) = Bench::new("limits") else { return };
    make_tree(&bench.tree());
    bench.pack(&[]);
    let limited = |bytes, entries| Options { limits: Limits { bytes, entries }, ..Options::default() };
    for (options, what) in [(limited(1 << 20, 1000), "bytes"), (limited(1 << 30, 100), "entries")] {
        let error = bench.unpack(&options).expect_err("too much");
        assert!(error.to_string().ends_with(&format!("{what}, which is the limit")), "{error}");
    }
    bench.empty_root();
    let (flag, told) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let progress = |progress: crate::watch::Progress| {
        told.lock().expect("sound").push(progress.done);
        flag.store(true, std::sync::atomic::Ordering::Relaxed);
    };
    let watch = Watch { cancelled: Some(&flag), progress: Some(&progress) };
    let root = Rooted::open(&bench.root()).expect("there");
    let ended = unpack::file(&bench.image(), &root, &Options::default(), watch);
    assert!(matches!(ended, Err(Error::Cancelled)));
    assert!(!told.lock().expect("sound").is_empty());
}
