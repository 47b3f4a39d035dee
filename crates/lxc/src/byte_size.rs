//! Sizes as LXD shows them: two digits after the point, decimal or binary units.

/// `1234` as `1.23kB`.
pub fn decimal(bytes: i64) -> String {
    scaled(bytes, 1000, &["kB", "MB", "GB", "TB", "PB", "EB"])
}

/// `1234` as `1.21KiB`.
pub fn binary(bytes: i64) -> String {
    scaled(bytes, 1024, &["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"])
}

#[expect(clippy::cast_precision_loss, reason = "two digits after the point are shown")]
fn scaled(bytes: i64, step: u16, units: &[&str]) -> String {
    if bytes < i64::from(step) {
        return format!("{bytes}B");
    }
    let step = f64::from(step);
    let mut value = bytes as f64 / step;
    let mut units = units.iter();
    let mut unit = units.next().unwrap_or(&"");
    while value >= step {
        let Some(larger) = units.next() else { break };
        value /= step;
        unit = larger;
    }
    format!("{value:.2}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_as_lxd_shows_them() {
        for (bytes, in_tens, in_twos) in [
            (0, "0B", "0B"),
            (999, "999B", "999B"),
            (1000, "1.00kB", "1000B"),
            (1234, "1.23kB", "1.21KiB"),
            (1 << 30, "1.07GB", "1.00GiB"),
            (i64::MAX, "9.22EB", "8.00EiB"),
            (-5, "-5B", "-5B"),
        ] {
            assert_eq!((decimal(bytes), binary(bytes)), (in_tens.to_owned(), in_twos.to_owned()));
        }
    }
}
