//! The tar reader: every entry and all of its data.

use std::io::Read;

use corten_archive::tar::BLOCK;
use corten_archive::tar::reader::Reader;

pub fn run(data: &[u8]) {
    let archive = summed(data);
    let mut reader = Reader::new(archive.as_slice());
    let mut buffer = Vec::new();
    while let Ok(Some(entry)) = reader.next_entry() {
        buffer.clear();
        let read = (&mut reader).take(1 << 20).read_to_end(&mut buffer);
        if let Some(map) = &entry.sparse {
            let mut end = 0u64;
            for (offset, length) in map {
                assert!(*offset >= end, "a map out of order: {map:?}");
                end = offset.checked_add(*length).expect("a map that ends");
            }
            assert!(end <= entry.size, "{map:?} is beyond {}", entry.size);
        }
        if read.is_err() {
            break;
        }
    }
}

/// The bytes with the right sum in every block that looks like a header: a fuzzer would not find these by itself.
pub fn summed(data: &[u8]) -> Vec<u8> {
    let mut archive = data.to_vec();
    for block in archive.chunks_exact_mut(BLOCK).filter(|block| &block[257..262] == b"ustar") {
        block[148..156].fill(b' ');
        let sum: u32 = block.iter().map(|byte| u32::from(*byte)).sum();
        block[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    }
    archive
}
