//! What does not change about this host while the daemon runs.

use corten_host::command::Command;
use std::collections::BTreeMap;

/// Facts that `GET /1.0` shows.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// `Linux`.
    pub kernel: String,
    /// Such as `x86_64`.
    pub architecture: String,
    /// The kernel's release.
    pub release: String,
    /// The host's name.
    pub name: String,
    /// `NAME` of os-release(5).
    pub os_name: String,
    /// `VERSION_ID` of os-release(5).
    pub os_version: String,
    /// Which architectures' programs run here.
    pub architectures: Vec<String>,
    /// `nftables` or `xtables`.
    pub firewall: String,
    /// What this kernel can do, in LXD's names.
    pub kernel_features: BTreeMap<String, String>,
    /// What our runtime can do, in liblxc's names.
    pub runtime_features: BTreeMap<String, String>,
}

/// From which kernel on (major, minor) a feature is there.
const KERNEL_FEATURES: [(&str, (u32, u32)); 6] = [
    ("idmapped_mounts", (5, 12)),
    ("netnsid_getifaddrs", (4, 18)),
    ("seccomp_listener", (5, 0)),
    ("seccomp_listener_continue", (5, 5)),
    ("uevent_injection", (4, 18)),
    ("unpriv_fscaps", (4, 14)),
];

/// What our runtime does, of what liblxc calls its API extensions.
const RUNTIME_FEATURES: [(&str, bool); 14] = [
    ("cgroup2", true),
    ("core_scheduling", false),
    ("devpts_fd", true),
    ("idmapped_mounts_v2", true),
    ("mount_injection_file", true),
    ("network_gateway_device_route", true),
    ("network_ipvlan", false),
    ("network_l2proxy", false),
    ("network_phys_macvlan_mtu", true),
    ("network_veth_router", false),
    ("pidfd", true),
    ("seccomp_allow_deny_syntax", true),
    ("seccomp_notify", false),
    ("seccomp_proxy_send_notify_fd", false),
];

impl Host {
    /// Looks.
    pub fn look() -> Host {
        let uname = rustix::system::uname();
        let text = |field: &std::ffi::CStr| field.to_string_lossy().into_owned();
        let release = text(uname.release());
        let architecture = text(uname.machine());
        let os = os_release(&std::fs::read_to_string("/etc/os-release").unwrap_or_default());
        let version = kernel_version(&release);
        let mut kernel_features: BTreeMap<String, String> = KERNEL_FEATURES
            .iter()
            .map(|(name, since)| ((*name).to_string(), (version >= *since).to_string()))
            .collect();
        kernel_features.insert("shiftfs".to_string(), "false".to_string());
        Host {
            kernel: text(uname.sysname()),
            name: text(uname.nodename()),
            os_name: os.get("NAME").cloned().unwrap_or_default(),
            os_version: os.get("VERSION_ID").cloned().unwrap_or_default(),
            architectures: architectures(&architecture),
            firewall: firewall().to_string(),
            kernel_features,
            runtime_features: RUNTIME_FEATURES
                .iter()
                .map(|(name, works)| ((*name).to_string(), works.to_string()))
                .collect(),
            release,
            architecture,
        }
    }
}

/// `major.minor` of a kernel release; zeros where it says none.
fn kernel_version(release: &str) -> (u32, u32) {
    let mut numbers = release.split(|c: char| !c.is_ascii_digit()).map(|number| number.parse().unwrap_or(0));
    (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0))
}

/// The architecture, and those whose programs its processors run too.
fn architectures(machine: &str) -> Vec<String> {
    let more: &[&str] = match machine {
        "x86_64" => &["i686"],
        "aarch64" => &["armv8l", "armv7l", "armv6l"],
        "armv8l" => &["armv7l", "armv6l"],
        "armv7l" => &["armv6l"],
        "ppc64" => &["powerpc"],
        _ => &[],
    };
    std::iter::once(&machine).chain(more).map(|name| (*name).to_string()).collect()
}

/// The keys of an os-release(5) text, quotes taken off.
fn os_release(text: &str) -> BTreeMap<String, String> {
    let fields = text.lines().filter_map(|line| line.split_once('='));
    fields.map(|(key, value)| (key.to_string(), value.trim_matches(['"', '\'']).to_string())).collect()
}

/// nftables where its program is installed, or nothing is; else the older tools.
fn firewall() -> &'static str {
    let nft = Command::new("nft", "nftables").find().is_some();
    let xtables = Command::new("iptables", "iptables").find().is_some();
    if nft || !xtables { "nftables" } else { "xtables" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_the_host_are_read() {
        assert_eq!(kernel_version("6.18.44-fc"), (6, 18));
        assert_eq!(kernel_version("5.4"), (5, 4));
        assert_eq!(kernel_version("odd"), (0, 0));
        let os = os_release("NAME=\"Debian GNU/Linux\"\nVERSION_ID='12'\n# x\nID=debian\n");
        assert_eq!((os["NAME"].as_str(), os["VERSION_ID"].as_str()), ("Debian GNU/Linux", "12"));
        assert_eq!(architectures("x86_64"), ["x86_64", "i686"]);
    }
}
