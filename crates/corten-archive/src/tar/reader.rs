//! Reading a tar archive entry by entry. What two programs could understand differently is refused.

use std::ffi::OsString;
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::header::{Header, field};
use super::pax::{self, Records};
use super::{BLOCK, Entry, Kind, sparse};
use crate::error::{Error, Result};

/// Headers that describe the next entry may be this long, in bytes; names and attributes are far shorter.
const LONGEST: u64 = 4 << 20;

/// Records for all entries that follow may be this long altogether, in bytes: they are looked through for each of them.
const LONGEST_GLOBALS: u64 = 16 << 10;

/// A tar archive that is read from `input`. After [`Reader::next_entry`], reading gives the entry's stored data.
pub struct Reader<R> {
    input: R,
    /// Stored bytes of the current entry that were not read yet.
    left: u64,
    /// Padding after them.
    padding: u64,
    globals: Records,
    ended: bool,
}

/// What the headers before an entry's own say about it.
#[derive(Default)]
struct Before {
    records: Records,
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
}

impl<R: Read> Reader<R> {
    /// Reads `input`, which is not compressed.
    pub fn new(input: R) -> Reader<R> {
        Reader { input, left: 0, padding: 0, globals: Records::new(), ended: false }
    }

    /// Skips what is left of the current entry and gives the next one; `None` at the end.
    ///
    /// # Errors
    /// [`Error::Damaged`] for an archive that breaks the format's rules or ends inside an entry.
    pub fn next_entry(&mut self) -> Result<Option<Entry>> {
        let mut before = Before::default();
        let mut pending = false;
        loop {
            self.skip()?;
            let Some(header) = self.header()? else {
                return if pending { Err(Error::reading(io::ErrorKind::UnexpectedEof.into())) } else { Ok(None) };
            };
            pending = true;
            match header.kind() {
                b'x' => {
                    pax::read(&self.described(&header)?, &mut before.records)?;
                    bounded(&before.records, LONGEST)?;
                }
                b'g' => {
                    let data = self.described(&header)?;
                    pax::read(&data, &mut self.globals)?;
                    bounded(&self.globals, LONGEST_GLOBALS)?;
                    pending = false;
                }
                b'L' => before.path = Some(self.long_name(&header)?),
                b'K' => before.link = Some(self.long_name(&header)?),
                // The name of the volume: says nothing about files.
                b'V' => {
                    self.begin(size_of(&header)?)?;
                    pending = false;
                }
                _ => return self.entry(&header, before).map(Some),
            }
        }
    }

