//! Record sizes of ZFS: powers of two from 512 bytes to 16 MiB.

use super::Kind;
use super::byte_size;

/// The record size of a ZFS volume, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct BlockSize;

impl Kind for BlockSize {
    type Value = i64;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<i64, String> {
        let bytes = byte_size::parse(text)?;
        match (512..=16 << 20).contains(&bytes) && bytes & (bytes - 1) == 0 {
            true => Ok(bytes),
            false => Err("Value should be between 512 and 16MiB, and be power of 2".to_owned()),
        }
    }

    fn accepts(&self) -> String {
        "a power of two from 512 to 16MiB".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn powers() {
        assert_eq!(BlockSize.parse("128KiB"), Ok(128 << 10));
        for text in ["256", "32MiB", "1000"] {
            assert!(BlockSize.parse(text).is_err(), "{text}");
        }
    }
}
