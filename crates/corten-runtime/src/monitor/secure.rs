//! What a process gives up before it runs a container's program: capabilities, privileges, system calls.

use std::io::Write;
use std::os::fd::OwnedFd;

use corten_host::syscall::seccomp::install;
use rustix::io::Errno;
use rustix::thread::{
    CapabilitySet, capabilities, remove_capability_from_bounding_set, set_capabilities, set_no_new_privs,
};

use super::child::{Doing, Outcome, failure};
use crate::spec::Security;

/// What has to be had in hand before the container's own /proc is all there is to see: that one might lie.
#[derive(Debug, Default)]
pub struct Confinement {
    apparmor: Option<std::fs::File>,
}

impl Confinement {
    /// Opens what will be needed, in the host's /proc.
    pub fn prepare(security: &Security) -> Outcome<Confinement> {
        if security.apparmor.is_none() {
            return Ok(Confinement::default());
        }
        let open = |path: &str| std::fs::OpenOptions::new().write(true).open(path);
        // The second name is that of kernels before 5.8, where one security module had it all.
        let file = open("/proc/self/attr/apparmor/exec")
            .or_else(|_| open("/proc/self/attr/exec"))
            .doing(|| "opening /proc/self/attr/apparmor/exec".into())?;
        Ok(Confinement { apparmor: Some(file) })
    }

    /// As [`Confinement::prepare`], for a process that will not execute a program of the container but act for it.
    pub fn prepare_to_stay(security: &Security) -> Outcome<Confinement> {
        if security.apparmor.is_none() {
            return Ok(Confinement::default());
        }
        let open = |path: &str| std::fs::OpenOptions::new().write(true).open(path);
        let file = open("/proc/self/attr/apparmor/current")
            .or_else(|_| open("/proc/self/attr/current"))
            .doing(|| "opening /proc/self/attr/apparmor/current".into())?;
        Ok(Confinement { apparmor: Some(file) })
    }

    /// As [`Confinement::enter`], taking effect at once.
    pub fn enter_to_stay(&self, security: &Security) -> Outcome {
        let unwanted = unwanted(security)?;
        let mut sets = capabilities(None).doing(|| "reading capabilities".into())?;
        sets.effective -= unwanted;
        sets.permitted -= unwanted;
        sets.inheritable = CapabilitySet::empty();
        set_capabilities(None, sets).doing(|| "dropping capabilities".into())?;
        if let (Some(mut file), Some(profile)) = (self.apparmor.as_ref(), &security.apparmor) {
            file.write_all(format!("changeprofile {profile}").as_bytes())
                .doing(|| format!("taking the AppArmor profile {profile:?}"))?;
        }
        set_no_new_privs(true).doing(|| "setting no_new_privs".into())?;
        if !security.seccomp.is_empty() {
            install(&security.seccomp, false).doing(|| "installing the seccomp filter".into())?;
        }
        Ok(())
    }

    /// Gives up everything that `security` says. What can be done only with capabilities comes first. Comes with the
    /// descriptor on which calls are handed over, where the filter does so; who makes one before somebody listens waits.
    pub fn enter(&self, security: &Security) -> Outcome<Option<OwnedFd>> {
        if let (Some(mut file), Some(profile)) = (self.apparmor.as_ref(), &security.apparmor) {
            file.write_all(format!("exec {profile}").as_bytes())
                .doing(|| format!("choosing the AppArmor profile {profile:?}"))?;
        }
        drop_capabilities(security)?;
        if security.no_new_privs {
            set_no_new_privs(true).doing(|| "setting no_new_privs".into())?;
        }
        if security.seccomp.is_empty() {
            return Ok(None);
        }
        install(&security.seccomp, security.intercept).doing(|| "installing the seccomp filter".into())
    }
}

/// The capabilities that nobody in the container has.
fn unwanted(security: &Security) -> Outcome<CapabilitySet> {
    let named =
        |names: &[String]| names.iter().try_fold(CapabilitySet::empty(), |set, name| Ok(set | capability(name)?));
    let mut unwanted = named(&security.drop)?;
    if let Some(keep) = &security.keep {
        unwanted |= named(keep)?.complement();
    }
    Ok(unwanted)
}

/// Out of the bounding set: whatever is executed later cannot have them, and that is all programs inside.
fn drop_capabilities(security: &Security) -> Outcome {
    let unwanted = unwanted(security)?;
    for bit in 0..u64::BITS {
        let one = CapabilitySet::from_bits_retain(unwanted.bits() & (1 << bit));
        if one.is_empty() {
            continue;
        }
        match remove_capability_from_bounding_set(one) {
            // This kernel does not know it, so nobody has it.
            Ok(()) | Err(Errno::INVAL) => {}
            Err(errno) => return Err(errno).doing(|| format!("dropping the capability {one:?}")),
        }
    }
    Ok(())
}

/// A capability by liblxc's name for it: capabilities(7) without `CAP_`, in small letters.
fn capability(name: &str) -> Outcome<CapabilitySet> {
    let upper = name.trim().to_uppercase();
    let upper = upper.strip_prefix("CAP_").unwrap_or(&upper);
    CapabilitySet::from_name(upper)
        .ok_or_else(|| failure(format!("dropping the capability {name:?}"), "there is none of that name"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_are_known_by_liblxcs_names() {
        for (name, wanted) in [
            ("sys_time", CapabilitySet::SYS_TIME),
            ("mac_admin", CapabilitySet::MAC_ADMIN),
            ("CAP_CHOWN", CapabilitySet::CHOWN),
            ("checkpoint_restore", CapabilitySet::CHECKPOINT_RESTORE),
        ] {
            assert_eq!(capability(name).expect(name), wanted);
        }
        assert!(capability("sys_everything").is_err());
    }
}
