//! What LXD calls profiles: `lxd-c1_</var/lib/lxd>` in the kernel, `lxd-c1` on disk.

use std::path::Path;

/// The names of one thing's profile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names {
    /// What the kernel knows it by; the daemon's folder keeps those of several daemons apart.
    pub profile: String,
    /// Its file below `security/apparmor/profiles`.
    pub file: String,
    /// The policy namespace in which the guest's own profiles are; a name without slashes.
    pub namespace: String,
}

/// The longest name that AppArmor takes.
const LONGEST: usize = 253;

impl Names {
    /// The names for `what` of the daemon whose folder is `var`; `kind` is empty for instances, else such as `dnsmasq`.
    pub fn of(kind: &str, what: &str, var: &Path) -> Names {
        let var = var.display().to_string();
        let dashed = var.trim_matches('/').replace('/', "-");
        Names {
            profile: name(kind, &format!("{what}_<{var}>")),
            file: name(kind, what),
            namespace: name(kind, &format!("{what}_<{dashed}>")),
        }
    }
}

fn name(kind: &str, what: &str) -> String {
    let prefix = if kind.is_empty() { "lxd-".to_string() } else { format!("lxd_{kind}-") };
    if prefix.len() + what.len() < LONGEST { prefix + what } else { prefix + &digest(what) }
}

/// A short name in the place of a long one: the same one always gives the same. FNV-1a in 64 bits, twice.
fn digest(text: &str) -> String {
    let fnv = |start: u64| {
        text.bytes().fold(start, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
    };
    format!("{:016x}{:016x}", fnv(0xcbf2_9ce4_8422_2325), fnv(0x6c62_272e_07bb_0142))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_lxds() {
        let names = Names::of("", "web_c1", Path::new("/var/lib/lxd"));
        assert_eq!(names.profile, "lxd-web_c1_</var/lib/lxd>");
        assert_eq!((names.file.as_str(), names.namespace.as_str()), ("lxd-web_c1", "lxd-web_c1_<var-lib-lxd>"));
        let names = Names::of("dnsmasq", "lxdbr0", Path::new("/x"));
        assert_eq!((names.profile.as_str(), names.file.as_str()), ("lxd_dnsmasq-lxdbr0_</x>", "lxd_dnsmasq-lxdbr0"));
    }

    #[test]
    fn long_names_are_shortened_and_stay_different() {
        let long = |end: &str| Names::of("", &("x".repeat(260) + end), Path::new("/var/lib/lxd")).profile;
        assert!(long("a").len() < LONGEST && long("a") != long("b"));
        assert_eq!(long("a"), long("a"));
    }
}
