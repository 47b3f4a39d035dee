//! Names of architectures: LXD's, the other names that image servers use, and which of them run on which.

/// One architecture: LXD's name, other names, and the names of those that it runs besides its own.
struct Architecture {
    name: &'static str,
    others: &'static [&'static str],
    also_runs: &'static [&'static str],
}

const fn known(
    name: &'static str,
    others: &'static [&'static str],
    also_runs: &'static [&'static str],
) -> Architecture {
    Architecture { name, others, also_runs }
}

const ALL: [Architecture; 14] = [
    known("i686", &["i386", "i586", "386", "x86", "generic_32"], &[]),
    known("x86_64", &["amd64", "generic_64"], &["i686"]),
    known("armv6l", &["armel", "arm"], &[]),
    known("armv7l", &["armhf", "armhfp", "armv7a_hardfp", "armv7", "armv7a_vfpv3_hardfp"], &["armv6l"]),
    known("armv8l", &[], &["armv6l", "armv7l"]),
    known("aarch64", &["arm64", "arm64_generic"], &["armv6l", "armv7l", "armv8l"]),
    known("ppc", &["powerpc"], &[]),
    known("ppc64", &["powerpc64"], &["ppc"]),
    known("ppc64le", &["ppc64el"], &[]),
    known("s390x", &[], &[]),
    known("mips", &["mipsel", "mipsle"], &[]),
    known("mips64", &["mips64el", "mips64le"], &["mips"]),
    known("riscv32", &[], &[]),
    known("riscv64", &[], &[]),
];

/// LXD's name of an architecture, whatever name is used for it; `None` for those that LXD does not know.
pub fn canonical(name: &str) -> Option<&'static str> {
    ALL.iter().find(|known| known.name == name || known.others.contains(&name)).map(|known| known.name)
}

/// LXD's name of the architecture that this program was built for.
pub fn native() -> &'static str {
    match std::env::consts::ARCH {
        "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
        "powerpc" => "ppc",
        "powerpc64" => "ppc64",
        "arm" => "armv7l",
        other => canonical(other).unwrap_or("x86_64"),
    }
}

/// 0 for the host's own architecture, 1 for one that it runs as well, 2 for a foreign one.
pub fn distance(native: &str, other: &str) -> u8 {
    if native == other {
        return 0;
    }
    let runs = ALL.iter().any(|known| known.name == native && known.also_runs.contains(&other));
    if runs { 1 } else { 2 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_known_by_all_their_names() {
        for (name, want) in [
            ("amd64", Some("x86_64")),
            ("x86_64", Some("x86_64")),
            ("arm64", Some("aarch64")),
            ("ppc64", Some("ppc64")),
            ("z80", None),
        ] {
            assert_eq!(canonical(name), want);
        }
        assert_eq!(distance("x86_64", "i686"), 1);
        assert_eq!(distance("x86_64", "aarch64"), 2);
        assert!(canonical(native()).is_some());
    }
}
