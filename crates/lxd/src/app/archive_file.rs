//! Writing an archive to its file in one pass: packed, compressed, hashed and told of.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use corten_api::error::{Context, Error, Kind, Result, chain};
use corten_archive::compress::Algorithm;
use corten_archive::error::Error as ArchiveError;
use corten_archive::pack::Pack;
use corten_archive::squashfs;
use corten_archive::watch::Watch;
use corten_host::xattr::IdShift;
use sha2::{Digest, Sha256};

use crate::app::projects::quota::{Metered, Quota};

/// How much is gathered before it goes to the compressor: headers are small.
const BUFFER: usize = 256 << 10;

/// An archive that is being packed.
pub type Packing<'a> = Pack<'a, &'a mut (dyn Write + 'a)>;

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// SHA-256 of the file in hexadecimal.
    pub sha256: String,
    /// Its bytes.
    pub size: u64,
}

/// Who listens, and who may end it.
#[derive(Clone, Copy)]
pub struct Listener<'a> {
    /// Hears the number of bytes packed so far, before they are compressed.
    pub packed: &'a (dyn Fn(u64) + Sync),
    /// Hears the number of bytes in the file so far.
    pub stored: &'a (dyn Fn(u64) + Sync),
    /// Set by someone who wants the work to end.
    pub cancelled: &'a AtomicBool,
    /// How many bytes may be packed.
    pub quota: &'a Quota,
}

/// Makes the new file `path` an archive of what `fill` packs.
///
/// # Errors
/// What `fill`, the compressor or the kernel says; what is in the file is of no use then.
pub fn write(
    path: &Path,
    algorithm: Algorithm,
    shift: Option<&dyn IdShift>,
    listener: Listener<'_>,
    fill: impl FnOnce(&mut Packing<'_>) -> Result<()>,
) -> Result<Written> {
    if algorithm.is_squashfs() {
        return write_squashfs(path, shift, listener, fill);
    }
    let file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let file = file.with_context(|| format!("Failed to create {}", path.display()))?;
    let stored = Hashed { output: file, hash: Sha256::new(), size: 0, listener };
    let mut compressor = algorithm.writer(stored).map_err(in_words)?;
    pack(&mut compressor, shift, listener, fill)?;
    let failed = || format!("Failed to write {}", path.display());
    Ok(compressor.finish().with_context(failed)?.end())
}

/// As [`write`], through the program that makes squashfs; it writes the file itself, which is then read once more.
fn write_squashfs(
    path: &Path,
    shift: Option<&dyn IdShift>,
    listener: Listener<'_>,
    fill: impl FnOnce(&mut Packing<'_>) -> Result<()>,
) -> Result<Written> {
    // The program finds the holes by itself, and does not know them in every form that tar has for them.
    let fill = |pack: &mut Packing<'_>| fill(pack.dense());
    let packed = squashfs::pack_stream(path, |output| pack(output, shift, listener, fill));
    // The program's own words say more than the pipe that it broke.
    packed.map_err(in_words)??;
    let reading = || format!("Failed to read {}", path.display());
    let mut file = File::open(path).with_context(reading)?;
    let mut hashed = Hashed { output: io::sink(), hash: Sha256::new(), size: 0, listener };
    let mut piece = vec![0; BUFFER];
    loop {
        match file.read(&mut piece).with_context(reading)? {
            0 => return Ok(hashed.end()),
            length => hashed.write_all(&piece[..length]).with_context(reading)?,
        }
    }
}

fn pack<'a>(
    output: &'a mut dyn Write,
    shift: Option<&dyn IdShift>,
    listener: Listener<'a>,
    fill: impl FnOnce(&mut Packing<'_>) -> Result<()>,
) -> Result<()> {
    let watch = Watch { cancelled: Some(listener.cancelled), progress: None };
    let mut counted =
        BufWriter::with_capacity(BUFFER, Counted { output: listener.quota.meter(output), size: 0, listener });
    let mut pack: Packing<'_> = Pack::new(&mut counted, shift, watch);
    fill(&mut pack)?;
    pack.finish().map_err(in_words)?;
    counted.flush().context("Failed to write the archive")
}

/// An archive's error as the API's.
pub fn in_words(error: ArchiveError) -> Error {
    let kind = if error.is_the_archives_fault() { Kind::Invalid } else { Kind::Internal };
    Error { kind, message: chain(&error) }
}

/// Counts what is packed, and ends when that is wanted: a single file may be large.
struct Counted<'a> {
    output: Metered<'a, &'a mut dyn Write>,
    size: u64,
    listener: Listener<'a>,
}

impl Write for Counted<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        if self.listener.cancelled.load(Ordering::Relaxed) {
            return Err(io::Error::other("Operation cancelled"));
        }
        let written = self.output.write(buffer)?;
        self.size += written as u64;
        (self.listener.packed)(self.size);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// Hashes and counts what goes into the file.
struct Hashed<'a, W> {
    output: W,
    hash: Sha256,
    size: u64,
    listener: Listener<'a>,
}

