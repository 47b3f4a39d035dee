//! Hostile archives, and good ones that must arrive as they were.

use super::*;
use crate::tar::BLOCK;
use corten_host::rooted::remove;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

/// A directory with a place to unpack to, and a file outside of it that nobody may touch.
struct Target(PathBuf);

impl Target {
    fn new(name: &str) -> Target {
        let base = std::env::temp_dir().join(format!("corten-unpack-{name}-{}", std::process::id()));
        remove::tree(&base).expect("removed");
        fs::create_dir_all(base.join("root")).expect("made");
        fs::write(base.join("outside"), "outside").expect("written");
        Target(base)
    }

    fn unpack(&self, archive: &[u8], options: &Options) -> Result<Totals> {
        stream(archive, &Rooted::open(&self.0.join("root")).expect("there"), options, Watch::default())
    }

    fn path(&self, path: &str) -> PathBuf {
        self.0.join("root").join(path)
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        remove::tree(&self.0).expect("removed");
    }
}

/// Type, path, link target or data.
type Line<'a> = (u8, &'a str, &'a str);

fn archive(lines: &[Line]) -> Vec<u8> {
    let mut archive = Vec::new();
    for (kind, path, text) in lines {
        let mut header = tar::Header::new_gnu();
        header.set_entry_type(tar::EntryType::new(*kind));
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_mode(if *kind == b'5' { 0o755 } else { 0o644 });
        let (uid, gid) = ids();
        header.set_uid(uid.into());
        header.set_gid(gid.into());
        header.set_mtime(1_000_000_000);
        let data = if matches!(*kind, b'0' | b'x' | b'g') { text.as_bytes() } else { b"" };
        header.set_size(data.len() as u64);
        if matches!(*kind, b'1' | b'2') {
            header.as_mut_bytes()[157..157 + text.len()].copy_from_slice(text.as_bytes());
        }
        if matches!(*kind, b'3' | b'4') {
            let (major, minor) = text.split_once(':').expect("a device");
            header.set_device_major(major.parse().expect("a number")).expect("set");
            header.set_device_minor(minor.parse().expect("a number")).expect("set");
        }
        header.set_cksum();
        archive.extend_from_slice(header.as_bytes());
        archive.extend_from_slice(data);
        archive.resize(archive.len().next_multiple_of(BLOCK), 0);
    }
    archive.resize(archive.len() + 2 * BLOCK, 0);
    archive
}

/// Those of whoever runs the test, so that it needs no root.
fn ids() -> (u32, u32) {
    (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw())
}

#[test]
fn what_leads_out_is_refused_and_touches_nothing() {
    let table: &[(&str, &[Line], &str)] = &[
        ("absolute dots", &[(b'0', "/../outside", "x")], "\"..\""),
        ("dots", &[(b'0', "../outside", "x")], "\"..\""),
        ("dots inside", &[(b'0', "a/../../outside", "x")], "\"..\""),
        ("hard link out", &[(b'1', "a", "../outside")], "outside of the archive's root"),
        ("absolute hard link", &[(b'1', "a", "/etc/passwd")], "not in the archive before it"),
        ("hard link through a link", &[(b'2', "l", ".."), (b'1', "a", "l/outside")], "through a link"),
        ("hard link to nothing", &[(b'1', "a", "b")], "not a file of the archive"),
        ("hard link to a directory", &[(b'5', "d", ""), (b'1', "a", "d")], "not a file of the archive"),
        ("write through a link", &[(b'2', "l", ".."), (b'0', "l/outside", "x")], "through a link"),
        ("directory through a link", &[(b'2', "l", "/tmp"), (b'5', "l/d", "")], "through a link"),
        ("link over link", &[(b'2', "a", ".."), (b'2', "a/b", "x")], "through a link"),
        ("below a file", &[(b'0', "f", "x"), (b'0', "f/g", "x")], "through a link or a file"),
        ("file over full directory", &[(b'0', "d/f", "x"), (b'0', "d", "x")], "same path"),
        ("root is a file", &[(b'0', ".", "x")], "must be a directory"),
        ("root is a link", &[(b'2', "./", "/etc")], "must be a directory"),
    ];
    for (name, lines, words) in table {
        let target = Target::new("out");
        let error = target.unpack(&archive(lines), &Options::default()).expect_err(name);
        assert!(matches!(error, Error::Refused { .. }) && error.to_string().contains(words), "{name}: {error}");
        assert!(error.is_the_archives_fault());
        assert_eq!(fs::read_to_string(target.0.join("outside")).expect("there"), "outside", "{name}");
        assert_eq!(fs::read_dir(&target.0).expect("readable").count(), 2, "{name}");
    }
}

