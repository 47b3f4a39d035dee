//! `raw.lxc`: lines of liblxc's configuration language, applied to the spec; one table says which.

use corten_api::error::{Error, Result};
use corten_host::cgroup::{Limit, Version};
use corten_runtime::Spec;
use corten_runtime::spec::{Create, Mount, Rlimit, Root, Source};

/// What is made of a key.
enum Meaning {
    /// It changes the spec.
    Apply(fn(&mut Spec, &str, &str) -> Result<()>),
    /// It configures something that Corten does otherwise, and changes nothing.
    Ignore,
}

/// Keys of liblxc by prefix; the first that fits counts.
const KEYS: [(&str, Meaning); 19] = [
    ("lxc.apparmor.profile", Meaning::Apply(apparmor)),
    ("lxc.apparmor.", Meaning::Ignore),
    ("lxc.cap.drop", Meaning::Apply(drop)),
    ("lxc.cap.keep", Meaning::Apply(keep)),
    ("lxc.cgroup2.", Meaning::Apply(cgroup)),
    ("lxc.cgroup.", Meaning::Apply(cgroup)),
    ("lxc.console.", Meaning::Ignore),
    ("lxc.environment", Meaning::Apply(environment)),
    ("lxc.init.cmd", Meaning::Apply(init_command)),
    ("lxc.init.cwd", Meaning::Apply(init_directory)),
    ("lxc.log.", Meaning::Ignore),
    ("lxc.mount.entry", Meaning::Apply(mount)),
    ("lxc.no_new_privs", Meaning::Apply(no_new_privileges)),
    ("lxc.prlimit.", Meaning::Apply(rlimit)),
    ("lxc.seccomp.", Meaning::Ignore),
    ("lxc.selinux.", Meaning::Ignore),
    ("lxc.sysctl.", Meaning::Apply(sysctl)),
    ("lxc.tty.", Meaning::Ignore),
    ("lxc.uts.name", Meaning::Apply(host_name)),
];

/// Applies the lines of `text` to `spec`.
///
/// # Errors
/// A line that is not `key = value`, a key that is not in the table, or a value that cannot be read.
pub fn apply(spec: &mut Spec, text: &str) -> Result<()> {
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let (key, value) =
            line.split_once('=').ok_or_else(|| Error::invalid(format!("Invalid raw.lxc line: {line}")))?;
        let (key, value) = (key.trim(), value.trim());
        match KEYS.iter().find(|(prefix, _)| key.starts_with(prefix)) {
            Some((_, Meaning::Apply(apply))) => apply(spec, key, value)?,
            Some((_, Meaning::Ignore)) => {}
            None => return Err(Error::invalid(format!("The raw.lxc key {key} is not supported"))),
        }
    }
    Ok(())
}

/// Says whether a start could honour the lines of `text`.
///
/// # Errors
/// As [`apply`].
pub fn check(text: &str) -> Result<()> {
    let nowhere = Root { source: Source::Tree { path: "/".into() }, idmapped: false, readonly: false };
    apply(&mut Spec::new("", "/", nowhere), text)
}

fn after<'a>(key: &'a str, prefix: &str) -> &'a str {
    key.strip_prefix(prefix).unwrap_or(key)
}

fn apparmor(spec: &mut Spec, _key: &str, value: &str) -> Result<()> {
    spec.security.apparmor = (value != "unconfined").then(|| value.to_string());
    Ok(())
}

fn drop(spec: &mut Spec, _key: &str, value: &str) -> Result<()> {
    if value.is_empty() {
        spec.security.drop.clear();
    }
    spec.security.drop.extend(value.split_whitespace().map(str::to_string));
    Ok(())
}

fn keep(spec: &mut Spec, _key: &str, value: &str) -> Result<()> {
    let kept = spec.security.keep.get_or_insert_default();
    kept.extend(value.split_whitespace().filter(|name| *name != "none").map(str::to_string));
    Ok(())
}

fn cgroup(spec: &mut Spec, key: &str, value: &str) -> Result<()> {
    let version = if key.starts_with("lxc.cgroup2.") { Version::V2 } else { Version::V1 };
    let name = after(after(key, "lxc.cgroup2."), "lxc.cgroup.").to_string();
    if name == "devices.allow" || name == "devices.deny" {
        let allow = name == "devices.allow";
        spec.cgroup.devices.push(corten_runtime::spec::DeviceRule { allow, rule: value.to_string() });
        return Ok(());
    }
    spec.cgroup.limits.push(Limit::File { version, name, value: value.to_string() });
    Ok(())
}

