//! `limits.memory` and its companions: how much memory and swap, and how hard the border is.

use corten_api::error::{Error, Result};
use corten_host::cgroup::Limit;

use crate::instance::{Instance, is_false, is_true};

/// What of the host decides about memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Bytes of memory of the host.
    pub total: u64,
    /// Whether swap can be limited.
    pub swap: bool,
    /// Whether swappiness can be set.
    pub swappiness: bool,
}

/// Swappiness of the kernel when nobody sets it.
const ORDINARY_SWAPPINESS: u8 = 60;

/// The limits that the keys ask for; without `limits.memory` they take older ones away.
///
/// # Errors
/// When a value cannot be read.
pub fn limits(instance: &Instance, facts: Facts) -> Result<Vec<Limit>> {
    let mut limits = match instance.get("limits.memory") {
        "" => unlimited(facts),
        text => limited(instance, bytes(text, facts.total)?, facts),
    };
    if facts.swappiness {
        limits.push(Limit::Swappiness(swappiness(instance)?));
    }
    Ok(limits)
}

fn unlimited(facts: Facts) -> Vec<Limit> {
    let swap = facts.swap.then_some(Limit::MemorySwap(None));
    swap.into_iter().chain([Limit::Memory(None), Limit::MemorySoft(None)]).collect()
}

fn limited(instance: &Instance, bytes: u64, facts: Facts) -> Vec<Limit> {
    if instance.get("limits.memory.enforce") == "soft" {
        return unlimited(facts).into_iter().map(|limit| soften(limit, bytes)).collect();
    }
    let swap = instance.get("limits.memory.swap");
    let no_swap = facts.swap && (swap.is_empty() || is_true(swap));
    let mut limits = vec![Limit::Memory(Some(bytes))];
    if facts.swap {
        limits.push(Limit::MemorySwap(no_swap.then_some(0)));
    }
    // As LXD does, reclaim begins a tenth below the border.
    limits.push(Limit::MemorySoft(Some(bytes / 10 * 9)));
    limits
}

fn soften(limit: Limit, bytes: u64) -> Limit {
    match limit {
        Limit::MemorySoft(_) => Limit::MemorySoft(Some(bytes)),
        other => other,
    }
}

fn bytes(text: &str, total: u64) -> Result<u64> {
    if let Some(percent) = text.strip_suffix('%') {
        let percent: u64 = percent.parse().map_err(|_| Error::invalid(format!("Invalid limits.memory: {text}")))?;
        return Ok((total / 100).saturating_mul(percent));
    }
    crate::size::bytes(text).map_err(|error| error.context("Invalid limits.memory"))
}

fn swappiness(instance: &Instance) -> Result<u8> {
    if is_false(instance.get("limits.memory.swap")) {
        return Ok(0);
    }
    match instance.get("limits.memory.swap.priority") {
        "" => Ok(ORDINARY_SWAPPINESS),
        text => {
            let priority: u8 = text
                .parse()
                .ok()
                .filter(|priority| *priority <= 10)
                .ok_or_else(|| Error::invalid(format!("Invalid limits.memory.swap.priority: {text}")))?;
            // The highest priority, 10, is the kernel's ordinary swappiness.
            Ok(ORDINARY_SWAPPINESS + 10 - priority)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::Config;

    const FACTS: Facts = Facts { total: 1000, swap: true, swappiness: false };

    fn with(keys: &[(&str, &str)]) -> Instance {
        let expanded_config: Config = keys.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        Instance { expanded_config, ..Instance::default() }
    }

    #[test]
    fn hard_limits_forbid_swap_unless_it_is_refused_altogether() {
        let limits = |keys: &[(&str, &str)]| limits(&with(keys), FACTS).expect("readable");
        assert_eq!(
            limits(&[("limits.memory", "50%")]),
            [Limit::Memory(Some(500)), Limit::MemorySwap(Some(0)), Limit::MemorySoft(Some(450))]
        );
        assert_eq!(
            limits(&[("limits.memory", "100"), ("limits.memory.swap", "false")]),
            [Limit::Memory(Some(100)), Limit::MemorySwap(None), Limit::MemorySoft(Some(90))]
        );
        assert_eq!(
            limits(&[("limits.memory", "100"), ("limits.memory.enforce", "soft")]),
            [Limit::MemorySwap(None), Limit::Memory(None), Limit::MemorySoft(Some(100))]
        );
    }
}
