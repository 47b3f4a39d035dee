//! Any tree comes out as it was; any damage ends with an answer.

use super::*;
use proptest::prelude::*;
use proptest::strategy::ValueTree;

/// What a tree is made of: a path, what is there, and a number that makes it different.
fn parts() -> impl Strategy<Value = Vec<(Vec<&'static str>, u8, u32)>> {
    let names = prop::sample::select(vec!["a", "b", "cc", "d.d", "\u{e9}", "-x", "z z"]);
    let path = prop::collection::vec(names, 1..5);
    prop::collection::vec((path, 0u8..6, 0u32..400_000), 1..40)
}

fn make(tree: &Path, parts: &[(Vec<&str>, u8, u32)]) {
    let mut files: Vec<PathBuf> = Vec::new();
    for (names, kind, number) in parts {
        let path = names.iter().fold(tree.to_path_buf(), |path, name| path.join(name));
        // What stands in the way stays: then this part is none.
        if fs::create_dir_all(path.parent().expect("one")).is_err() || fs::symlink_metadata(&path).is_ok() {
            continue;
        }
        match kind {
            0 => fs::create_dir(&path).expect("made"),
            1 => symlink(format!("../{number}"), &path).expect("linked"),
            2 if !files.is_empty() => fs::hard_link(&files[*number as usize % files.len()], &path).expect("linked"),
            3 => {
                let file = fs::File::create(&path).expect("made");
                file.set_len(u64::from(*number) * 3).expect("set");
                file.write_all_at(b"x", u64::from(*number)).expect("written");
            }
            _ => fs::write(&path, noise(*number as usize, u64::from(*number))).expect("written"),
        }
        if *kind > 1 {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o400 | (number % 0o1000))).expect("set");
            files.push(path);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn a_tree_comes_out_the_same(parts in parts(), block in prop::sample::select(vec!["4K", "16K", "128K"])) {
        let Some(bench) = Bench::new("property") else { return Ok(()) };
        make(&bench.tree(), &parts);
        bench.pack(&["-b", block]);
        bench.unpack(&Options::default()).expect("good");
        prop_assert_eq!(look(&bench.root()), look(&bench.tree()));
    }
}

#[test]
fn damage_ends_with_an_answer() {
    let Some(bench) = Bench::new("damage") else { return };
    make_small_tree(&bench.tree());
    for way in [&["-noI", "-noD", "-noF", "-noX"][..], &[], &["-comp", "lzo"], &["-comp", "lz4"], &["-comp", "xz"]] {
        bench.pack(&[way, &["-nopad"]].concat());
        let good = fs::read(bench.image()).expect("readable");
        let mut runner = proptest::test_runner::TestRunner::deterministic();
        let change = (0..good.len(), any::<u8>(), 1usize..4);
        for _ in 0..60 {
            let (at, byte, length) = change.new_tree(&mut runner).expect("one").current();
            let mut bad = good.clone();
            let end = (at + length).min(bad.len());
            bad[at..end].fill(byte);
            fs::write(bench.image(), &bad).expect("written");
            bench.empty_root();
            // Whether it is taken or refused does not matter here.
            let limits = Limits { bytes: 64 << 20, entries: 1000 };
            let _ = bench.unpack(&Options { limits, ..Options::default() });
            let _ = super::super::top(&bench.image());
            bench.assert_outside_untouched();
        }
        for length in (0..good.len()).step_by(good.len() / 12) {
            fs::write(bench.image(), &good[..length]).expect("written");
            bench.empty_root();
            bench.unpack(&Options::default()).expect_err("it was cut");
        }
    }
}

/// One with every kind of inode, a few kilobytes packed.
pub fn make_small_tree(tree: &Path) {
    fs::create_dir_all(tree.join("folder/below/loop")).expect("made");
    fs::write(tree.join("folder/target__name"), "text").expect("written");
    fs::write(tree.join("folder/blocks"), [b"0123456789".repeat(30_000), noise(3000, 3)].concat()).expect("written");
    fs::hard_link(tree.join("folder/blocks"), tree.join("linked")).expect("linked");
    symlink("folder/target__name", tree.join("link")).expect("linked");
    let directory = fs::File::open(tree).expect("open");
    for name in ["link", "folder", "linked"] {
        let attribute = if name == "link" { "trusted.some" } else { "user.some" };
        if is_root() || name != "link" {
            xattr::set(&directory, name.as_ref(), attribute.as_ref(), b"a value that is none").expect("set");
        }
    }
}
