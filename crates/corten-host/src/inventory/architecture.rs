//! Instruction sets by LXD's names, and which of them this host runs.

/// LXD's number and name of an architecture, other names it goes by, and the kernel's personality.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Architecture {
    /// LXD's number, kept in its database.
    pub id: i64,
    /// LXD's name, which is the kernel's.
    pub name: &'static str,
    /// Other names, of distributions and image servers.
    pub aliases: &'static [&'static str],
    /// `linux32` or `linux64`.
    pub personality: &'static str,
    /// What a processor of this architecture runs besides.
    pub runs: &'static [&'static str],
}

const fn of(
    id: i64,
    name: &'static str,
    aliases: &'static [&'static str],
    personality: &'static str,
    runs: &'static [&'static str],
) -> Architecture {
    Architecture { id, name, aliases, personality, runs }
}

/// Every architecture that LXD 5.0.2 knows.
pub const ALL: [Architecture; 14] = [
    of(1, "i686", &["i386", "i586", "386", "x86", "generic_32"], "linux32", &[]),
    of(2, "x86_64", &["amd64", "generic_64"], "linux64", &["i686"]),
    of(3, "armv7l", &["armhf", "armhfp", "armv7a_hardfp", "armv7", "armv7a_vfpv3_hardfp"], "linux32", &["armv6l"]),
    of(4, "aarch64", &["arm64", "arm64_generic"], "linux64", &["armv6l", "armv7l", "armv8l"]),
    of(5, "ppc", &["powerpc"], "linux32", &[]),
    of(6, "ppc64", &["powerpc64", "ppc64"], "linux64", &["ppc"]),
    of(7, "ppc64le", &["ppc64el"], "linux64", &[]),
    of(8, "s390x", &[], "linux64", &[]),
    of(9, "mips", &["mipsel", "mipsle"], "linux32", &[]),
    of(10, "mips64", &["mips64el", "mips64le"], "linux64", &["mips"]),
    of(11, "riscv32", &[], "linux32", &[]),
    of(12, "riscv64", &[], "linux64", &[]),
    of(13, "armv6l", &["armel", "arm"], "linux32", &[]),
    of(14, "armv8l", &[], "linux32", &["armv6l", "armv7l"]),
];

/// The architecture of that name or alias.
pub fn find(name: &str) -> Option<&'static Architecture> {
    ALL.iter().find(|one| one.name == name).or_else(|| ALL.iter().find(|one| one.aliases.contains(&name)))
}

/// The kernel's own name of the host's architecture, `uname -m`.
pub fn machine() -> String {
    rustix::system::uname().machine().to_string_lossy().into_owned()
}

/// What this host runs, its own first.
pub fn supported() -> Vec<&'static str> {
    match find(&machine()) {
        Some(own) => std::iter::once(own.name).chain(own.runs.iter().copied()).collect(),
        None => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_aliases_find_one() {
        for (name, found) in
            [("amd64", Some(2)), ("x86_64", Some(2)), ("arm64", Some(4)), ("ppc64", Some(6)), ("z80", None)]
        {
            assert_eq!(find(name).map(|one| one.id), found, "{name}");
        }
        assert!(!supported().is_empty());
        for one in ALL {
            assert!(one.runs.iter().all(|name| find(name).is_some()));
        }
    }
}
