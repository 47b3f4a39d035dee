//! `limits.memory`: a size, or a percentage of the host's memory.

use super::Kind;
use super::byte_size;
use super::go_text::parse_int;

/// How much memory is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Memory {
    /// So many bytes.
    Bytes(i64),
    /// So many hundredths of the host's memory.
    Percent(i64),
}

impl Default for Memory {
    fn default() -> Memory {
        Memory::Percent(100)
    }
}

impl Memory {
    /// The limit in bytes on a host with so many.
    pub fn bytes(self, host: i64) -> i64 {
        match self {
            Memory::Bytes(bytes) => bytes,
            Memory::Percent(percent) => (host / 100).saturating_mul(percent),
        }
    }
}

/// The value of `limits.memory`.
#[derive(Clone, Copy, Debug)]
pub struct MemoryLimit;

impl Kind for MemoryLimit {
    type Value = Memory;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<Memory, String> {
        match text.strip_suffix('%') {
            Some(percent) => match parse_int("ParseInt", percent)? {
                0 => Err("Memory limit can't be 0%".to_owned()),
                percent => Ok(Memory::Percent(percent)),
            },
            None => match byte_size::parse(text)? {
                0 => Err("Memory limit can't be 0".to_owned()),
                bytes => Ok(Memory::Bytes(bytes)),
            },
        }
    }

    fn accepts(&self) -> String {
        "a size such as 1GiB, or a percentage of the host's memory".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases() {
        assert_eq!(MemoryLimit.parse("1GiB"), Ok(Memory::Bytes(1 << 30)));
        assert_eq!(MemoryLimit.parse("10%"), Ok(Memory::Percent(10)));
        assert_eq!(MemoryLimit.parse("0%"), Err("Memory limit can't be 0%".to_owned()));
        assert_eq!(MemoryLimit.parse("0MB"), Err("Memory limit can't be 0".to_owned()));
        assert_eq!(MemoryLimit.parse("lots"), Err("Invalid value: lots".to_owned()));
        assert_eq!(Memory::Percent(25).bytes(4000), 1000);
    }
}
