//! What other programs write is read as they mean it.

use super::*;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Everything in an archive with its data, or why it could not be read.
fn read(archive: &[u8]) -> Result<Vec<(Entry, Vec<u8>)>> {
    let mut reader = Reader::new(archive);
    let mut entries = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        let mut data = Vec::new();
        reader.read_to_end(&mut data).map_err(Error::reading)?;
        entries.push((entry, data));
    }
    Ok(entries)
}

fn block(name: &str, kind: u8, size: u64) -> tar::Header {
    let mut header = tar::Header::new_ustar();
    header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
    header.set_entry_type(tar::EntryType::new(kind));
    header.set_mode(0o644);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1);
    header.set_size(size);
    header.set_cksum();
    header
}

/// Blocks one after the other, padded.
fn archive(parts: &[&[u8]]) -> Vec<u8> {
    let mut archive = Vec::new();
    for part in parts {
        archive.extend_from_slice(part);
        archive.resize(archive.len().next_multiple_of(BLOCK), 0);
    }
    archive.resize(archive.len() + 2 * BLOCK, 0);
    archive
}

#[test]
fn both_kinds_of_long_names() {
    let long = format!("{}/file", "d".repeat(200));
    let with_gnu =
        archive(&[block("@LongLink", b'L', 205).as_bytes(), long.as_bytes(), block("cut", b'0', 3).as_bytes(), b"abc"]);
    let record = format!("{} path={long}\n", long.len() + 10);
    let with_pax = archive(&[
        block("pax", b'x', record.len() as u64).as_bytes(),
        record.as_bytes(),
        block("cut", b'0', 3).as_bytes(),
        b"abc",
    ]);
    for archive in [with_gnu, with_pax] {
        let entries = read(&archive).expect("good");
        assert_eq!((entries[0].0.path.as_path(), entries[0].1.as_slice()), (Path::new(&long), &b"abc"[..]));
    }
}

#[test]
fn the_size_in_an_extended_header_counts() {
    // The header says 0: a program that believes it would take the data for further entries.
    let inner = block("smuggled", b'0', 0);
    let record = b"12 size=512\n";
    let archive =
        archive(&[block("pax", b'x', 12).as_bytes(), record, block("outer", b'0', 0).as_bytes(), inner.as_bytes()]);
    let entries = read(&archive).expect("good");
    assert_eq!(entries.len(), 1);
    assert_eq!((entries[0].0.path.as_path(), entries[0].1.len()), (Path::new("outer"), 512));
}

#[test]
fn what_could_be_understood_differently_is_refused() {
    for (name, kind) in [("link", b'2'), ("dir/", b'5'), ("fifo", b'6'), ("device", b'3')] {
        let archive = archive(&[block(name, kind, 512).as_bytes(), block("smuggled", b'0', 0).as_bytes()]);
        assert!(matches!(read(&archive), Err(Error::Refused { .. })), "{name}");
    }
    let unknown = archive(&[block("x", b'Z', 0).as_bytes()]);
    assert!(matches!(read(&unknown), Err(Error::Refused { .. })));
}

#[test]
fn damage_is_seen() {
    let good = archive(&[block("file", b'0', 600).as_bytes(), &[1; 600]]);
    assert_eq!(read(&good).expect("good")[0].1.len(), 600);
    for length in [1, 100, BLOCK + 1, 2 * BLOCK, 2 * BLOCK + 100] {
        assert!(matches!(read(&good[..length]), Err(Error::Damaged(_))), "cut to {length}");
    }
    let mut flipped = good.clone();
    flipped[3] ^= 1;
    assert!(matches!(read(&flipped), Err(Error::Damaged(_))));
    let endless = archive(&[block("pax", b'x', 1 << 40).as_bytes()]);
    assert!(matches!(read(&endless), Err(Error::TooLarge { .. })));
    let lonely = archive(&[block("pax", b'x', 12).as_bytes(), b"12 size=512\n"]);
    assert!(matches!(read(&lonely), Err(Error::Damaged(_))));
    // No zero blocks at the end: all programs accept that.
    assert_eq!(read(&good[..3 * BLOCK]).expect("good").len(), 1);
}

#[test]
fn a_slash_makes_a_directory_and_a_link_has_no_data() {
    let mut link = block("second", b'1', 999);
    link.set_link_name("first").expect("short");
    link.set_cksum();
    let archive =
        archive(&[block("old/", b'0', 0).as_bytes(), block("first", b'0', 1).as_bytes(), b"x", link.as_bytes()]);
    let entries = read(&archive).expect("good");
    let kinds: Vec<Kind> = entries.iter().map(|(entry, _)| entry.kind).collect();
    assert_eq!(kinds, [Kind::Directory, Kind::File, Kind::HardLink]);
    assert_eq!(entries[2].0.link, Path::new("first"));
}

#[test]
fn gnu_tar_and_this_reader_agree_on_sparse_files() {
    let base = std::env::temp_dir().join(format!("corten-sparse-{}", std::process::id()));
    std::fs::create_dir_all(&base).expect("made");
    let mut file = std::fs::File::create(base.join("sparse")).expect("made");
    let pieces: Vec<u64> = (0..40).map(|n| n * 300_000).collect();
    for at in &pieces {
        use std::io::{Seek, SeekFrom};
        file.seek(SeekFrom::Start(*at)).expect("sought");
        file.write_all(b"data").expect("written");
    }
    file.set_len(20_000_000).expect("extended");
    for format in [
        &["--format=gnu"][..],
        &["--format=pax", "--sparse-version=0.0"],
        &["--format=pax", "--sparse-version=0.1"],
        &["--format=pax", "--sparse-version=1.0"],
    ] {
        let output = Command::new("tar")
            .args(["-S", "-cf", "-", "-C"])
            .arg(&base)
            .args(format)
            .arg("sparse")
            .stderr(Stdio::inherit())
            .output();
        let archive = output.expect("GNU tar").stdout;
        assert!(archive.len() < 1_000_000, "{format:?}");
        let entries = read(&archive).expect("good");
        let (entry, data) = &entries[0];
        assert_eq!((entry.path.as_path(), entry.size), (Path::new("sparse"), 20_000_000), "{format:?}");
        let map = entry.sparse.as_ref().expect("sparse");
        let mut at = 0;
        for (offset, length) in map {
            for piece in pieces.iter().filter(|piece| (*offset..offset + length).contains(piece)) {
                let start = at + (piece - offset) as usize;
                assert_eq!(&data[start..start + 4], b"data");
            }
            at += *length as usize;
        }
        assert_eq!(at, data.len());
    }
    std::fs::remove_dir_all(&base).expect("removed");
}