#[test]
fn a_leading_slash_means_the_archives_root() {
    let target = Target::new("absolute");
    let lines: &[Line] = &[(b'5', "/", ""), (b'0', "/etc/inittab", "::sysinit"), (b'1', "/etc/same", "/etc/inittab")];
    target.unpack(&archive(lines), &Options::default()).expect("good");
    assert_eq!(fs::read_to_string(target.path("etc/same")).expect("there"), "::sysinit");
}

#[test]
fn later_entries_replace_earlier_ones() {
    let target = Target::new("replace");
    let lines: &[Line] = &[
        (b'2', "etc", "../../outside"),
        (b'5', "etc", ""),
        (b'0', "etc/file", "one"),
        (b'1', "etc/second", "etc/file"),
        (b'0', "etc/file", "two"),
        (b'2', "link", "/etc/passwd"),
        (b'0', "link", "a file now"),
        (b'5', "empty", ""),
        (b'0', "empty", "was a directory"),
        (b'5', "twice", ""),
        (b'5', "./twice/", ""),
        (b'1', "etc/second", "etc/second"),
    ];
    let totals = target.unpack(&archive(lines), &Options::default()).expect("good");
    assert_eq!(totals.entries, 12);
    for (path, text) in
        [("etc/file", "two"), ("etc/second", "one"), ("link", "a file now"), ("empty", "was a directory")]
    {
        assert_eq!(fs::read_to_string(target.path(path)).expect(path), text);
    }
    assert_eq!(fs::metadata(target.path("etc")).expect("there").mtime(), 1_000_000_000);
}

#[test]
fn links_are_stored_as_they_are() {
    let target = Target::new("links");
    let lines: &[Line] = &[(b'2', "a", "/etc/passwd"), (b'2', "b", "../../../x"), (b'1', "c", "a")];
    target.unpack(&archive(lines), &Options::default()).expect("good");
    for (path, link) in [("a", "/etc/passwd"), ("b", "../../../x"), ("c", "/etc/passwd")] {
        assert_eq!(fs::read_link(target.path(path)).expect(path), Path::new(link));
    }
}

#[test]
fn devices_are_made_or_left_out() {
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED devices_are_made_or_left_out: device nodes need root");
        return;
    }
    let lines: &[Line] = &[(b'3', "null", "1:3"), (b'3', "mem", "1:1"), (b'4', "sda", "8:0"), (b'6', "fifo", "")];
    for (devices, expected) in [
        (Devices::Harmless, &["fifo", "null"][..]),
        (Devices::None, &["fifo"]),
        (Devices::All, &["fifo", "mem", "null", "sda"]),
    ] {
        let target = Target::new("devices");
        let options = Options { devices, ..Options::default() };
        let totals = target.unpack(&archive(lines), &options).expect("good");
        let mut names: Vec<_> = fs::read_dir(target.path(""))
            .expect("readable")
            .map(|entry| entry.expect("readable").file_name())
            .collect();
        names.sort();
        assert_eq!(names, expected);
        assert_eq!(totals.left_out as usize, 4 - expected.len());
    }
}

