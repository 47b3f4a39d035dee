//! From LXD's `security.syscalls.*` and `raw.seccomp` to the text of a policy.

/// What the config of a container says about system calls. Old key names are the caller's to resolve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// `raw.seccomp`: replaces everything else.
    pub raw: Option<String>,
    /// `security.syscalls.allow`: nothing but these.
    pub allow: Option<String>,
    /// `security.syscalls.deny_default`, true unless said otherwise.
    pub deny_default: bool,
    /// `security.syscalls.deny_compat`: the section of calls to deny to 32-bit programs; the name of the architecture.
    pub deny_compat: Option<String>,
    /// `security.syscalls.deny`: also these.
    pub deny: Option<String>,
    /// `security.syscalls.intercept.*`, as far as this host and container can do it.
    pub intercept: Intercept,
}

/// Calls about which the daemon is asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of the config keys")]
#[expect(clippy::struct_excessive_bools, reason = "five keys that are independent of each other")]
pub struct Intercept {
    pub mknod: bool,
    pub sched_setscheduler: bool,
    pub setxattr: bool,
    pub mount: bool,
    pub bpf: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        let intercept = Intercept::default();
        Settings { raw: None, allow: None, deny_default: true, deny_compat: None, deny: None, intercept }
    }
}

/// Calls that a container has no use for and that reach beyond it.
const DEFAULT: &str = "reject_force_umount
[all]
kexec_load errno 38
open_by_handle_at errno 38
init_module errno 38
finit_module errno 38
delete_module errno 38
";

/// A container that is asked about may neither trace its own filters nor listen to new ones.
const NO_OWN_LISTENER: &str = "seccomp errno 22 [1,2146435072,SCMP_CMP_MASKED_EQ,2146435072]
seccomp errno 22 [1,8,SCMP_CMP_MASKED_EQ,8]
";

/// Character and block devices only.
const MKNOD: &str = "mknod notify [1,8192,SCMP_CMP_MASKED_EQ,61440]
mknod notify [1,24576,SCMP_CMP_MASKED_EQ,61440]
mknodat notify [2,8192,SCMP_CMP_MASKED_EQ,61440]
mknodat notify [2,24576,SCMP_CMP_MASKED_EQ,61440]
";

/// The mask leaves out the flags that come with a new file system: what remains changes mounts that exist. The new
/// mount calls keep their state over several calls, so they are not there at all. LXD has openat2 among them, which mounts
/// nothing, and by which files are served safely.
const MOUNT: &str = "mount notify [3,0,SCMP_CMP_MASKED_EQ,18446744070422410016]
fsopen errno 38
fsconfig errno 38
fsinfo errno 38
fsmount errno 38
fspick errno 38
open_tree errno 38
move_mount errno 38
";

/// Loading, attaching and detaching programs.
const BPF: &str = "bpf notify [0,5,SCMP_CMP_EQ]
bpf notify [0,8,SCMP_CMP_EQ]
bpf notify [0,9,SCMP_CMP_EQ]
";

/// The kernel's functions for 32-bit programs, as LXD lists them.
const COMPAT: [&str; 34] = [
    "compat_sys_rt_sigaction",
    "stub_x32_rt_sigreturn",
    "compat_sys_ioctl",
    "compat_sys_readv",
    "compat_sys_writev",
    "compat_sys_recvfrom",
    "compat_sys_sendmsg",
    "compat_sys_recvmsg",
    "stub_x32_execve",
    "compat_sys_ptrace",
    "compat_sys_rt_sigpending",
    "compat_sys_rt_sigtimedwait",
    "compat_sys_rt_sigqueueinfo",
    "compat_sys_sigaltstack",
    "compat_sys_timer_create",
    "compat_sys_mq_notify",
    "compat_sys_kexec_load",
    "compat_sys_waitid",
    "compat_sys_set_robust_list",
    "compat_sys_get_robust_list",
    "compat_sys_vmsplice",
    "compat_sys_move_pages",
    "compat_sys_preadv64",
    "compat_sys_pwritev64",
    "compat_sys_rt_tgsigqueueinfo",
    "compat_sys_recvmmsg",
    "compat_sys_sendmmsg",
    "compat_sys_process_vm_readv",
    "compat_sys_process_vm_writev",
    "compat_sys_setsockopt",
    "compat_sys_getsockopt",
    "compat_sys_io_setup",
    "compat_sys_io_submit",
    "stub_x32_execveat",
];

