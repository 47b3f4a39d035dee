//! The host as a whole: load, time since boot, boot's identity.

use std::time::Duration;

use crate::file;

/// Average number of processes that ran or waited for a disk, over 1, 5 and 15 minutes, and how many exist.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Load {
    /// Over one minute.
    pub one: f64,
    /// Over five minutes.
    pub five: f64,
    /// Over fifteen minutes.
    pub fifteen: f64,
    /// Processes and threads now.
    pub processes: u64,
}

/// The host's load.
///
/// # Errors
/// [`file::Error`] when it cannot be read.
pub fn load() -> Result<Load, file::Error> {
    Ok(parse_load(&file::read("/proc/loadavg")?).unwrap_or_default())
}

fn parse_load(text: &str) -> Option<Load> {
    let mut words = text.split_whitespace();
    let mut average = || words.next()?.parse().ok();
    let (one, five, fifteen) = (average()?, average()?, average()?);
    let processes = words.next()?.split_once('/')?.1.parse().ok()?;
    Some(Load { one, five, fifteen, processes })
}

/// Time since the host's boot.
///
/// # Errors
/// [`file::Error`] when it cannot be read.
pub fn uptime() -> Result<Duration, file::Error> {
    let text = file::read("/proc/uptime")?;
    let seconds = text.split_whitespace().next().and_then(|word| word.parse().ok()).unwrap_or(0.0);
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

/// An identifier of this boot of the host, a uuid: another one means that no process of before lives.
///
/// # Errors
/// [`file::Error`] when it cannot be read.
pub fn boot_id() -> Result<String, file::Error> {
    Ok(file::read("/proc/sys/kernel/random/boot_id")?.trim().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loads_are_read() {
        let load = parse_load("0.50 1.25 2.00 3/456 789\n").expect("loads");
        assert_eq!((load.one, load.five, load.fifteen, load.processes), (0.5, 1.25, 2.0, 456));
        assert!(uptime().expect("readable") > Duration::ZERO);
        assert_eq!(boot_id().expect("readable").len(), 36);
    }
}
