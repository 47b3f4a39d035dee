//! The container spec: a pure function of the instance, its attachments and a few facts of the host.

use std::path::PathBuf;

use corten_api::error::Result;
use corten_host::cgroup::{Layout, Limit};
use corten_runtime::Spec;
use corten_runtime::spec::{IdMap, Root};

use super::{mounts, raw_lxc, seccomp, security};
use crate::device::Attachment;
use crate::instance::{Instance, is_false};

/// What the spec depends on beside the instance.
pub struct Facts {
    /// Directory of the monitor's socket and state.
    pub run_dir: PathBuf,
    /// Where the monitor logs; beside it the console's output is kept when the container has ended.
    pub log: PathBuf,
    /// The folder of containers, as the monitor's title shows it.
    pub containers: PathBuf,
    /// The folder of the socket at `/dev/lxd`.
    pub devlxd: PathBuf,
    /// The root file system.
    pub root: Root,
    /// The id map; `None` for privileged containers.
    pub idmap: Option<IdMap>,
    /// The host's control groups, looked at once.
    pub layout: Option<Layout>,
    /// What is set on the container's own.
    pub limits: Vec<Limit>,
    /// The compiled seccomp filter; empty for none.
    pub seccomp: Vec<u8>,
    /// The AppArmor profile, where the kernel has it.
    pub apparmor: Option<String>,
    /// Whether the host has cgroup v2 only, and the image wants an older one.
    pub named_systemd_hierarchy: bool,
}

/// Environment of the first process, before the instance's own.
const ENVIRONMENT: [&str; 1] = ["container=lxc"];

/// Builds the spec.
///
/// # Errors
/// When `raw.lxc` or a limit cannot be read.
pub fn build(instance: &Instance, facts: Facts, attachments: &[Attachment]) -> Result<Spec> {
    let name = instance.host_name();
    let privileged = facts.idmap.is_none();
    let mut spec = Spec::new(&name, facts.run_dir, facts.root);
    spec.console_log = Some(facts.log.with_file_name("console.log"));
    spec.log = Some(facts.log);
    spec.title = format!("[lxc monitor] {} {name}", facts.containers.display());
    spec.hostname.clone_from(&instance.name);
    spec.idmap = facts.idmap;
    spec.kernel = security::kernel(privileged, instance.is_on("security.nesting"), facts.named_systemd_hierarchy);
    spec.cgroup.layout = facts.layout;
    spec.cgroup.limits = facts.limits;
    spec.security.seccomp = facts.seccomp;
    spec.security.intercept = seccomp::is_intercepted(instance);
    spec.security.mounts = seccomp::mounts(instance);
    spec.security.device_programs = seccomp::device_programs(instance);
    spec.security.apparmor = facts.apparmor;
    if privileged {
        spec.security.drop = security::DROPPED.map(str::to_string).to_vec();
        spec.cgroup.devices = security::device_rules();
    }
    let devlxd = (!is_false(instance.get("security.devlxd"))).then_some(facts.devlxd.as_path());
    spec.mounts = mounts::mounts(privileged, devlxd);
    spec.init.env = ENVIRONMENT.map(str::to_string).to_vec();
    for (key, value) in &instance.expanded_config {
        if let Some(variable) = key.strip_prefix("environment.") {
            spec.init.env.push(format!("{variable}={value}"));
        } else if let Some(resource) = key.strip_prefix("limits.kernel.") {
            spec.rlimits.push(raw_lxc::parse_rlimit(resource, value)?);
        } else if let Some(parameter) = key.strip_prefix("linux.sysctl.") {
            spec.sysctls.push((parameter.to_string(), value.clone()));
        }
    }
    for attachment in attachments {
        spec.mounts.extend(attachment.mounts.iter().cloned());
        spec.nodes.extend(attachment.nodes.iter().cloned());
        spec.links.extend(attachment.links.iter().cloned());
        if privileged {
            spec.cgroup.devices.extend(attachment.device_rules.iter().cloned());
        }
    }
    raw_lxc::apply(&mut spec, instance.get("raw.lxc"))?;
    Ok(spec)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::Config;
    use corten_runtime::spec::Source;
    use std::path::Path;

    fn facts(idmap: Option<IdMap>) -> Facts {
        Facts {
            run_dir: "/run/c1".into(),
            log: "/logs/c1/lxc.log".into(),
            containers: "/lxd/containers".into(),
            devlxd: "/lxd/devlxd".into(),
            root: Root { source: Source::Tree { path: "/r".into() }, idmapped: true, readonly: false },
            idmap,
            layout: None,
            limits: Vec::new(),
            seccomp: Vec::new(),
            apparmor: None,
            named_systemd_hierarchy: false,
        }
    }

    fn instance(keys: &[(&str, &str)]) -> Instance {
        let expanded_config: Config = keys.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        Instance { name: "c1".to_string(), project: "default".to_string(), expanded_config, ..Instance::default() }
    }

    #[test]
    fn an_unprivileged_container_needs_no_device_list() {
        let keys = [("environment.TZ", "UTC"), ("limits.kernel.nofile", "1024"), ("linux.sysctl.net.x", "1")];
        let spec = build(&instance(&keys), facts(Some(IdMap::simple(100_000, 65_536))), &[]).expect("a spec");
        assert!(spec.cgroup.devices.is_empty() && spec.security.drop.is_empty() && !spec.kernel.proc_mixed);
        assert_eq!(spec.init.env, ["container=lxc", "TZ=UTC"]);
        assert_eq!(spec.title, "[lxc monitor] /lxd/containers c1");
        assert_eq!(spec.rlimits[0].soft, Some(1024));
        assert_eq!(spec.sysctls, [("net.x".to_string(), "1".to_string())]);
        assert!(spec.mounts.iter().any(|mount| mount.target == Path::new("dev/lxd")));
    }

    #[test]
    fn a_privileged_container_loses_capabilities_and_devices() {
        let spec = build(&instance(&[("security.devlxd", "false")]), facts(None), &[]).expect("a spec");
        assert_eq!(spec.security.drop, security::DROPPED);
        assert_eq!(spec.cgroup.devices[0].rule, "a");
        assert!(spec.kernel.sys_mixed);
        assert!(!spec.mounts.iter().any(|mount| mount.target == Path::new("dev/lxd")));
    }
}
