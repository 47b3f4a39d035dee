//! The numbers under which LXD stores architectures.

const ARCHITECTURES: [(i64, &str); 14] = [
    (1, "i686"),
    (2, "x86_64"),
    (3, "armv7l"),
    (4, "aarch64"),
    (5, "ppc"),
    (6, "ppc64"),
    (7, "ppc64le"),
    (8, "s390x"),
    (9, "mips"),
    (10, "mips64"),
    (11, "riscv32"),
    (12, "riscv64"),
    (13, "armv6l"),
    (14, "armv8l"),
];

/// Other names of the same, from Debian and from image servers.
const ALIASES: [(i64, &[&str]); 11] = [
    (1, &["i386", "i586", "386", "x86", "generic_32"]),
    (2, &["amd64", "generic_64"]),
    (3, &["armhf", "armhfp", "armv7a_hardfp", "armv7", "armv7a_vfpv3_hardfp"]),
    (4, &["arm64", "arm64_generic"]),
    (5, &["powerpc"]),
    (6, &["powerpc64"]),
    (7, &["ppc64el"]),
    (9, &["mipsel", "mipsle"]),
    (10, &["mips64el", "mips64le"]),
    (13, &["armel", "arm"]),
    (14, &[]),
];

/// The number of an architecture, by the kernel's name or an alias.
pub fn id(name: &str) -> Option<i64> {
    let exact = ARCHITECTURES.iter().find(|(_, known)| *known == name).map(|(id, _)| *id);
    exact.or_else(|| ALIASES.iter().find(|(_, known)| known.contains(&name)).map(|(id, _)| *id))
}

/// The kernel's name of an architecture number.
pub fn name(id: i64) -> Option<&'static str> {
    ARCHITECTURES.iter().find(|(known, _)| *known == id).map(|(_, name)| *name)
}
