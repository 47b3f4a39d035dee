//! Names of things, refused in LXD's words.

use corten_api::error::{Error, Result};

use crate::value::Kind;
use crate::value::go_text::quoted;
use crate::value::hardware_id::InterfaceName;
use crate::value::url::check_segment;

fn refuse<T>(message: impl Into<String>) -> Result<T> {
    Err(Error::invalid(message))
}

/// Checks a name that must serve as a host name.
///
/// # Errors
/// Why not, in LXD's words.
pub fn check_host(name: &str) -> Result<(), String> {
    let taken = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    let message = if !(1..=63).contains(&name.len()) {
        "Name must be 1-63 characters long"
    } else if name.starts_with('-') {
        "Name must not start with \"-\" character"
    } else if name.ends_with('-') {
        "Name must not end with \"-\" character"
    } else if name.starts_with(|first: char| first.is_ascii_digit()) {
        "Name must not start with a number"
    } else if !name.bytes().all(taken) {
        "Name can only contain alphanumeric and hyphen characters"
    } else {
        return Ok(());
    };
    Err(message.to_owned())
}

/// Checks the name of an instance.
///
/// # Errors
/// `Invalid instance name: …`
pub fn check_instance(name: &str) -> Result<()> {
    if name.contains('/') {
        return refuse("The character \"/\" is reserved for snapshots");
    }
    check_host(name).map_err(|why| Error::invalid(format!("Invalid instance name: {why}")))
}

/// Checks the name of an instance's snapshot, without the instance's.
///
/// # Errors
/// `Invalid snapshot name: …` for what a URL cannot hold, `Invalid instance snapshot name: …` for the rest.
pub fn check_snapshot(name: &str) -> Result<()> {
    check_segment(name).map_err(|why| Error::invalid(format!("Invalid snapshot name: {why}")))?;
    // These would be the folder itself or the one above; LXD lets them pass.
    if matches!(name, "" | "." | "..") {
        return refuse(format!("Invalid snapshot name: {}", quoted(name)));
    }
    match name.contains([' ', '/']) {
        true => refuse("Invalid instance snapshot name: Cannot contain space or / characters"),
        false => Ok(()),
    }
}

/// Checks the name of a profile.
///
/// # Errors
/// LXD's words.
pub fn check_profile(name: &str) -> Result<()> {
    match name {
        "" => refuse("No name provided"),
        "." | ".." => refuse(format!("Invalid profile name {}", quoted(name))),
        name if name.contains('/') => refuse("Profile names may not contain slashes"),
        _ => Ok(()),
    }
}

/// Checks the name of a project.
///
/// # Errors
/// LXD's words.
pub fn check_project(name: &str) -> Result<()> {
    let message = match name {
        "" => "No name provided",
        name if name.contains('/') => "Project names may not contain slashes",
        name if name.contains(' ') => "Project names may not contain spaces",
        name if name.contains('_') => "Project names may not contain underscores",
        name if name.contains(['\'', '"']) => "Project names may not contain quotes",
        "*" => "Reserved project name",
        "." | ".." => return refuse(format!("Invalid project name {}", quoted(name))),
        _ => return Ok(()),
    };
    refuse(message)
}

/// Checks the name of a network of this type.
///
/// # Errors
/// LXD's words.
pub fn check_network(kind: &str, name: &str) -> Result<()> {
    if name.is_empty() {
        return refuse("No name provided");
    }
    // A bridge has the name of its interface.
    if kind == "bridge" {
        InterfaceName.parse(name).map_err(Error::invalid)?;
    }
    check_segment(name).map_err(|why| Error::invalid(format!("Invalid network name: {why}")))?;
    match name.contains(':') {
        true => refuse("Invalid network name: Cannot contain \":\""),
        false => Ok(()),
    }
}

