//! Writing tar archives: ustar headers, with a pax header before those that do not fit.

use std::ffi::OsStr;
use std::io::{self, Read, Write};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;

use super::header::field;
use super::{BLOCK, Entry, Kind};

/// A tar archive that is written to `output`.
pub struct Writer<W> {
    output: W,
}

impl<W: Write> Writer<W> {
    /// Begins an archive.
    pub fn new(output: W) -> Writer<W> {
        Writer { output }
    }

    /// Writes an entry. `data` must give as many bytes as the entry's size is, or, for a sparse entry, as its map
    /// has. Data that ends too early is filled up with zeros, as GNU tar does for a file that shrinks.
    ///
    /// # Errors
    /// What writing or reading says.
    pub fn entry(&mut self, entry: &Entry, data: &mut dyn Read) -> io::Result<()> {
        let map = entry.sparse.as_deref().map(sparse_map);
        let pieces: u64 = entry.sparse.iter().flatten().map(|(_, length)| length).sum();
        let stored = match (&map, entry.kind) {
            (Some(map), Kind::File) => map.len() as u64 + pieces,
            (None, Kind::File) => entry.size,
            _ => 0,
        };
        let mut records = records(entry, stored);
        if map.is_some() {
            record(&mut records, "GNU.sparse.major", b"1");
            record(&mut records, "GNU.sparse.minor", b"0");
            record(&mut records, "GNU.sparse.name", entry.path.as_os_str().as_bytes());
            record(&mut records, "GNU.sparse.realsize", entry.size.to_string().as_bytes());
        }
        if !records.is_empty() {
            let mut name = b"PaxHeaders.0/".to_vec();
            name.extend_from_slice(base_name(entry));
            let header =
                Fields { name: &name, kind: b'x', size: records.len() as u64, mode: 0o644, ..Fields::default() };
            self.output.write_all(&header.block())?;
            self.padded(&records)?;
        }
        self.output.write_all(&fields(entry, stored).block())?;
        let Some(map) = map else { return self.data(data, stored) };
        self.output.write_all(&map)?;
        self.data(data, pieces)
    }

    /// Writes the end of the archive and gives back what it was written to.
    ///
    /// # Errors
    /// What writing says.
    pub fn finish(mut self) -> io::Result<W> {
        self.output.write_all(&[0; 2 * BLOCK])?;
        self.output.flush()?;
        Ok(self.output)
    }

    fn data(&mut self, data: &mut dyn Read, size: u64) -> io::Result<()> {
        let copied = io::copy(&mut data.take(size), &mut self.output)?;
        io::copy(&mut io::repeat(0).take(size.next_multiple_of(BLOCK as u64) - copied), &mut self.output)?;
        Ok(())
    }

    fn padded(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.output.write_all(bytes)?;
        self.output.write_all(&[0; BLOCK][..bytes.len().next_multiple_of(BLOCK) - bytes.len()])
    }
}

/// The map of a sparse file in GNU's form 1.0: decimal lines, padded.
fn sparse_map(pieces: &[(u64, u64)]) -> Vec<u8> {
    let mut map = format!("{}\n", pieces.len());
    for (offset, length) in pieces {
        map += &format!("{offset}\n{length}\n");
    }
    let mut map = map.into_bytes();
    map.resize(map.len().next_multiple_of(BLOCK), 0);
    map
}

/// The last part of an entry's path, cut to what fits in a name of a header that nobody reads.
fn base_name(entry: &Entry) -> &[u8] {
    let name = entry.path.file_name().unwrap_or(OsStr::new(".")).as_bytes();
    &name[..name.len().min(80)]
}

/// Values of the header's fields; numbers that do not fit are written as 0 and stand in a pax header instead.
#[derive(Default)]
struct Fields<'a> {
    name: &'a [u8],
    link: &'a [u8],
    kind: u8,
    mode: u64,
    uid: u64,
    gid: u64,
    size: u64,
    mtime: u64,
    device: (u32, u32),
}

/// What `stored` is of an entry: the header's size.
fn fields(entry: &Entry, stored: u64) -> Fields<'_> {
    let kind = match entry.kind {
        Kind::File => b'0',
        Kind::HardLink => b'1',
        Kind::Symlink => b'2',
        Kind::Character => b'3',
        Kind::Block => b'4',
        Kind::Directory => b'5',
        Kind::Fifo => b'6',
    };
    Fields {
        name: entry.path.as_os_str().as_bytes(),
        link: entry.link.as_os_str().as_bytes(),
        kind,
        mode: entry.mode.into(),
        uid: entry.uid.into(),
        gid: entry.gid.into(),
        size: stored,
        mtime: u64::try_from(entry.mtime.0).unwrap_or(0),
        device: entry.device,
    }
}

/// The largest number that fits in a field as octal text with a zero byte after it.
fn most(field: &Range<usize>) -> u64 {
    (1 << (3 * (field.len() - 1))) - 1
}

