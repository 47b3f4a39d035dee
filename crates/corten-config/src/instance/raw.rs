//! Keys of instances: lines handed to other programs as they stand.

use crate::key::{Aspect, Live, On};
use crate::table::keys;
use crate::value::id_map::RawIdMap;
use crate::value::text::Blob;

keys! {
    /// Lines in the languages of other programs.
    RAW {
        /// Lines added to the AppArmor profile.
        RAW_APPARMOR: Blob = "raw.apparmor" { live: Live::Apply(Aspect::AppArmor) };
        /// Lines `uid, gid or both HOST[-HOST] INSIDE[-INSIDE]`: these ids pass unmapped.
        RAW_IDMAP: RawIdMap = "raw.idmap" { condition: "unprivileged container" };
        /// Lines added to the liblxc configuration.
        RAW_LXC: Blob = "raw.lxc" { on: On::Container };
        /// Words added to the QEMU command line.
        RAW_QEMU: Blob = "raw.qemu" { on: On::Machine };
        /// Sections that add to, change or remove ones of the generated file.
        RAW_QEMU_CONF: Blob = "raw.qemu.conf" { on: On::Machine, since: "qemu_raw_conf" };
        /// Replaces the seccomp policy.
        RAW_SECCOMP: Blob = "raw.seccomp" { on: On::Container };
    }
}