    /// The next header block; `None` at the end of the archive.
    fn header(&mut self) -> Result<Option<Header>> {
        if self.ended {
            return Ok(None);
        }
        let mut header = Header([0; BLOCK]);
        // Archives without the two zero blocks at the end are common enough that all programs accept them.
        let first = loop {
            match self.input.read(&mut header.0) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                outcome => break outcome.map_err(Error::reading)?,
            }
        };
        if first > 0 {
            self.input.read_exact(&mut header.0[first..]).map_err(Error::reading)?;
        }
        if first == 0 || header.is_end() {
            self.ended = true;
            return Ok(None);
        }
        header.verify()?;
        Ok(Some(header))
    }

    /// Begins an entry with this many stored bytes.
    fn begin(&mut self, stored: u64) -> Result<()> {
        if i64::try_from(stored).is_err() {
            return Err(Error::Damaged("an entry's size is larger than any file".to_string()));
        }
        self.left = stored;
        self.padding = stored.next_multiple_of(BLOCK as u64) - stored;
        Ok(())
    }

    /// Reads what is left of the current entry and its padding.
    fn skip(&mut self) -> Result<()> {
        let mut rest = std::mem::take(&mut self.left) + std::mem::take(&mut self.padding);
        let mut scrap = [0; 8192];
        while rest > 0 {
            let length = rest.min(scrap.len() as u64) as usize;
            self.input.read_exact(&mut scrap[..length]).map_err(Error::reading)?;
            rest -= length as u64;
        }
        Ok(())
    }

    /// The data of an entry that describes another.
    fn described(&mut self, header: &Header) -> Result<Vec<u8>> {
        let size = size_of(header)?;
        if size > LONGEST {
            return Err(Error::TooLarge { what: "bytes in an extended header", limit: LONGEST });
        }
        self.begin(size)?;
        let mut data = vec![0; size as usize];
        self.input.read_exact(&mut data).map_err(Error::reading)?;
        self.left = 0;
        Ok(data)
    }

    fn long_name(&mut self, header: &Header) -> Result<Vec<u8>> {
        let mut name = self.described(header)?;
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        name.truncate(end);
        Ok(name)
    }

    fn entry(&mut self, header: &Header, before: Before) -> Result<Entry> {
        let mut records = self.globals.clone();
        records.extend(before.records);
        let text = |keyword: &str, long: Option<Vec<u8>>, own: PathBuf| -> PathBuf {
            let record = records.get(keyword).filter(|value| !value.is_empty()).cloned();
            record.or(long).map_or(own, |bytes| PathBuf::from(OsString::from_vec(bytes)))
        };
        let own_link = OsString::from_vec(header.text(&field::LINK).to_vec()).into();
        let mut path = text("path", before.path, header.path());
        let link = text("linkpath", before.link, own_link);
        let kind = kind_of(header.kind(), &path)?;
        let id = |keyword: &str, field| -> Result<u32> {
            let number = match pax::number::<i64>(&records, keyword)? {
                Some(number) => number,
                None => header.number(field)?,
            };
            u32::try_from(number).map_err(|_| Error::Damaged(format!("{number} is no {keyword}")))
        };
        let (uid, gid) = (id("uid", &field::UID)?, id("gid", &field::GID)?);
        let mtime = match pax::time(&records, "mtime")? {
            Some(time) => time,
            None => (header.number(&field::MTIME)?, 0),
        };
        let stored = match pax::number::<u64>(&records, "size")? {
            Some(size) => size,
            None => size_of(header)?,
        };
        let (size, map) = self.content(header, kind, stored, &records, &path)?;
        if map.is_some()
            && let Some(name) = records.get("GNU.sparse.name")
        {
            path = OsString::from_vec(name.clone()).into();
        }
        let device = |field| header.number(field).map(|number| u32::try_from(number).unwrap_or(0));
        let is_device = matches!(kind, Kind::Character | Kind::Block);
        let device = if is_device { (device(&field::MAJOR)?, device(&field::MINOR)?) } else { (0, 0) };
        for name in [&path, &link] {
            if name.as_os_str().as_bytes().contains(&0) {
                return Err(Error::refused(name, "its name has a zero byte"));
            }
        }
        let xattrs = pax::attributes(&records);
        let mode = u32::try_from(header.number(&field::MODE)? & 0o7777).unwrap_or(0);
        Ok(Entry { path, kind, mode, uid, gid, mtime, size, link, device, xattrs, sparse: map })
    }

    /// Makes the entry's data readable, and gives its size and, of a sparse file, its map.
    fn content(
        &mut self,
        header: &Header,
        kind: Kind,
        stored: u64,
        records: &Records,
        path: &std::path::Path,
    ) -> Result<(u64, Option<sparse::Map>)> {
        match kind {
            Kind::File if header.kind() == b'S' => {
                let (map, size) = sparse::gnu(header, &mut self.input)?;
                self.begin(stored)?;
                self.check_stored(&map, size)?;
                Ok((size, Some(map)))
            }
            Kind::File => {
                self.begin(stored)?;
                // The map may not be looked for beyond the entry's own bytes.
                let limit = self.left;
                match sparse::posix(records, &mut self.input.by_ref().take(limit))? {
                    None => Ok((stored, None)),
                    Some((map, size, read)) => {
                        self.left -= read;
                        self.check_stored(&map, size)?;
                        Ok((size, Some(map)))
                    }
                }
            }
            // All programs agree that a hard link has no data, whatever size it says: it is that of the file.
            Kind::HardLink => Ok((0, None)),
            // They disagree about these, so that a hidden entry could be smuggled past one of them.
            _ if stored != 0 => {
                Err(Error::refused(path, format!("its size is {stored}, but an entry of its type has no data")))
            }
            _ => Ok((0, None)),
        }
    }

    fn check_stored(&self, map: &sparse::Map, size: u64) -> Result<()> {
        let stored = sparse::stored(map, size)?;
        if stored == self.left {
            return Ok(());
        }
        Err(Error::Damaged(format!("a sparse file has {} bytes of data where its map says {stored}", self.left)))
    }
}

impl<R: Read> Read for Reader<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if length == 0 {
            return Ok(0);
        }
        let read = self.input.read(&mut buffer[..length])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        Ok(read)
    }
}

/// Refuses more records than `limit` bytes, however many headers they came in.
fn bounded(records: &Records, limit: u64) -> Result<()> {
    let length = records.iter().map(|(keyword, value)| (keyword.len() + value.len()) as u64).sum::<u64>();
    if length > limit { Err(Error::TooLarge { what: "bytes in extended headers", limit }) } else { Ok(()) }
}

fn size_of(header: &Header) -> Result<u64> {
    let size = header.number(&field::SIZE)?;
    u64::try_from(size).map_err(|_| Error::Damaged(format!("an entry's size is {size}")))
}

/// What the type character means. Before POSIX a directory was a file whose name ends with a slash.
fn kind_of(character: u8, path: &std::path::Path) -> Result<Kind> {
    Ok(match character {
        b'0' | 0 | b'7' if path.as_os_str().as_bytes().ends_with(b"/") => Kind::Directory,
        b'0' | 0 | b'7' | b'S' => Kind::File,
        b'1' => Kind::HardLink,
        b'2' => Kind::Symlink,
        b'3' => Kind::Character,
        b'4' => Kind::Block,
        b'5' => Kind::Directory,
        b'6' => Kind::Fifo,
        other => {
            let reason = format!("its type is '{}', which is not known", char::from(other).escape_default());
            return Err(Error::refused(path, reason));
        }
    })
}

#[cfg(test)]
mod tests;
