//! squashfs archives, through the programs of squashfs-tools as LXD does.

use std::io::Write;
use std::path::Path;

use corten_host::command::{Command, Failed};

use crate::error::{Error, Result};

/// The Debian package that has both programs.
const PACKAGE: &str = "squashfs-tools";

/// The command line that unpacks `file` into the directory `to`; with `names`, only these files and directories.
fn unsquashfs(file: &Path, to: &Path, names: &[&str]) -> Command {
    Command::new("unsquashfs", PACKAGE).args(["-f", "-n", "-d"]).arg(to).arg(file).args(names.iter().copied())
}

/// The command line that packs the tree `from` into the new file `to`.
fn mksquashfs(from: &Path, to: &Path, compressor: &str) -> Command {
    let fixed = ["-noappend", "-no-progress", "-quiet", "-xattrs", "-comp"];
    Command::new("mksquashfs", PACKAGE).arg(from).arg(to).args(fixed).arg(compressor)
}

/// Unpacks `file` into the directory `to`; with `names`, only these files and directories of it, where they are
/// there at all.
///
/// # Errors
/// [`Error::NoSpace`] when the target is full, else what the program said.
pub fn unpack(file: &Path, to: &Path, names: &[&str]) -> Result<()> {
    match unsquashfs(file, to, names).run() {
        Ok(_) => Ok(()),
        // LXD looks at the same number: the program's own words about a full disk vary.
        Err(Failed::Status { .. }) if rustix::fs::statvfs(to).is_ok_and(|stat| stat.f_bfree < 10) => {
            Err(Error::NoSpace)
        }
        Err(error) => Err(error.into()),
    }
}

/// Something at the top of a squashfs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Top {
    /// Its name.
    pub name: String,
    /// Whether it is a regular file.
    pub is_file: bool,
    /// Its size in bytes.
    pub size: u64,
}

/// What is at the top of `file`, without unpacking anything.
///
/// # Errors
/// What the program said.
pub fn top(file: &Path) -> Result<Vec<Top>> {
    let list = Command::new("unsquashfs", PACKAGE).args(["-lln", "-max-depth", "1", "-d", ""]).arg(file);
    let text = list.run()?;
    Ok(String::from_utf8_lossy(&text).lines().filter_map(listed).collect())
}

/// A line as `unsquashfs -lln -d ""` writes it: mode, owner, size, date, time, `/name`.
fn listed(line: &str) -> Option<Top> {
    let mut words = line.split_ascii_whitespace();
    let mode = words.next()?;
    let size = words.nth(1)?;
    let name = line.split_once(" /")?.1;
    let is_link = mode.starts_with('l');
    let name = name.split(" -> ").next().filter(|_| is_link).unwrap_or(name);
    Some(Top { name: name.to_string(), is_file: mode.starts_with('-'), size: size.parse().unwrap_or(u64::MAX) })
}

/// The content of the regular file `name` of `file`. All of it is held in memory: look at its size with [`top`] first.
///
/// # Errors
/// [`Error::TooLarge`] when it has more than `limit` bytes; what the program said.
pub fn read(file: &Path, name: &str, limit: u64) -> Result<Vec<u8>> {
    let content = Command::new("unsquashfs", PACKAGE).arg("-cat").arg(file).arg(name).run()?;
    if content.len() as u64 > limit {
        return Err(Error::TooLarge { what: "bytes in one file", limit });
    }
    Ok(content)
}

/// Packs the tar archive that `fill` writes into the new file `to`, compressed with xz as LXD does, and gives what
/// `fill` gave.
///
/// # Errors
/// What the program said; then `fill` has seen its pipe break.
pub fn pack_stream<T>(to: &Path, fill: impl FnOnce(&mut dyn Write) -> T) -> Result<T> {
    let packed = from_tar(to).run_fed(fill)?;
    Ok(packed.0)
}

/// The command line that packs a tar archive from standard input into the new file `to`.
fn from_tar(to: &Path) -> Command {
    let fixed = ["-tar", "-noappend", "-no-progress", "-quiet", "-comp", "xz"];
    Command::new("mksquashfs", PACKAGE).arg("-").arg(to).args(fixed)
}

/// Packs the tree `from` into the new file `to`, compressed with `compressor` (`gzip`, `xz`, `zstd`, …).
///
/// # Errors
/// What the program said.
pub fn pack(from: &Path, to: &Path, compressor: &str) -> Result<()> {
    mksquashfs(from, to, compressor).run()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings() {
        let top = |name: &str, is_file, size| Some(Top { name: name.to_string(), is_file, size });
        let cases = [
            ("-rw-r--r-- 0/0                   154 2023-11-14 22:13 /metadata.yaml", top("metadata.yaml", true, 154)),
            ("drwxr-xr-x 0/0                   201 2023-11-14 22:13 /rootfs", top("rootfs", false, 201)),
            (
                "lrwxrwxrwx 0/0                     3 2023-11-14 22:13 /metadata.yaml -> /etc",
                top("metadata.yaml", false, 3),
            ),
            ("drwxr-xr-x 0/0                   201 2023-11-14 22:13", None),
        ];
        for (line, wanted) in cases {
            assert_eq!(listed(line), wanted, "{line}");
        }
    }

    #[test]
    fn command_lines() {
        let unpack = unsquashfs(Path::new("/i/x.squashfs"), Path::new("/v"), &["metadata.yaml", "templates"]);
        assert_eq!(unpack.line(), "unsquashfs -f -n -d /v /i/x.squashfs metadata.yaml templates");
        let pack = mksquashfs(Path::new("/v/rootfs"), Path::new("/i/x"), "zstd");
        assert_eq!(pack.line(), "mksquashfs /v/rootfs /i/x -noappend -no-progress -quiet -xattrs -comp zstd");
        let stream = from_tar(Path::new("/i/x"));
        assert_eq!(stream.line(), "mksquashfs - /i/x -tar -noappend -no-progress -quiet -comp xz");
    }
}