#[test]
fn limits_and_flags_end_it() {
    let target = Target::new("limits");
    let lines: &[Line] = &[(b'0', "a", "12345"), (b'0', "b", "12345")];
    let bytes = Options { limits: Limits { bytes: 9, entries: 9 }, ..Options::default() };
    assert!(matches!(target.unpack(&archive(lines), &bytes), Err(Error::TooLarge { what: "bytes", limit: 9 })));
    let entries = Options { limits: Limits { bytes: 99, entries: 1 }, ..Options::default() };
    assert!(matches!(target.unpack(&archive(lines), &entries), Err(Error::TooLarge { what: "entries", limit: 1 })));
    // What many directories are to have is kept until the end.
    let record = |length: usize| format!("{} SCHILY.xattr.user.a={}\n", length + 29, "x".repeat(length));
    let (small, large) = (record(1_000_000), record(3_000_000));
    assert_eq!(small.len(), 1_000_029);
    let many: Vec<Line> = (0..70).flat_map(|_| [(b'x', "x", small.as_str()), (b'5', "d", "")]).collect();
    let refused = target.unpack(&archive(&many), &Options::default());
    assert!(matches!(refused, Err(Error::TooLarge { what: "bytes of directories' attributes", .. })), "{refused:?}");
    let others: Vec<String> = (0..3).map(|at| large.replace("user.a", &format!("user.{at}"))).collect();
    for (kind, lines) in [(b'x', &others[..]), (b'g', &others[..1])] {
        let mut lines: Vec<Line> = lines.iter().map(|text| (kind, "x", text.as_str())).collect();
        lines.push((b'0', "a", ""));
        let refused = target.unpack(&archive(&lines), &Options::default());
        assert!(matches!(refused, Err(Error::TooLarge { what: "bytes in extended headers", .. })), "{refused:?}");
    }
    let only = |path: &Path| path.starts_with("b");
    let some = Options { only: Some(&only), ..Options::default() };
    let target = Target::new("some");
    target.unpack(&archive(lines), &some).expect("good");
    assert!(!target.path("a").exists() && target.path("b").exists());
    let flag = AtomicBool::new(true);
    let watch = Watch { cancelled: Some(&flag), progress: None };
    let root = Rooted::open(&target.path("")).expect("there");
    let file = target.0.join("archive");
    fs::write(&file, archive(lines)).expect("written");
    assert!(matches!(super::file(&file, &root, &Options::default(), watch), Err(Error::Cancelled)));
}

#[test]
fn ids_are_shifted_or_the_entry_refused() {
    struct Small;
    impl IdShift for Small {
        fn uid(&self, _: u32) -> Option<u32> {
            None
        }
        fn gid(&self, gid: u32) -> Option<u32> {
            Some(gid)
        }
    }
    let target = Target::new("ids");
    let options = Options { shift: Some(&Small), ..Options::default() };
    let error = target.unpack(&archive(&[(b'0', "a", "x")]), &options).expect_err("no place for it");
    assert!(error.to_string().contains("outside of the container's id map"), "{error}");
}

mod property {
    use super::*;
    use proptest::prelude::*;

    /// Pieces of paths that hostile archives are made of.
    fn path() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec!["a", "b", "c", "..", ".", "", "root", "outside"]);
        prop::collection::vec(piece, 1..4).prop_map(|pieces| pieces.join("/"))
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

        #[test]
        fn nothing_outside_changes(lines in prop::collection::vec((prop::sample::select(b"01256".to_vec()), path(), path()), 1..12)) {
            let target = Target::new("property");
            let lines: Vec<Line> = lines.iter().map(|(kind, path, text)| (*kind, path.as_str(), text.as_str())).collect();
            // Whether it is taken or refused does not matter here.
            let _ = target.unpack(&archive(&lines), &Options::default());
            prop_assert_eq!(fs::read_to_string(target.0.join("outside")).expect("there"), "outside");
            prop_assert_eq!(fs::read_dir(&target.0).expect("readable").count(), 2);
            prop_assert_eq!(fs::metadata(target.0.join("outside")).expect("there").nlink(), 1);
        }

        #[test]
        fn any_bytes_end_with_an_answer(bytes in prop::collection::vec(any::<u8>(), 0..3000)) {
            let target = Target::new("bytes");
            let _ = target.unpack(&bytes, &Options::default());
        }
    }
}
