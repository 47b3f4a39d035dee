//! Unpacking a block of LZ4 (its "block format").

/// How many bytes of `output` the block fills; `None` for one that is damaged or has more in it.
pub fn unpack(input: &[u8], output: &mut [u8]) -> Option<usize> {
    let (mut from, mut to) = (0usize, 0usize);
    loop {
        let token = *input.get(from)?;
        from += 1;
        let literals = length(input, &mut from, token >> 4)?;
        let end = from.checked_add(literals)?;
        output.get_mut(to..to.checked_add(literals)?)?.copy_from_slice(input.get(from..end)?);
        (from, to) = (end, to + literals);
        // The last sequence has literals only.
        if from == input.len() {
            return Some(to);
        }
        let distance = usize::from(u16::from_le_bytes([*input.get(from)?, *input.get(from + 1)?]));
        from += 2;
        let matched = length(input, &mut from, token & 15)?.checked_add(4)?;
        repeat(output, to, distance, matched)?;
        to += matched;
    }
}

/// A length of which four bits are in the token: 15 says that bytes follow, up to one that is not 255.
fn length(input: &[u8], from: &mut usize, short: u8) -> Option<usize> {
    let mut length = usize::from(short);
    if short == 15 {
        loop {
            let more = *input.get(*from)?;
            *from += 1;
            length = length.checked_add(usize::from(more))?;
            if more != 255 {
                break;
            }
        }
    }
    Some(length)
}

/// Writes at `at` the `length` bytes that begin `distance` before it; what is written counts as well.
pub fn repeat(output: &mut [u8], at: usize, distance: usize, length: usize) -> Option<()> {
    let start = at.checked_sub(distance).filter(|_| distance > 0)?;
    if at.checked_add(length)? > output.len() {
        return None;
    }
    let mut done = 0;
    while done < length {
        // Each turn doubles what can be copied in one piece.
        let piece = (length - done).min(distance + done);
        output.copy_within(start..start + piece, at + done);
        done += piece;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks() {
        let cases: [(&[u8], Option<&[u8]>); 8] = [
            (b"\x50Hello", Some(b"Hello")),
            (b"\x12a\x01\x00\x10b", Some(b"aaaaaaab")),
            (b"\x32abc\x03\x00\x10d", Some(b"abcabcabcd")),
            (b"\x12a\x00\x00\x10b", None),
            (b"\x12a\x02\x00\x10b", None),
            (b"\x50Hell", None),
            (b"\xf0\xff", None),
            (b"", None),
        ];
        for (block, wanted) in cases {
            let mut output = [0; 64];
            let length = unpack(block, &mut output);
            assert_eq!(length.map(|length| &output[..length]), wanted, "{block:x?}");
        }
        assert_eq!(unpack(b"\x50Hello", &mut [0; 4]), None, "more than there is room for");
    }
}
