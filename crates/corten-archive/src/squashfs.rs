//! squashfs archives, through the programs of squashfs-tools as LXD does.

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

/// Names at the top of the archive.
///
/// # Errors
/// What the program said.
pub fn list_top(file: &Path) -> Result<Vec<String>> {
    let listed = Command::new("unsquashfs", PACKAGE).args(["-l", "-max-depth", "1"]).arg(file).run()?;
    let text = String::from_utf8_lossy(&listed);
    Ok(text.lines().filter_map(|line| line.strip_prefix("squashfs-root/")).map(ToString::to_string).collect())
}

/// The content of one file of the archive.
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
    fn command_lines() {
        let unpack = unsquashfs(Path::new("/i/x.squashfs"), Path::new("/v"), &["metadata.yaml", "templates"]);
        assert_eq!(unpack.line(), "unsquashfs -f -n -d /v /i/x.squashfs metadata.yaml templates");
        let pack = mksquashfs(Path::new("/v/rootfs"), Path::new("/i/x"), "zstd");
        assert_eq!(pack.line(), "mksquashfs /v/rootfs /i/x -noappend -no-progress -quiet -xattrs -comp zstd");
    }
}
