//! Kernel parameters by their dotted names (sysctl(8)): `net.ipv4.ip_forward` is /proc/sys/net/ipv4/ip_forward.

use std::path::PathBuf;

use crate::file;

/// The file of a parameter. Dots of a name between dots are written as slashes, as sysctl(8) does:
/// `net.ipv4.conf.eth0/5.forwarding` is of the interface `eth0.5`.
pub fn path(name: &str) -> PathBuf {
    let swapped: String = name
        .chars()
        .map(|letter| match letter {
            '.' => '/',
            '/' => '.',
            other => other,
        })
        .collect();
    PathBuf::from("/proc/sys").join(swapped)
}

/// The value of a parameter, without white space at its ends.
///
/// # Errors
/// [`file::Error`] when this kernel does not have it.
pub fn get(name: &str) -> Result<String, file::Error> {
    Ok(file::read(path(name))?.trim().to_string())
}

/// Sets a parameter.
///
/// # Errors
/// [`file::Error`] naming parameter and value when the kernel refuses.
pub fn set(name: &str, value: &str) -> Result<(), file::Error> {
    file::set(path(name), value)
}

#[cfg(test)]
mod tests {
    #[test]
    fn names_become_paths() {
        for (name, path) in [
            ("net.ipv4.ip_forward", "/proc/sys/net/ipv4/ip_forward"),
            ("net.ipv4.conf.eth0/5.forwarding", "/proc/sys/net/ipv4/conf/eth0.5/forwarding"),
        ] {
            assert_eq!(super::path(name).to_str(), Some(path));
        }
        assert_eq!(super::get("kernel.ostype").expect("every kernel has it"), "Linux");
        assert!(super::get("no.such").unwrap_err().to_string().contains("/proc/sys/no/such"));
    }
}
