//! `limits.cpu.allowance` and `limits.cpu.priority`: a share of the processors, or a hard limit in time.

use corten_api::error::{Error, Result};
use corten_host::cgroup::Limit;
use corten_host::cgroup::knobs::Quota;

use crate::instance::Instance;

/// `limits.cpu.allowance`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Allowance {
    /// `50%`: a share, felt only when others want the processors too.
    Share(u32),
    /// `25ms/100ms`: that much time in each period, always.
    Time(Quota),
}

impl Allowance {
    /// Reads the value of the key.
    ///
    /// # Errors
    /// When it is neither `N%` nor `Nms/Mms`.
    pub fn parse(text: &str) -> Result<Allowance> {
        let bad = || Error::invalid(format!("Invalid allowance: {text}"));
        if let Some(percent) = text.strip_suffix('%') {
            return percent.parse().map(Allowance::Share).map_err(|_| bad());
        }
        let (quota, period) = text.split_once('/').ok_or_else(bad)?;
        let microseconds = |part: &str| {
            let milliseconds: u64 = part.strip_suffix("ms")?.parse().ok()?;
            milliseconds.checked_mul(1000)
        };
        let quota = microseconds(quota).ok_or_else(bad)?;
        let period = microseconds(period).ok_or_else(bad)?;
        Ok(Allowance::Time(Quota { quota, period }))
    }
}

/// LXD's priority when the key is unset.
const ORDINARY_PRIORITY: u8 = 10;

/// The limits that the two keys ask for. With neither set they are those of an ordinary group, so that unsetting a key
/// on a running instance takes its effect away.
///
/// # Errors
/// When a value cannot be read.
pub fn limits(instance: &Instance) -> Result<Vec<Limit>> {
    let priority = match instance.get("limits.cpu.priority") {
        "" => ORDINARY_PRIORITY,
        text => text.parse().map_err(|_| Error::invalid(format!("Invalid limits.cpu.priority: {text}")))?,
    };
    let allowance = match instance.get("limits.cpu.allowance") {
        "" => None,
        text => Some(Allowance::parse(text)?),
    };
    let (percent, quota) = match allowance {
        None => (100, None),
        Some(Allowance::Share(percent)) => (percent, None),
        Some(Allowance::Time(quota)) => (100, Some(quota)),
    };
    Ok(vec![Limit::CpuAllowance { percent, priority }, Limit::CpuQuota(quota)])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowances_are_shares_or_times() {
        assert_eq!(Allowance::parse("50%"), Ok(Allowance::Share(50)));
        let time = Quota { quota: 25_000, period: 100_000 };
        assert_eq!(Allowance::parse("25ms/100ms"), Ok(Allowance::Time(time)));
        for bad in ["", "50", "x%", "25/100", "25ms", "ms/ms", "-1ms/5ms"] {
            assert!(Allowance::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn unset_keys_ask_for_an_ordinary_share() {
        let limits = limits(&Instance::default()).expect("nothing to misread");
        assert_eq!(limits, [Limit::CpuAllowance { percent: 100, priority: 10 }, Limit::CpuQuota(None)]);
    }
}