impl Fields<'_> {
    fn block(&self) -> [u8; BLOCK] {
        let mut block = [0; BLOCK];
        let mut text = |field: Range<usize>, text: &[u8]| {
            let length = text.len().min(field.len());
            block[field.start..field.start + length].copy_from_slice(&text[..length]);
        };
        text(field::NAME, self.name);
        text(field::LINK, self.link);
        text(field::MAGIC, b"ustar\x0000");
        let numbers = [
            (field::MODE, self.mode),
            (field::UID, self.uid),
            (field::GID, self.gid),
            (field::SIZE, self.size),
            (field::MTIME, self.mtime),
            (field::MAJOR, self.device.0.into()),
            (field::MINOR, self.device.1.into()),
        ];
        for (field, number) in numbers {
            let number = if number > most(&field) { 0 } else { number };
            let width = field.len() - 1;
            text(field, format!("{number:0width$o}").as_bytes());
        }
        block[field::TYPE] = self.kind;
        block[field::CHECKSUM].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[field::CHECKSUM][..7].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        block
    }
}

/// Everything of an entry that its header cannot hold.
fn records(entry: &Entry, stored: u64) -> Vec<u8> {
    let mut records = Vec::new();
    let (path, link) = (entry.path.as_os_str().as_bytes(), entry.link.as_os_str().as_bytes());
    if entry.sparse.is_none() && path.len() > field::NAME.len() {
        record(&mut records, "path", path);
    }
    if link.len() > field::LINK.len() {
        record(&mut records, "linkpath", link);
    }
    for (keyword, number, field) in [
        ("uid", u64::from(entry.uid), field::UID),
        ("gid", u64::from(entry.gid), field::GID),
        ("size", stored, field::SIZE),
    ] {
        if number > most(&field) {
            record(&mut records, keyword, number.to_string().as_bytes());
        }
    }
    let (seconds, nanos) = entry.mtime;
    if seconds < 0 || nanos != 0 || u64::try_from(seconds).is_ok_and(|seconds| seconds > most(&field::MTIME)) {
        record(&mut records, "mtime", time(seconds, nanos).as_bytes());
    }
    for (name, value) in &entry.xattrs {
        if let Some(name) = name.to_str() {
            record(&mut records, &format!("SCHILY.xattr.{name}"), value);
        }
    }
    records
}

/// A time as pax has it; the kernel counts nanoseconds upwards also before 1970.
fn time(seconds: i64, nanos: u32) -> String {
    let fraction = |nanos: u32| format!("{nanos:09}").trim_end_matches('0').to_string();
    match (seconds, nanos) {
        (_, 0) => seconds.to_string(),
        (..0, _) => {
            let sign = if seconds == -1 { "-" } else { "" };
            format!("{sign}{}.{}", seconds + 1, fraction(1_000_000_000 - nanos))
        }
        _ => format!("{seconds}.{}", fraction(nanos)),
    }
}

/// Adds `LENGTH KEYWORD=VALUE\n`, where the length counts itself.
fn record(records: &mut Vec<u8>, keyword: &str, value: &[u8]) {
    let rest = keyword.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    records.extend(format!("{length} {keyword}=").bytes());
    records.extend_from_slice(value);
    records.push(b'\n');
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tar::reader::Reader;

    #[test]
    fn what_is_written_is_read_again() {
        let plain = Entry {
            path: "dir/file".into(),
            kind: Kind::File,
            mode: 0o4755,
            uid: 1000,
            gid: 1000,
            mtime: (1_700_000_000, 0),
            size: 5,
            link: "".into(),
            device: (0, 0),
            xattrs: Vec::new(),
            sparse: None,
        };
        let long = Entry {
            path: format!("{}/file", "d".repeat(120)).into(),
            uid: 4_000_000_000,
            mtime: (-2, 750_000_000),
            xattrs: vec![("user.a".into(), b"1\n=\0\xff".to_vec())],
            ..plain.clone()
        };
        let link = Entry { kind: Kind::Symlink, size: 0, link: "x".repeat(300).into(), ..plain.clone() };
        let device = Entry { kind: Kind::Character, size: 0, device: (1, 3), ..plain.clone() };
        let sparse = Entry { size: 10_000_000_000, sparse: Some(vec![(0, 3), (9_999_999_998, 2)]), ..long.clone() };
        let entries = [plain, long, link, device, sparse];
        let mut writer = Writer::new(Vec::new());
        for entry in &entries {
            writer.entry(entry, &mut &b"hello"[..]).expect("written");
        }
        let archive = writer.finish().expect("written");
        let mut reader = Reader::new(&archive[..]);
        for entry in &entries {
            assert_eq!(reader.next_entry().expect("good").as_ref(), Some(entry));
        }
        assert_eq!(reader.next_entry().expect("good"), None);
    }

    #[test]
    fn a_file_that_shrank_is_filled_up() {
        let mut writer = Writer::new(Vec::new());
        let entry = Entry {
            path: "f".into(),
            kind: Kind::File,
            mode: 0o644,
            uid: 0,
            gid: 0,
            mtime: (0, 0),
            size: 600,
            link: "".into(),
            device: (0, 0),
            xattrs: Vec::new(),
            sparse: None,
        };
        writer.entry(&entry, &mut &b"short"[..]).expect("written");
        assert_eq!(writer.finish().expect("written").len(), 5 * BLOCK);
    }
}