impl<W> Hashed<'_, W> {
    fn end(self) -> Written {
        Written { sha256: data_encoding::HEXLOWER.encode(&self.hash.finalize()), size: self.size }
    }
}

impl<W: Write> Write for Hashed<'_, W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.output.write(buffer)?;
        self.hash.update(&buffer[..written]);
        self.size += written as u64;
        (self.listener.stored)(self.size);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.output.flush()
    }
}

/// Speaks when there is something new to say: progress is counted in small pieces, and told in large ones.
pub struct Seldom<T>(Mutex<T>);

impl<T: PartialEq> Seldom<T> {
    /// Has said `first`.
    pub fn new(first: T) -> Seldom<T> {
        Seldom(Mutex::new(first))
    }

    /// Whether `now` is something else than what was said last; then it counts as said.
    pub fn is_news(&self, now: T) -> bool {
        let mut last = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let news = *last != now;
        if news {
            *last = now;
        }
        news
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("corten-archive-file-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder of ours");
        folder
    }

    #[test]
    fn the_file_is_what_its_hash_says_and_everything_is_counted() {
        let folder = scratch("hash");
        for value in ["none", "gzip", "squashfs"] {
            if value == "squashfs" && !squashfs_is_there() {
                println!("skipped: squashfs needs mksquashfs");
                continue;
            }
            let path = folder.join(value);
            let (packed, stored) = (Mutex::new(0), Mutex::new(0));
            let listener = Listener {
                packed: &|size| *packed.lock().expect("ours") = size,
                stored: &|size| *stored.lock().expect("ours") = size,
                cancelled: &AtomicBool::new(false),
                quota: &Quota::new(None),
            };
            let algorithm = Algorithm::parse(value).expect(value);
            let written = write(&path, algorithm, None, listener, |pack| {
                pack.file(Path::new("metadata.yaml"), &[7; 10_000], 0o644, 1).map_err(in_words)
            });
            let written = written.expect(value);
            let content = std::fs::read(&path).expect("it was written");
            assert_eq!(written.size, content.len() as u64, "{value}");
            assert_eq!(written.sha256, data_encoding::HEXLOWER.encode(&Sha256::digest(&content)), "{value}");
            assert_eq!(*stored.lock().expect("ours"), written.size, "{value}");
            assert!(*packed.lock().expect("ours") >= 10_000, "{value}");
        }
        std::fs::remove_dir_all(folder).expect("it is ours");
    }

    fn squashfs_is_there() -> bool {
        corten_host::command::Command::new("mksquashfs", "squashfs-tools").find().is_some()
    }

    #[test]
    fn who_cancels_ends_it_in_the_middle_of_a_file() {
        let folder = scratch("cancel");
        let cancelled = AtomicBool::new(false);
        let listener = Listener {
            packed: &|_| cancelled.store(true, Ordering::Relaxed),
            stored: &|_| {},
            cancelled: &cancelled,
            quota: &Quota::new(None),
        };
        let none = Algorithm::parse("none").expect("known");
        let outcome = write(&folder.join("x"), none, None, listener, |pack| {
            pack.file(Path::new("large"), &vec![0; 4 << 20], 0o644, 1).map_err(in_words)
        });
        assert!(outcome.expect_err("it was cancelled").message.contains("cancelled"));
        std::fs::remove_dir_all(folder).expect("it is ours");
    }
}
