//! Squashfs files that somebody made to do harm: good ones, not packed, with some bytes changed.

use super::property::make_small_tree;
use super::*;
use crate::squashfs::image::Image;
use crate::squashfs::metadata::Place;

/// A squashfs as bytes, and where its things are.
struct Forged {
    bytes: Vec<u8>,
    image: Image,
}

impl Forged {
    fn new(bench: &Bench) -> Forged {
        bench.pack(&["-noI", "-noD", "-noF", "-noX"]);
        Forged { bytes: fs::read(bench.image()).expect("readable"), image: Image::open(&bench.image()).expect("good") }
    }

    /// Where the inode at a path begins.
    fn inode(&mut self, path: &str) -> usize {
        let mut place = self.image.root_place().expect("one");
        for name in Path::new(path) {
            let inode = self.image.inode(place).expect("one");
            let mut listing = self.image.listing(&inode).expect("one");
            place = loop {
                let named = self.image.next(&mut listing).expect("good").expect("the name");
                if named.name == name {
                    break named.inode;
                }
            };
        }
        // Behind the two bytes that say how long the block is.
        place.block as usize + 2 + place.offset
    }

    /// Where the only name of this text is; eight bytes before it are its entry.
    fn name(&self, name: &str) -> usize {
        let found = self.bytes.windows(name.len()).rposition(|window| window == name.as_bytes());
        found.expect("the name")
    }
}

/// Where bytes are changed.
enum At {
    /// Of the superblock.
    Start(usize),
    /// Of the inode of a path.
    Inode(&'static str, usize),
    /// Of a name in a directory, or of its entry, which is the eight bytes before.
    Name(&'static str, isize),
}

/// What is changed, how, and what is said then.
const FORGERIES: &[(&str, At, &[u8], &str)] = &[
    ("a name with a slash", At::Name("target__name", 0), b"../../outsid", "no name of a file"),
    ("an absolute name", At::Name("target__name", 0), b"/etc/passwd_", "no name of a file"),
    ("a zero byte", At::Name("target__name", 0), b"target\0_name", "no name of a file"),
    ("dots", At::Name("below", -2), b"\x01\0..", "no name of a file"),
    ("names out of order", At::Name("target__name", 0), b"aaaaaa__name", "not in order"),
    ("a name twice", At::Name("linked", 0), b"folder", "not in order"),
    ("a file of 4 GiB", At::Inode("folder/target__name", 28), &[0xff; 4], "damaged"),
    ("a file of 8 EiB", At::Inode("linked", 24), &[0xff; 8], "damaged"),
    ("data beyond the end", At::Inode("linked", 16), &[0xff, 0xff, 0xff, 0xff, 0], "too early"),
    ("a fragment that is none", At::Inode("folder/target__name", 20), &[9, 0, 0, 0], "leads to nothing"),
    ("beyond its fragment", At::Inode("folder/target__name", 24), &[0xff, 0xff, 0xff, 0x7f], "leads to nothing"),
    ("an owner that is none", At::Inode("folder", 4), &[9, 9], "leads to nothing"),
    ("a kind that is none", At::Inode("folder", 0), &[99, 0], "kind 99"),
    ("a target of 4 GiB", At::Inode("link", 20), &[0xff; 4], "a target of"),
    ("attributes that are none", At::Inode("linked", 52), &[0xee, 0, 0, 0], "leads to nothing"),
    ("a compressor that is none", At::Start(20), &[77, 0], "number 77"),
    ("blocks of 2 GiB", At::Start(12), &[0, 0, 0, 0x80], "its blocks have"),
    ("another version", At::Start(28), &[3, 0], "version 4.0"),
    ("longer than its file", At::Start(40), &[0xff, 0xff, 0xff, 0xff], "too early"),
    ("inodes beyond the end", At::Start(64), &[0xff; 8], "damaged"),
    ("directories beyond the end", At::Start(72), &[0xff; 7], "too early"),
    ("owners beyond the end", At::Start(48), &[0xff; 7], "too early"),
];

#[test]
fn what_leads_out_or_never_ends_is_refused() {
    let Some(bench) = Bench::new("hostile") else { return };
    make_small_tree(&bench.tree());
    for (name, at, bytes, words) in FORGERIES {
        refused(&bench, name, at, bytes, words);
    }
    // The entry of a directory leads to the root.
    let root = (Forged::new(&bench).image.superblock().root & 0xffff) as u16;
    refused(&bench, "a directory in itself", &At::Name("loop", -8), &root.to_le_bytes(), "twice");
}

fn refused(bench: &Bench, name: &str, at: &At, bytes: &[u8], words: &str) {
    let mut forged = Forged::new(bench);
    let at = match at {
        At::Start(at) => *at,
        At::Inode(path, offset) => forged.inode(path) + offset,
        At::Name(text, offset) => forged.name(text).strict_add_signed(*offset),
    };
    forged.bytes[at..at + bytes.len()].copy_from_slice(bytes);
    fs::write(bench.image(), &forged.bytes).expect("written");
    bench.empty_root();
    let error = bench.unpack(&Options::default()).expect_err(name);
    assert!(error.to_string().contains(words), "{name}: {error}");
    assert!(error.is_the_archives_fault(), "{name}: {error}");
    bench.assert_outside_untouched();
}

#[test]
fn references_lead_somewhere_or_nowhere() {
    assert_eq!(Place::of(100, 7 << 16 | 3).expect("good"), Place { block: 107, offset: 3 });
    Place::of(u64::MAX - 1, 7 << 16).expect_err("beyond");
}

#[test]
fn directories_may_not_be_in_each_other_without_end() {
    let Some(bench) = Bench::new("deep") else { return };
    let deep = |depth| (0..depth).fold(bench.tree(), |path, _| path.join("d"));
    fs::create_dir_all(deep(300)).expect("made");
    bench.pack(&[]);
    bench.unpack(&Options::default()).expect("good");
    fs::create_dir_all(deep(500)).expect("made");
    bench.pack(&[]);
    let error = bench.unpack(&Options::default()).expect_err("too deep");
    assert!(error.to_string().contains("directories in each other"), "{error}");
}

#[test]
fn device_nodes_are_made_or_left_out() {
    let Some(bench) = Bench::new("devices") else { return };
    if !is_root() {
        println!("SKIPPED device_nodes_are_made_or_left_out: device nodes need root");
        return;
    }
    make_tree(&bench.tree());
    let _socket = std::os::unix::net::UnixListener::bind(bench.tree().join("socket")).expect("bound");
    bench.pack(&[]);
    for (devices, null, disk) in
        [(Devices::Harmless, true, false), (Devices::None, false, false), (Devices::All, true, true)]
    {
        bench.empty_root();
        let totals = bench.unpack(&Options { devices, ..Options::default() }).expect("good");
        let there = |name: &str| fs::symlink_metadata(bench.root().join(name)).is_ok();
        assert_eq!((there("null"), there("disk"), there("socket")), (null, disk, false), "{devices:?}");
        assert_eq!(totals.left_out, 1 + u64::from(!null) + u64::from(!disk));
    }
}