/// Checks the name of a storage pool.
///
/// # Errors
/// LXD's words.
pub fn check_pool(name: &str) -> Result<()> {
    match name {
        "" => refuse("No name provided"),
        name if name.contains('/') => refuse("Storage pool names may not contain slashes"),
        name => check_storage(name),
    }
}

/// Checks the name of a volume that a user makes.
///
/// # Errors
/// LXD's words.
pub fn check_volume(name: &str) -> Result<()> {
    match name {
        "" => refuse("No name provided"),
        name if name.contains('/') => refuse("Storage volume names may not contain slashes"),
        name => check_storage(name),
    }
}

/// Checks the name of a volume's snapshot, without the volume's.
///
/// # Errors
/// LXD's words.
pub fn check_volume_snapshot(name: &str) -> Result<()> {
    check_storage(name)
}

fn check_storage(name: &str) -> Result<()> {
    if name.contains('/') {
        return refuse("Storage name cannot contain \"/\"");
    }
    // These would be the folder itself or the one above; LXD lets them pass.
    if matches!(name, "." | "..") {
        return refuse(format!("Invalid storage name {}", quoted(name)));
    }
    match name.contains(char::is_whitespace) {
        true => refuse("Storage name cannot contain white space"),
        false => Ok(()),
    }
}

/// Checks the name of a device.
///
/// # Errors
/// LXD's words.
pub fn check_device(name: &str) -> Result<()> {
    let taken = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'/' | b'.' | b'-' | b':' | b'_');
    let message = if !(1..=63).contains(&name.len()) {
        "Name must be 1-63 characters long"
    } else if name.starts_with('.') {
        "Name must not start with \".\" character"
    } else if !name.bytes().all(taken) {
        "Name can only contain alphanumeric, forward slash, hyphen, colon, underscore and full stop characters"
    } else {
        return Ok(());
    };
    refuse(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(checked: Result<()>) -> String {
        checked.err().map_or_else(String::new, |error| error.message)
    }

    #[test]
    fn instances() {
        let long = "a".repeat(64);
        let cases = [
            ("c1", ""),
            ("a-b", ""),
            ("", "Invalid instance name: Name must be 1-63 characters long"),
            (&long, "Invalid instance name: Name must be 1-63 characters long"),
            ("-x", "Invalid instance name: Name must not start with \"-\" character"),
            ("x-", "Invalid instance name: Name must not end with \"-\" character"),
            ("1x", "Invalid instance name: Name must not start with a number"),
            ("a.b", "Invalid instance name: Name can only contain alphanumeric and hyphen characters"),
            ("a_b", "Invalid instance name: Name can only contain alphanumeric and hyphen characters"),
            ("a/b", "The character \"/\" is reserved for snapshots"),
        ];
        for (name, expected) in cases {
            assert_eq!(words(check_instance(name)), expected, "{name}");
        }
    }

    #[test]
    fn others() {
        let cases = [
            (check_profile("a/b"), "Profile names may not contain slashes"),
            (check_profile(".."), "Invalid profile name \"..\""),
            (check_project("a_b"), "Project names may not contain underscores"),
            (check_project("*"), "Reserved project name"),
            (check_network("bridge", "x"), "Network interface is too short (minimum 2 characters)"),
            (check_network("macvlan", "a:b"), "Invalid network name: Cannot contain \":\""),
            (check_pool("a b"), "Storage name cannot contain white space"),
            (check_volume("a/b"), "Storage volume names may not contain slashes"),
            (check_snapshot("a?b"), "Invalid snapshot name: Cannot contain \"?\""),
            (check_snapshot("a b"), "Invalid instance snapshot name: Cannot contain space or / characters"),
            (check_device(".x"), "Name must not start with \".\" character"),
            (
                check_device("a b"),
                "Name can only contain alphanumeric, forward slash, hyphen, colon, underscore and full stop characters",
            ),
            (check_device("a/b:c.d"), ""),
        ];
        for (checked, expected) in cases {
            assert_eq!(words(checked), expected);
        }
    }
}
