//! Names of networks, links and hosts, and how they are made.

use corten_host::netlink::mac::Mac;

use crate::error::{Error, Result};

/// The project whose name is left out of names on the host.
const DEFAULT_PROJECT: &str = "default";

/// An instance's name on the host: with its project before it, but for the default project.
pub fn instance(project: &str, instance: &str) -> String {
    if project == DEFAULT_PROJECT { instance.to_string() } else { format!("{project}_{instance}") }
}

/// An instance's name in its network's DNS zone.
pub fn dns(project: &str, instance: &str) -> String {
    if project == DEFAULT_PROJECT { instance.to_string() } else { format!("{instance}.{project}") }
}

/// A device's name as a part of a file name: a slash becomes a dash, a dash two.
pub fn in_file_name(device: &str) -> String {
    device.replace('-', "--").replace('/', "-")
}

/// A new link's name: `prefix` and eight random hex digits. Thirteen characters at most are meant (`veth` and `mac`
/// fit), since some DHCP clients cut longer names.
///
/// # Errors
/// When the kernel has no random bytes.
pub fn random_link(prefix: &str) -> Result<String> {
    Ok(format!("{prefix}{:08x}", u32::from_ne_bytes(random()?)))
}

/// A new hardware address with LXD's prefix, `00:16:3e`.
///
/// # Errors
/// When the kernel has no random bytes.
pub fn random_mac() -> Result<Mac> {
    let [a, b, c] = random()?;
    Ok(Mac([0x00, 0x16, 0x3e, a, b, c]))
}

/// The hardware address that always belongs to `seed` (FNV-1a, its 64 bits folded to 24).
pub fn stable_mac(seed: &str) -> Mac {
    let hash = seed
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    let [_, _, _, _, _, a, b, c] = (hash ^ (hash >> 24) ^ (hash >> 48)).to_be_bytes();
    Mac([0x00, 0x16, 0x3e, a, b, c])
}

/// Random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N]> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| Error::internal(format!("reading random bytes: {error}")))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_names_have_their_form() {
        assert_eq!(random_link("veth").expect("random").len(), 12);
        assert!(random_mac().expect("random").to_string().starts_with("00:16:3e:"));
        assert_eq!(stable_mac("a"), stable_mac("a"));
        assert_ne!(stable_mac("a.0.1"), stable_mac("a.0.2"));
        assert_eq!((instance("default", "c1"), instance("p", "c1")), ("c1".into(), "p_c1".into()));
        assert_eq!((dns("default", "c1"), dns("p", "c1")), ("c1".into(), "c1.p".into()));
        assert_eq!(in_file_name("eth-0/1"), "eth--0-1");
    }
}
