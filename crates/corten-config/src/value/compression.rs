//! Compressors of images and backups, and names of architectures.

use super::Kind;
use super::choice::OneOf;
use super::go_text::quoted;

/// A compressor: `none`, `squashfs`, or a known program with its arguments.
///
/// Whether the program is on this host is looked at when it is used, where the package that brings it can be named.
#[derive(Clone, Copy, Debug)]
pub struct Compression;

const COMMANDS: [&str; 8] = ["bzip2", "gzip", "lzma", "pigz", "pzstd", "squashfs", "xz", "zstd"];

impl Kind for Compression {
    type Value = String;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<String, String> {
        let command = text.split_whitespace().next().ok_or_else(|| "No compression algorithm specified".to_owned())?;
        match text == "none" || COMMANDS.contains(&command) {
            true => Ok(text.to_owned()),
            false => Err(format!("Invalid compression algorithm {}", quoted(command))),
        }
    }

    fn accepts(&self) -> String {
        format!("none, or one of {} with arguments", COMMANDS.join(", "))
    }
}

/// The name of an architecture as the kernel has it.
#[derive(Clone, Copy, Debug)]
pub struct Architecture;

const ARCHITECTURES: OneOf = OneOf(&[
    "i686", "x86_64", "armv7l", "aarch64", "ppc", "ppc64", "ppc64le", "s390x", "mips", "mips64", "riscv32", "riscv64",
    "armv6l", "armv8l",
]);

impl Kind for Architecture {
    type Value = String;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<String, String> {
        ARCHITECTURES.parse(text)
    }

    fn accepts(&self) -> String {
        ARCHITECTURES.accepts()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases() {
        for text in ["none", "gzip", "zstd -19 -T0", "squashfs"] {
            assert!(Compression.parse(text).is_ok(), "{text}");
        }
        assert_eq!(Compression.parse("rar -x"), Err("Invalid compression algorithm \"rar\"".to_owned()));
        assert!(Architecture.parse("x86_64").is_ok() && Architecture.parse("amd64").is_err());
    }
}
