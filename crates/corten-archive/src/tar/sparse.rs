//! Maps of sparse files: GNU's old header blocks, and its three forms inside pax headers.

use std::io::Read;

use super::BLOCK;
use super::header::{Header, field, parse_number};
use super::pax::{self, Records};
use crate::error::{Error, Result};

/// Where a file has data, ordered: offset and length in bytes.
pub type Map = Vec<(u64, u64)>;

/// No real file has more pieces; a map is held in memory.
const PIECES: usize = 1 << 20;

/// Reads the map of an old GNU sparse entry: the pairs in the header, then in blocks that follow it in `input`.
/// Gives the map and the file's size.
///
/// # Errors
/// [`Error::Damaged`], or a failed read.
pub fn gnu(header: &Header, input: &mut impl Read) -> Result<(Map, u64)> {
    let mut map = Map::new();
    pairs(&header.0[field::GNU_MAP], &mut map)?;
    let size = u64::try_from(header.number(&field::GNU_SIZE)?).map_err(|_| damaged("its size is negative"))?;
    let mut more = header.0[field::GNU_MORE] != 0;
    while more {
        let mut block = [0; BLOCK];
        input.read_exact(&mut block).map_err(Error::reading)?;
        pairs(&block[..504], &mut map)?;
        more = block[504] != 0;
    }
    Ok((map, size))
}

/// Adds pairs of 12-byte numbers up to the first that is empty.
fn pairs(bytes: &[u8], map: &mut Map) -> Result<()> {
    for pair in bytes.chunks_exact(24) {
        if pair[0] == 0 {
            break;
        }
        let number = |bytes| {
            parse_number(bytes)
                .and_then(|number| u64::try_from(number).map_err(|_| damaged("a number in it is negative")))
        };
        push(map, number(&pair[..12])?, number(&pair[12..])?)?;
    }
    Ok(())
}

/// The map and size of a sparse file as pax records tell them, and how many of its stored bytes were read to get
/// them (the third form has its map before the data). `None` when the records are of no sparse file.
///
/// # Errors
/// [`Error::Damaged`], or a failed read.
pub fn posix(records: &Records, input: &mut impl Read) -> Result<Option<(Map, u64, u64)>> {
    let size = |keyword| pax::number::<u64>(records, keyword);
    if pax::number::<u32>(records, "GNU.sparse.major")? == Some(1) {
        let real = size("GNU.sparse.realsize")?.ok_or_else(|| damaged("its size is missing"))?;
        let (map, read) = leading_map(input)?;
        return Ok(Some((map, real, read)));
    }
    let Some(text) = records.get("GNU.sparse.map") else { return Ok(None) };
    let real = size("GNU.sparse.size")?.ok_or_else(|| damaged("its size is missing"))?;
    let numbers = std::str::from_utf8(text).map_err(|_| damaged("its map is no text"))?;
    let numbers: Result<Vec<u64>, _> = numbers.split(',').map(str::parse).collect();
    let numbers = numbers.map_err(|_| damaged("its map has something else than numbers"))?;
    if numbers.len() % 2 != 0 {
        return Err(damaged("its map ends with half a pair"));
    }
    let mut map = Map::new();
    numbers.chunks_exact(2).try_for_each(|pair| push(&mut map, pair[0], pair[1]))?;
    Ok(Some((map, real, 0)))
}

/// Reads decimal lines (how many pairs, then the pairs) from whole blocks.
fn leading_map(input: &mut impl Read) -> Result<(Map, u64)> {
    let (mut block, mut at, mut read) = ([0; BLOCK], BLOCK, 0);
    let mut line = || -> Result<u64> {
        let mut number = 0u64;
        for _ in 0..21 {
            if at == BLOCK {
                input.read_exact(&mut block).map_err(Error::reading)?;
                (at, read) = (0, read + BLOCK as u64);
            }
            let byte = block[at];
            at += 1;
            number = match byte {
                b'\n' => return Ok(number),
                b'0'..=b'9' => number.checked_mul(10).and_then(|ten| ten.checked_add(u64::from(byte - b'0'))),
                _ => None,
            }
            .ok_or_else(|| damaged("its map has something else than numbers"))?;
        }
        Err(damaged("its map has a number that does not end"))
    };
    let count = line()?;
    let mut map = Map::new();
    for _ in 0..count {
        let (offset, length) = (line()?, line()?);
        push(&mut map, offset, length)?;
    }
    Ok((map, read))
}

/// Adds a piece, which must lie behind those before it.
fn push(map: &mut Map, offset: u64, length: u64) -> Result<()> {
    let end = map.last().map_or(0, |(offset, length)| offset + length);
    if offset < end || offset.checked_add(length).is_none_or(|end| i64::try_from(end).is_err()) {
        return Err(damaged("its pieces are not in order"));
    }
    if map.len() == PIECES {
        return Err(damaged("it has too many pieces"));
    }
    map.push((offset, length));
    Ok(())
}

/// How many bytes of data the archive holds for a map; the map must end within `size`.
///
/// # Errors
/// [`Error::Damaged`] when it does not.
pub fn stored(map: &Map, size: u64) -> Result<u64> {
    if map.last().is_some_and(|(offset, length)| offset + length > size) {
        return Err(damaged("a piece of it lies behind its end"));
    }
    Ok(map.iter().map(|(_, length)| length).sum())
}

fn damaged(what: &str) -> Error {
    Error::Damaged(format!("a sparse file's map is wrong: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_must_be_in_order_and_inside() {
        let mut map = Map::new();
        push(&mut map, 0, 10).expect("first");
        push(&mut map, 10, 5).expect("touching");
        assert!(push(&mut map, 14, 1).is_err());
        assert!(push(&mut map, u64::MAX, 1).is_err());
        assert_eq!(stored(&map, 20).expect("inside"), 15);
        assert!(stored(&map, 14).is_err());
    }

    #[test]
    fn the_three_forms_in_pax_say_the_same() {
        let mut old = Records::new();
        let mut data = Vec::new();
        for (keyword, value) in [
            ("GNU.sparse.size", "100"),
            ("GNU.sparse.offset", "0"),
            ("GNU.sparse.numbytes", "5"),
            ("GNU.sparse.offset", "50"),
            ("GNU.sparse.numbytes", "7"),
        ] {
            let rest = format!(" {keyword}={value}\n");
            let length = rest.len() + 2;
            data.extend(format!("{length}{rest}").bytes());
        }
        pax::read(&data, &mut old).expect("good records");
        let expected = (vec![(0, 5), (50, 7)], 100);
        let (map, size, read) = posix(&old, &mut &b""[..]).expect("read").expect("sparse");
        assert_eq!(((map, size), read), (expected.clone(), 0));
        let new = Records::from([
            ("GNU.sparse.major".to_string(), b"1".to_vec()),
            ("GNU.sparse.realsize".to_string(), b"100".to_vec()),
        ]);
        let mut block = b"2\n0\n5\n50\n7\n".to_vec();
        block.resize(BLOCK, 0);
        let (map, size, read) = posix(&new, &mut &block[..]).expect("read").expect("sparse");
        assert_eq!(((map, size), read), (expected, BLOCK as u64));
    }
}
