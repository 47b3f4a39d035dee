//! `limits.cpu.allowance`: a share (`50%`) or a hard quota (`25ms/100ms`).

use std::fmt;

use super::Kind;
use super::go_text::parse_int;

/// How much CPU time is allowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// A share in percent, which counts when CPUs are contended.
    Percent(u32),
    /// So many milliseconds of each period, of all CPUs together.
    Quota {
        /// Milliseconds of CPU time.
        milliseconds: u32,
        /// Length of the period in milliseconds.
        period: u32,
    },
}

impl Default for Allowance {
    fn default() -> Allowance {
        Allowance::Percent(100)
    }
}

impl fmt::Display for Allowance {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Allowance::Percent(percent) => write!(out, "{percent}%"),
            Allowance::Quota { milliseconds, period } => write!(out, "{milliseconds}ms/{period}ms"),
        }
    }
}

/// The value of `limits.cpu.allowance`.
#[derive(Clone, Copy, Debug)]
pub struct CpuAllowance;

impl Kind for CpuAllowance {
    type Value = Allowance;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<Allowance, String> {
        let invalid = || format!("Invalid allowance: {text}");
        let number = |digits: &str| parse_int("Atoi", digits).and_then(|n| u32::try_from(n).map_err(|_| invalid()));
        if let Some(percent) = text.strip_suffix('%') {
            return number(percent).map(Allowance::Percent);
        }
        let (milliseconds, period) = text.split_once('/').ok_or_else(invalid)?;
        let time = |part: &str| number(part.strip_suffix("ms").unwrap_or(part));
        match (time(milliseconds)?, time(period)?) {
            (_, 0) => Err(invalid()),
            (milliseconds, period) => Ok(Allowance::Quota { milliseconds, period }),
        }
    }

    fn accepts(&self) -> String {
        "a share such as 50%, or a quota such as 25ms/100ms".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn cases() {
        assert_eq!(CpuAllowance.parse("50%"), Ok(Allowance::Percent(50)));
        let quota = Allowance::Quota { milliseconds: 25, period: 100 };
        assert_eq!(CpuAllowance.parse("25ms/100ms"), Ok(quota));
        assert_eq!(CpuAllowance.parse("25/100"), Ok(quota));
        let cases = [
            ("50", "Invalid allowance: 50"),
            ("-5%", "Invalid allowance: -5%"),
            ("x%", "strconv.Atoi: parsing \"x\": invalid syntax"),
            ("1ms/0ms", "Invalid allowance: 1ms/0ms"),
            ("ams/1ms", "strconv.Atoi: parsing \"a\": invalid syntax"),
        ];
        for (text, expected) in cases {
            assert_eq!(CpuAllowance.parse(text), Err(expected.to_owned()), "{text}");
        }
    }

    proptest! {
        #[test]
        fn written_and_read_back(milliseconds: u32, period in 1..u32::MAX, percent: bool) {
            let value = if percent { Allowance::Percent(period) } else { Allowance::Quota { milliseconds, period } };
            prop_assert_eq!(CpuAllowance.parse(&value.to_string()), Ok(value));
        }
    }
}
