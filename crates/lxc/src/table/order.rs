//! The orders in which lists are sorted.

use std::cmp::Ordering;

/// Natural order: runs of digits compare as numbers, digits come before everything else.
pub fn natural(left: &str, right: &str) -> Ordering {
    let (left, right) = (left.as_bytes(), right.as_bytes());
    let (mut a, mut b) = (0, 0);
    while a < left.len() && b < right.len() {
        let digits = (left[a].is_ascii_digit(), right[b].is_ascii_digit());
        match digits {
            (true, false) => return Ordering::Less,
            (false, true) => return Ordering::Greater,
            (false, false) if left[a] != right[b] => return left[a].cmp(&right[b]),
            (false, false) => {
                a += 1;
                b += 1;
            }
            (true, true) => {
                let ours = number(left, &mut a);
                let theirs = number(right, &mut b);
                let numbers = ours.len().cmp(&theirs.len()).then(ours.cmp(theirs));
                // Of equal numbers the one with fewer leading zeros comes first.
                let order = numbers.then_with(|| a.cmp(&b));
                if order.is_ne() {
                    return order;
                }
            }
        }
    }
    left.len().cmp(&right.len())
}

/// Takes a run of digits; gives it without its leading zeros.
fn number<'a>(text: &'a [u8], place: &mut usize) -> &'a [u8] {
    let zeros = text[*place..].iter().take_while(|&&digit| digit == b'0').count();
    let start = *place + zeros;
    let length = text[start..].iter().take_while(|digit| digit.is_ascii_digit()).count();
    *place = start + length;
    &text[start..*place]
}

/// Sorts rows by their first differing cell in natural order; empty cells come last.
pub fn by_cells(rows: &mut [Vec<String>]) {
    rows.sort_by(|left, right| {
        left.iter()
            .zip(right)
            .find(|(a, b)| a != b)
            .map_or(Ordering::Equal, |(a, b)| a.is_empty().cmp(&b.is_empty()).then_with(|| natural(a, b)))
    });
}
