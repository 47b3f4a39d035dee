//! Unpacking a block of LZO1X, as the kernel's `Documentation/staging/lzo.rst` describes it.

use super::lz4::repeat;

/// A block on its way: where reading and writing are.
struct Block<'a> {
    input: &'a [u8],
    output: &'a mut [u8],
    from: usize,
    to: usize,
}

/// How many bytes of `output` the block fills; `None` for one that is damaged or has more in it.
pub fn unpack(input: &[u8], output: &mut [u8]) -> Option<usize> {
    let mut block = Block { input, output, from: 0, to: 0 };
    // What the last instruction copied besides: 0 to 3 literals, or 4 for a long run of them.
    let mut state = 0;
    if let Some(run) = usize::from(*input.first()?).checked_sub(17).filter(|run| *run > 0) {
        block.from = 1;
        block.literals(run)?;
        state = run.min(4);
    }
    loop {
        let code = usize::from(block.byte()?);
        let (distance, length, next) = match code {
            0..16 if state == 0 => {
                let run = if code == 0 { block.long(15)? } else { code };
                block.literals(run + 3)?;
                state = 4;
                continue;
            }
            0..16 if state < 4 => (1 + (code >> 2) + (usize::from(block.byte()?) << 2), 2, code & 3),
            0..16 => (0x801 + (code >> 2) + (usize::from(block.byte()?) << 2), 3, code & 3),
            16..32 => {
                let length = 2 + if code & 7 == 0 { block.long(7)? } else { code & 7 };
                let (low, next) = block.pair()?;
                let distance = ((code & 8) << 11) + low;
                if distance == 0 {
                    // The end, after which nothing comes.
                    return Some(block.to).filter(|_| length == 3 && block.from == block.input.len());
                }
                (distance + 0x4000, length, next)
            }
            32..64 => {
                let length = 2 + if code & 31 == 0 { block.long(31)? } else { code & 31 };
                let (low, next) = block.pair()?;
                (1 + low, length, next)
            }
            _ => (1 + ((code >> 2) & 7) + (usize::from(block.byte()?) << 3), (code >> 5) + 1, code & 3),
        };
        repeat(block.output, block.to, distance, length)?;
        block.to += length;
        block.literals(next)?;
        state = next;
    }
}

impl Block<'_> {
    fn byte(&mut self) -> Option<u8> {
        let byte = *self.input.get(self.from)?;
        self.from += 1;
        Some(byte)
    }

    /// A length beyond what the code holds: 255 for each zero byte, and the first other one.
    fn long(&mut self, base: usize) -> Option<usize> {
        let mut length = base;
        loop {
            match self.byte()? {
                0 => length += 255,
                last => return Some(length + usize::from(last)),
            }
        }
    }

    /// Sixteen bits: a distance, and how many literals follow.
    fn pair(&mut self) -> Option<(usize, usize)> {
        let both = usize::from(self.byte()?) | usize::from(self.byte()?) << 8;
        Some((both >> 2, both & 3))
    }

    fn literals(&mut self, count: usize) -> Option<()> {
        let (from, to) = (self.from..self.from.checked_add(count)?, self.to..self.to.checked_add(count)?);
        self.output.get_mut(to)?.copy_from_slice(self.input.get(from)?);
        self.from += count;
        self.to += count;
        Some(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks() {
        let cases: [(&[u8], Option<&[u8]>); 6] = [
            (b"\x16Hello\x11\x00\x00", Some(b"Hello")),
            (b"\x02Hello\x11\x00\x00", Some(b"Hello")),
            (b"\x16Hello\x60\x00\x11\x00\x00", Some(b"Hellooooo")),
            (b"\x16Hello\x60\x01\x11\x00\x00", None),
            (b"\x16Hello\x11\x00", None),
            (b"", None),
        ];
        for (block, wanted) in cases {
            let mut output = [0; 64];
            let length = unpack(block, &mut output);
            assert_eq!(length.map(|length| &output[..length]), wanted, "{block:x?}");
        }
        assert_eq!(unpack(b"\x16Hello\x11\x00\x00", &mut [0; 4]), None, "more than there is room for");
    }
}
