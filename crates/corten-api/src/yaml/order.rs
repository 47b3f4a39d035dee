//! The natural order of map keys: digits compare as numbers, and letters come after everything else.

use std::cmp::Ordering;

/// Compares two keys at the first character where they differ.
pub(super) fn keys(left: &str, right: &str) -> Ordering {
    let left: Vec<char> = left.chars().collect();
    let right: Vec<char> = right.chars().collect();
    let Some(place) = left.iter().zip(&right).position(|(a, b)| a != b) else {
        return left.len().cmp(&right.len());
    };
    let (a, b) = (left[place], right[place]);
    match (a.is_alphabetic(), b.is_alphabetic()) {
        (true, true) => a.cmp(&b),
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => {
            // A zero inside a number weighs more than a missing digit: `100` is above `10`, `1.0` is not above `1.`.
            let inside = (a == '0' || b == '0') && inside_number(&left[..place]);
            let (a_number, a_end) = number(&left, place, inside);
            let (b_number, b_end) = number(&right, place, inside);
            a_number.cmp(&b_number).then(a_end.cmp(&b_end)).then(a.cmp(&b))
        }
    }
}

/// Whether the digits right before a place begin with something other than zeros.
fn inside_number(before: &[char]) -> bool {
    before.iter().rev().take_while(|character| character.is_numeric()).any(|&digit| digit != '0')
}

/// The number that begins at a place, and where it ends. A leading one stands for the digits already seen.
fn number(text: &[char], place: usize, inside: bool) -> (i64, usize) {
    let mut value = i64::from(inside);
    let mut end = place;
    while let Some(digit) = text.get(end).filter(|character| character.is_numeric()) {
        let digit = i64::from(u32::from(*digit)) - i64::from(u32::from('0'));
        value = value.wrapping_mul(10).wrapping_add(digit);
        end += 1;
    }
    (value, end)
}

#[cfg(test)]
mod tests {
    use super::keys;

    #[test]
    fn keys_are_in_the_order_of_lxd() {
        let sorted = [
            "",
            "_a",
            "1",
            "2",
            "10",
            "a",
            "a.9",
            "a.10",
            "a1",
            "a2",
            "a10",
            "a100",
            "a10b",
            "aa",
            "b",
            "b1",
            "b01",
            "volatile.a",
            "Ä",
        ];
        for pair in sorted.windows(2) {
            assert_eq!(keys(pair[0], pair[1]), std::cmp::Ordering::Less, "{} before {}", pair[0], pair[1]);
        }
    }
}
