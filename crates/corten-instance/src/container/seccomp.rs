//! The seccomp policy that an instance's keys ask for.

use corten_host::seccomp::{Intercept, Settings};
use corten_runtime::spec::InterceptedMounts;

use crate::instance::{Instance, is_false};

/// LXD's name of the section for 32-bit programs on the architectures that run them.
const COMPAT: [(&str, &str); 2] = [("x86_64", "x86_64"), ("aarch64", "arm64")];

/// What the keys say; the names before 4.0 (`blacklist`, `whitelist`) mean the same.
pub fn settings(instance: &Instance) -> Settings {
    let one_of = |names: &[&str]| names.iter().map(|name| instance.get(name)).find(|value| !value.is_empty());
    let text = |names: &[&str]| one_of(names).map(str::to_string);
    let default = one_of(&["security.syscalls.deny_default", "security.syscalls.blacklist_default"]);
    let compat = one_of(&["security.syscalls.deny_compat", "security.syscalls.blacklist_compat"]);
    let compat = compat.is_some_and(crate::instance::is_true);
    let section = COMPAT.iter().find(|(name, _)| *name == instance.architecture).map(|(_, section)| *section);
    Settings {
        raw: text(&["raw.seccomp"]),
        allow: text(&["security.syscalls.allow", "security.syscalls.whitelist"]),
        deny_default: !default.is_some_and(is_false),
        deny_compat: section.filter(|_| compat).map(str::to_string),
        deny: text(&["security.syscalls.deny", "security.syscalls.blacklist"]),
        intercept: intercept(instance),
    }
}

/// What is asked for and can be done. A privileged container needs no help, as LXD sees it too.
fn intercept(instance: &Instance) -> Intercept {
    let asked = |call: &str| !instance.is_privileged() && instance.is_on(&key_of(call));
    Intercept {
        mknod: asked("mknod"),
        sched_setscheduler: asked("sched_setscheduler"),
        setxattr: asked("setxattr"),
        mount: asked("mount"),
        bpf: asked("bpf"),
    }
}

fn key_of(call: &str) -> String {
    format!("security.syscalls.intercept.{call}")
}

/// Whether calls are handed to the monitor, which needs a filter of our own: with `raw.seccomp` nobody listens.
pub fn is_intercepted(instance: &Instance) -> bool {
    intercept(instance) != Intercept::default() && instance.get("raw.seccomp").is_empty()
}

/// The mounts that are made for the container's root. They may change while it runs.
pub fn mounts(instance: &Instance) -> InterceptedMounts {
    if !intercept(instance).mount {
        return InterceptedMounts::default();
    }
    let words = |key: &str| instance.get(&key_of(key)).split(',').filter(|word| !word.is_empty()).map(str::to_string);
    let pairs = words("mount.fuse").filter_map(|pair| {
        let (kind, program) = pair.split_once('=')?;
        Some((kind.to_string(), program.to_string()))
    });
    InterceptedMounts {
        allowed: words("mount.allowed").collect(),
        fuse: pairs.collect(),
        shift: instance.is_on(&key_of("mount.shift")),
    }
}

/// Whether its root may have programs about devices.
pub fn device_programs(instance: &Instance) -> bool {
    intercept(instance).bpf && instance.is_on(&key_of("bpf.devices"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::Config;

    #[test]
    fn interception_is_for_those_whom_it_helps() {
        let with = |keys: &[&str]| {
            let expanded_config = keys.iter().map(|key| (key.to_string(), "true".to_string())).collect();
            Instance { expanded_config, ..Instance::default() }
        };
        let key = "security.syscalls.intercept.mknod";
        assert!(is_intercepted(&with(&[key])));
        assert!(settings(&with(&[key])).text().is_some_and(|text| text.contains("mknodat notify")));
        assert!(!is_intercepted(&with(&[key, "security.privileged"])));
        assert!(!is_intercepted(&with(&[key, "raw.seccomp"])));
        assert!(!is_intercepted(&with(&["security.nesting"])));
        let key = "security.syscalls.intercept.bpf";
        let devices = "security.syscalls.intercept.bpf.devices";
        assert!(device_programs(&with(&[key, devices])));
        assert!(!device_programs(&with(&[key])) && !device_programs(&with(&[devices])));
        assert!(!device_programs(&with(&[key, devices, "security.privileged"])));
    }

    #[test]
    fn mounts_are_those_of_the_lists() {
        let of = |keys: &[(&str, &str)]| {
            let full = |(key, value): &(&str, &str)| (format!("security.syscalls.intercept.{key}"), value.to_string());
            mounts(&Instance { expanded_config: keys.iter().map(full).collect(), ..Instance::default() })
        };
        let lists = [("mount.allowed", "ext4,xfs"), ("mount.fuse", "ntfs=ntfs-3g"), ("mount.shift", "true")];
        assert!(of(&lists).is_none(), "the first key is what asks for it");
        let all = of(&[&lists[..], &[("mount", "true")]].concat());
        assert_eq!((all.allowed, all.shift), (vec!["ext4".to_string(), "xfs".to_string()], true));
        assert_eq!(all.fuse, [("ntfs".to_string(), "ntfs-3g".to_string())].into());
        assert!(of(&[("mount", "true")]).is_none());
    }

    #[test]
    fn the_default_list_is_on_unless_refused() {
        let with = |keys: &[(&str, &str)]| {
            let expanded_config: Config =
                keys.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
            settings(&Instance { expanded_config, architecture: "x86_64".to_string(), ..Instance::default() })
        };
        assert!(with(&[]).text().is_some_and(|text| text.contains("kexec_load")));
        assert_eq!(with(&[("security.syscalls.deny_default", "false")]).text(), None);
        assert_eq!(with(&[("security.syscalls.blacklist", "x")]).deny.as_deref(), Some("x"));
        assert_eq!(with(&[("security.syscalls.deny_compat", "yes")]).deny_compat.as_deref(), Some("x86_64"));
    }
}