fn environment(spec: &mut Spec, _key: &str, value: &str) -> Result<()> {
    spec.init.env.push(value.to_string());
    Ok(())
}

fn init_command(spec: &mut Spec, _key: &str, value: &str) -> Result<()> {
    spec.init.argv = value.split_whitespace().map(str::to_string).collect();
    Ok(())
}

fn init_directory(spec: &mut Spec, _key: &str, value: &str) -> Result<()> {
    spec.init.cwd = value.into();
    Ok(())
}

fn mount(spec: &mut Spec, _key: &str, value: &str) -> Result<()> {
    let fields: Vec<&str> = value.split_whitespace().collect();
    let [source, target, kind, options, ..] = fields[..] else {
        return Err(Error::invalid(format!(
            "Invalid lxc.mount.entry: {value}: source, target, type and options needed"
        )));
    };
    let mut mount = Mount {
        source: source.into(),
        target: target.trim_start_matches('/').into(),
        fstype: (kind != "none").then(|| kind.to_string()),
        ..Mount::default()
    };
    for option in options.split(',') {
        match option {
            "optional" => mount.optional = true,
            "create=dir" => mount.create = Create::Dir,
            "create=file" => mount.create = Create::File,
            "idmap=container" => mount.idmapped = true,
            other => mount.options.push(other.to_string()),
        }
    }
    spec.mounts.push(mount);
    Ok(())
}

fn no_new_privileges(spec: &mut Spec, _key: &str, value: &str) -> Result<()> {
    spec.security.no_new_privs = value == "1";
    Ok(())
}

fn rlimit(spec: &mut Spec, key: &str, value: &str) -> Result<()> {
    spec.rlimits.push(parse_rlimit(after(key, "lxc.prlimit."), value)?);
    Ok(())
}

/// Reads a resource limit: `LIMIT` or `SOFT:HARD`, each a number or `unlimited`.
///
/// # Errors
/// When a part is neither.
pub fn parse_rlimit(resource: &str, value: &str) -> Result<Rlimit> {
    let number = |text: &str| match text.trim() {
        "unlimited" => Ok(None),
        text => text.parse().map(Some).map_err(|_| Error::invalid(format!("Invalid limit of {resource}: {value}"))),
    };
    let (soft, hard) = value.split_once(':').unwrap_or((value, value));
    Ok(Rlimit { resource: resource.to_string(), soft: number(soft)?, hard: number(hard)? })
}

fn sysctl(spec: &mut Spec, key: &str, value: &str) -> Result<()> {
    spec.sysctls.push((after(key, "lxc.sysctl.").to_string(), value.to_string()));
    Ok(())
}

fn host_name(spec: &mut Spec, _key: &str, value: &str) -> Result<()> {
    spec.hostname = value.to_string();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spec() -> Spec {
        let root = Root { source: Source::Tree { path: "/r".into() }, idmapped: false, readonly: false };
        Spec::new("c1", "/run/c1", root)
    }

    #[test]
    fn lines_change_the_spec() {
        let mut spec = spec();
        let text = "# a comment\nlxc.cap.drop = sys_ptrace net_raw\n\nlxc.mount.entry = tmpfs mnt tmpfs ro,create=dir 0 0\n\
                    lxc.cgroup.memory.swappiness = 10\nlxc.prlimit.nofile = 10:unlimited\nlxc.log.level = trace\n";
        apply(&mut spec, text).expect("all known");
        assert_eq!(spec.security.drop, ["sys_ptrace", "net_raw"]);
        assert_eq!(spec.mounts[0].fstype.as_deref(), Some("tmpfs"));
        let file = Limit::File { version: Version::V1, name: "memory.swappiness".to_string(), value: "10".to_string() };
        assert_eq!(spec.cgroup.limits, [file]);
        assert_eq!((spec.rlimits[0].soft, spec.rlimits[0].hard), (Some(10), None));
    }

    #[test]
    fn unknown_keys_and_broken_lines_are_refused() {
        for text in ["lxc.made.up = 1", "lxc.cap.drop", "lxc.mount.entry = one two"] {
            assert!(apply(&mut spec(), text).is_err(), "{text}");
        }
    }
}
