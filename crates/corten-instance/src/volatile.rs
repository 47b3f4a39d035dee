//! Volatile keys: what LXD remembers of an instance by itself, and the random values among them.

use corten_api::error::{Error, Result};

/// Prefix of addresses that LXD gives to network interfaces (the OUI of Xensource).
const MAC_PREFIX: &str = "00:16:3e";

/// Key of the image that the instance was made from.
pub const BASE_IMAGE: &str = "volatile.base_image";
/// Key of the identity that cloud-init sees; a new one makes it run again.
pub const INSTANCE_ID: &str = "volatile.cloud-init.instance-id";
/// Key of the instance's own identity.
pub const UUID: &str = "volatile.uuid";
/// Key of the first id of an isolated map within the host's range.
pub const IDMAP_BASE: &str = "volatile.idmap.base";
/// Key of the id map that the running instance has.
pub const IDMAP_CURRENT: &str = "volatile.idmap.current";
/// Key of the id map that the next start gives.
pub const IDMAP_NEXT: &str = "volatile.idmap.next";
/// Key of the id map that the files on disk are shifted by.
pub const IDMAP_ON_DISK: &str = "volatile.last_state.idmap";
/// Key of the last known power state: `RUNNING` or `STOPPED`.
pub const POWER: &str = "volatile.last_state.power";
/// Key of the event whose templates are applied at the next start.
pub const APPLY_TEMPLATE: &str = "volatile.apply_template";

/// Keys that a copy of an instance must not inherit.
pub fn is_own(key: &str) -> bool {
    key.starts_with("volatile.") && key != BASE_IMAGE && key != IDMAP_ON_DISK
}

/// Fills `bytes` from the kernel's random source.
///
/// # Errors
/// When the kernel refuses.
pub fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::internal(format!("Failed to get random bytes: {error}")))?;
    Ok(bytes)
}

/// A new hardware address, `00:16:3e:` and three random bytes.
///
/// # Errors
/// When the kernel has no random bytes.
pub fn new_mac() -> Result<String> {
    let [a, b, c] = random()?;
    Ok(format!("{MAC_PREFIX}:{a:02x}:{b:02x}:{c:02x}"))
}

/// A new name for the host's end of an interface pair: `prefix` and eight hexadecimal digits, 15 bytes at most.
///
/// # Errors
/// When the kernel has no random bytes.
pub fn new_host_name(prefix: &str) -> Result<String> {
    let [a, b, c, d] = random()?;
    Ok(format!("{prefix}{a:02x}{b:02x}{c:02x}{d:02x}"))
}

/// A random UUID (RFC 9562, version 4).
///
/// # Errors
/// When the kernel has no random bytes.
pub fn new_uuid() -> Result<String> {
    let mut bytes: [u8; 16] = random()?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    Ok(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_values_have_their_shape() {
        let mac = new_mac().expect("random bytes");
        assert!(mac.starts_with("00:16:3e:") && mac.len() == 17, "{mac}");
        assert_eq!(new_host_name("veth").expect("random bytes").len(), 12);
        let uuid = new_uuid().expect("random bytes");
        assert_eq!((uuid.len(), &uuid[14..15]), (36, "4"));
        assert_ne!(uuid, new_uuid().expect("random bytes"));
    }

    #[test]
    fn copies_keep_the_image_and_the_state_of_the_files() {
        for (key, own) in [("volatile.uuid", true), (BASE_IMAGE, false), (IDMAP_ON_DISK, false), ("user.x", false)] {
            assert_eq!(is_own(key), own, "{key}");
        }
    }
}
