//! The seccomp policy that an instance's keys ask for.

use corten_host::seccomp::Settings;

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
        ..Settings::default()
    }
}

/// Calls that LXD can be asked to do in the container's place; each has a key `security.syscalls.intercept.NAME`.
const INTERCEPTED: [&str; 5] = ["bpf", "mknod", "mount", "sched_setscheduler", "setxattr"];

/// The first key that asks for a call to be intercepted, which nothing here does yet. LXD looks away, too, when the
/// container is privileged and needs no help.
pub fn intercepts(instance: &Instance) -> Option<String> {
    let keys = INTERCEPTED.iter().map(|call| format!("security.syscalls.intercept.{call}"));
    keys.into_iter().find(|key| instance.is_on(key) && !instance.is_privileged())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instance::Config;

    #[test]
    fn interception_is_noticed_where_it_would_help() {
        let key = "security.syscalls.intercept.mknod";
        let with = |keys: &[&str]| {
            let expanded_config = keys.iter().map(|key| (key.to_string(), "true".to_string())).collect();
            intercepts(&Instance { expanded_config, ..Instance::default() })
        };
        assert_eq!(with(&[key]).as_deref(), Some(key));
        assert_eq!(with(&[key, "security.privileged"]), None);
        assert_eq!(with(&["security.nesting"]), None);
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
