//! AppArmor for containers: the text of their profiles, and under which label they run.

pub mod patterns;
pub mod profile;

use std::path::Path;

use corten_host::apparmor::name::Names;

use crate::instance::Instance;

/// The names of an instance's profile; `var` is the daemon's folder.
pub fn names(instance: &Instance, var: &Path) -> Names {
    Names::of("", &instance.host_name(), var)
}

/// The label of a container's processes. With `stacking` they are in a policy namespace of their own as well, in which
/// the guest may load profiles for its services.
pub fn label(names: &Names, stacking: bool) -> String {
    if stacking { format!("{}//&:{}:", names.profile, names.namespace) } else { names.profile.clone() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stacked_label_names_the_namespace_too() {
        let instance = Instance { name: "c1".into(), project: "default".into(), ..Instance::default() };
        let names = names(&instance, Path::new("/var/lib/lxd"));
        assert_eq!(label(&names, false), "lxd-c1_</var/lib/lxd>");
        assert_eq!(label(&names, true), "lxd-c1_</var/lib/lxd>//&:lxd-c1_<var-lib-lxd>:");
    }
}
