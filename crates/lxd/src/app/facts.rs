//! What does not change about this host while the daemon runs.

use corten_host::command::Command;
use corten_host::inventory::architecture;
use corten_host::inventory::system::operating_system;
use corten_host::kernel_features::KernelFeatures;
use std::collections::BTreeMap;
use std::path::Path;

use crate::app::instances::shift;

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
    ("seccomp_notify", true),
    ("seccomp_proxy_send_notify_fd", false),
];

impl Host {
    /// Looks at the host; `dir` is where containers are to live.
    pub fn look(dir: &Path) -> Host {
        let system = operating_system();
        let mut kernel = KernelFeatures::probe(dir);
        kernel.idmapped_mounts &= !shift::is_wanted();
        let kernel = kernel.environment();
        let texts = |features: &[(&str, bool)]| {
            features.iter().map(|(name, works)| ((*name).to_string(), works.to_string())).collect()
        };
        Host {
            kernel: system.kernel,
            architecture: system.kernel_architecture,
            release: system.kernel_version,
            name: system.hostname,
            os_name: system.os_name,
            os_version: system.os_version,
            architectures: architecture::supported().into_iter().map(str::to_string).collect(),
            firewall: firewall().to_string(),
            kernel_features: texts(&kernel),
            runtime_features: texts(&RUNTIME_FEATURES),
        }
    }
}

/// nftables where its program is installed, or nothing is; else the older tools.
fn firewall() -> &'static str {
    let nft = Command::new("nft", "nftables").find().is_some();
    let xtables = Command::new("iptables", "iptables").find().is_some();
    if nft || !xtables { "nftables" } else { "xtables" }
}
