//! Floating point numbers as Go's YAML library prints them.

/// The shortest digits that give the number back; an exponent from a million on and below a ten thousandth.
pub(super) fn text(number: f64) -> String {
    if number.is_nan() {
        return ".nan".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    let shortest = format!("{number:e}");
    let Some((digits, exponent)) = shortest.split_once('e') else { return shortest };
    let exponent: i32 = exponent.parse().unwrap_or_default();
    if (-4..LARGE).contains(&exponent) {
        return number.to_string();
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

/// The decimal exponent from which on Go writes one, for shortest digits.
const LARGE: i32 = 6;

#[cfg(test)]
mod tests {
    use super::text;

    #[test]
    fn numbers_are_as_go_prints_them() {
        for (number, expected) in [
            (0.0, "0"),
            (1.0, "1"),
            (-2.5, "-2.5"),
            (0.0001, "0.0001"),
            (0.00001, "1e-05"),
            (999_999.0, "999999"),
            (1_000_000.0, "1e+06"),
            (1_234_567.0, "1.234567e+06"),
            (f64::INFINITY, ".inf"),
        ] {
            assert_eq!(text(number), expected);
        }
    }
}