impl Settings {
    /// The text of the policy, as LXD writes it below `security/seccomp`; `None` when the config wants none.
    pub fn text(&self) -> Option<String> {
        if let Some(raw) = &self.raw {
            return Some(raw.clone());
        }
        let intercepted = self.intercept.text();
        let wanted = self.allow.is_some() || self.deny.is_some() || self.deny_compat.is_some();
        if !wanted && !self.deny_default && intercepted.is_empty() {
            return None;
        }
        let mut text = "2\n".to_string();
        match &self.allow {
            Some(allow) => text += &format!("allowlist\n[all]\n{}", lines(allow)),
            None => text += "denylist\n[all]\n",
        }
        if self.allow.is_none() && self.deny_default {
            text += DEFAULT;
        }
        text += &intercepted;
        if self.allow.is_none() {
            if let Some(architecture) = &self.deny_compat {
                text += &format!("[{architecture}]\n");
                text.extend(COMPAT.iter().map(|call| format!("{call} errno 38\n")));
            }
            text += &self.deny.as_deref().map(lines).unwrap_or_default();
        }
        Some(text)
    }
}

impl Intercept {
    fn text(self) -> String {
        let parts = [
            (self.mknod, MKNOD),
            (self.sched_setscheduler, "sched_setscheduler notify\n"),
            (self.setxattr, "setxattr notify [3,1,SCMP_CMP_EQ]\n"),
            (self.mount, MOUNT),
            (self.bpf, BPF),
        ];
        let chosen: String = parts.iter().filter(|(wanted, _)| *wanted).map(|(_, text)| *text).collect();
        if chosen.is_empty() { chosen } else { NO_OWN_LISTENER.to_string() + &chosen }
    }
}

/// A list from the config, ending with a line break so that more can follow.
fn lines(list: &str) -> String {
    if list.is_empty() || list.ends_with('\n') { list.to_string() } else { format!("{list}\n") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::seccomp::Policy;

    fn checked(settings: &Settings) -> Option<String> {
        let text = settings.text()?;
        text.parse::<Policy>().expect("what is written can be read");
        Some(text)
    }

    #[test]
    fn the_default_denies_what_reaches_beyond() {
        assert_eq!(checked(&Settings::default()), Some(format!("2\ndenylist\n[all]\n{DEFAULT}")));
        assert_eq!(checked(&Settings { deny_default: false, ..Settings::default() }), None);
    }

    #[test]
    fn keys_add_to_it_or_replace_it() {
        let base = Settings::default();
        let raw = Settings { raw: Some("2\ndenylist\n".into()), ..base.clone() };
        assert_eq!(checked(&raw).as_deref(), Some("2\ndenylist\n"));
        let allow = Settings { allow: Some("read\nwrite".into()), ..base.clone() };
        assert_eq!(checked(&allow).as_deref(), Some("2\nallowlist\n[all]\nread\nwrite\n"));
        let deny = Settings { deny_default: false, deny: Some("swapon errno 1".into()), ..base.clone() };
        assert_eq!(checked(&deny).as_deref(), Some("2\ndenylist\n[all]\nswapon errno 1\n"));
        let compat =
            Settings { deny_compat: Some("x86_64".into()), deny: Some("swapon errno 1".into()), ..base.clone() };
        let text = checked(&compat).expect("a text");
        assert!(text.contains("delete_module errno 38\n[x86_64]\ncompat_sys_rt_sigaction errno 38\n"), "{text}");
        assert!(text.ends_with("stub_x32_execveat errno 38\nswapon errno 1\n"), "{text}");
        let intercept = Intercept { mknod: true, bpf: true, ..Intercept::default() };
        let text = checked(&Settings { deny_default: false, intercept, ..base }).expect("a text");
        assert_eq!(text, format!("2\ndenylist\n[all]\n{NO_OWN_LISTENER}{MKNOD}{BPF}"));
    }
}
