//! One process: lines of /proc/PID/status, /proc/PID/stat and /proc/PID/cgroup.

use std::collections::BTreeMap;

use crate::file;

/// What /proc/PID/status says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Status {
    /// The command's name, cut at 15 characters.
    pub name: String,
    /// `R`, `S`, `D`, `T`, `Z` and so on.
    pub state: char,
    /// The parent, in the reader's pid namespace; 0 when it is outside.
    pub parent: u32,
    /// Real, effective, saved and filesystem user id.
    pub uids: [u32; 4],
    /// The same of groups.
    pub gids: [u32; 4],
    /// The process's number in each pid namespace that it is in, outermost first.
    pub ns_pids: Vec<u32>,
    /// Number of threads.
    pub threads: u32,
    /// Resident memory in bytes; `None` for a kernel thread or a zombie.
    pub resident: Option<u64>,
}

/// The status of process `pid`.
///
/// # Errors
/// [`file::Error`]: `NotFound` when there is no such process.
pub fn status(pid: u32) -> Result<Status, file::Error> {
    Ok(parse_status(&file::read(format!("/proc/{pid}/status"))?))
}

fn parse_status(text: &str) -> Status {
    let mut status = Status { state: '?', ..Status::default() };
    for (key, value) in text.lines().filter_map(|line| line.split_once(':')) {
        let value = value.trim();
        let numbers = || value.split_whitespace().filter_map(|word| word.parse().ok()).collect::<Vec<u32>>();
        match key {
            "Name" => status.name = value.to_string(),
            "State" => status.state = value.chars().next().unwrap_or('?'),
            "PPid" => status.parent = value.parse().unwrap_or(0),
            "Uid" => status.uids = numbers().try_into().unwrap_or_default(),
            "Gid" => status.gids = numbers().try_into().unwrap_or_default(),
            "NSpid" => status.ns_pids = numbers(),
            "Threads" => status.threads = value.parse().unwrap_or(0),
            "VmRSS" => status.resident = super::memory::kibibytes(value),
            _ => {}
        }
    }
    status
}

/// When process `pid` began, in clock ticks since the host's boot: with the pid, this names a process for good.
///
/// # Errors
/// [`file::Error`]: `NotFound` when there is no such process, `InvalidData` when the file is not of its form.
pub fn started(pid: u32) -> Result<u64, file::Error> {
    let path = format!("/proc/{pid}/stat");
    let text = file::read(&path)?;
    parse_started(&text).ok_or_else(|| file::Error::new("reading", path, std::io::ErrorKind::InvalidData))
}

fn parse_started(text: &str) -> Option<u64> {
    // The name may hold blanks and brackets, so counting begins behind its last bracket, with field 3.
    text.rsplit_once(')')?.1.split_whitespace().nth(19)?.parse().ok()
}

/// In which group process `pid` is, for each hierarchy by the kernel's label; the unified one has an empty label.
///
/// # Errors
/// [`file::Error`]: `NotFound` when there is no such process.
pub fn groups(pid: u32) -> Result<BTreeMap<String, String>, file::Error> {
    let text = file::read(format!("/proc/{pid}/cgroup"))?;
    let line = |line: &str| {
        let mut fields = line.splitn(3, ':').skip(1);
        Some((fields.next()?.to_string(), fields.next()?.to_string()))
    };
    Ok(text.lines().filter_map(line).collect())
}

/// The command line of process `pid`, its words joined by blanks; empty for a kernel thread or a zombie.
///
/// # Errors
/// [`file::Error`]: `NotFound` when there is no such process.
pub fn command_line(pid: u32) -> Result<String, file::Error> {
    Ok(file::read(format!("/proc/{pid}/cmdline"))?.replace('\0', " ").trim_end().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_is_read_by_its_keys() {
        let text = "Name:\ta b\nState:\tS (sleeping)\nPPid:\t7\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nNSpid:\t90\t1\nVmRSS:\t  12 kB\nThreads:\t2\n";
        let status = parse_status(text);
        assert_eq!((status.name.as_str(), status.state, status.parent), ("a b", 'S', 7));
        assert_eq!((status.uids, status.gids), ([1, 2, 3, 4], [5, 6, 7, 8]));
        assert_eq!((status.ns_pids, status.resident, status.threads), (vec![90, 1], Some(12_288), 2));
    }

    #[test]
    fn a_name_with_brackets_does_not_confuse() {
        let fields: Vec<String> = (4..30).map(|number| number.to_string()).collect();
        assert_eq!(parse_started(&format!("7 (a) b) S {}", fields.join(" "))), Some(22));
        let own = std::process::id();
        assert!(started(own).expect("readable") > 0);
        assert!(groups(own).is_ok() && !command_line(own).expect("readable").is_empty());
    }
}
