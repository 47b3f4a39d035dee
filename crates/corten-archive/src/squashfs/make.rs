//! Making a squashfs, by the program of squashfs-tools.

use std::io::Write;
use std::path::Path;

use corten_host::command::Command;

use crate::error::Result;

/// The Debian package that has the program.
const PACKAGE: &str = "squashfs-tools";

/// The command line that packs the tree `from` into the new file `to`.
fn mksquashfs(from: &Path, to: &Path, compressor: &str) -> Command {
    let fixed = ["-noappend", "-no-progress", "-quiet", "-xattrs", "-comp"];
    Command::new("mksquashfs", PACKAGE).arg(from).arg(to).args(fixed).arg(compressor)
}

/// The command line that packs a tar archive from standard input into the new file `to`.
fn from_tar(to: &Path) -> Command {
    let fixed = ["-tar", "-noappend", "-no-progress", "-quiet", "-comp", "xz"];
    Command::new("mksquashfs", PACKAGE).arg("-").arg(to).args(fixed)
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
        let pack = mksquashfs(Path::new("/v/rootfs"), Path::new("/i/x"), "zstd");
        assert_eq!(pack.line(), "mksquashfs /v/rootfs /i/x -noappend -no-progress -quiet -xattrs -comp zstd");
        let stream = from_tar(Path::new("/i/x"));
        assert_eq!(stream.line(), "mksquashfs - /i/x -tar -noappend -no-progress -quiet -comp xz");
    }
}
