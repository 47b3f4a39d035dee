//! The AppArmor profile of a network's dnsmasq, which reads what guests send: it sees the network's own files and what
//! every program that speaks DNS needs, nothing else.

use std::path::Path;

use corten_host::apparmor::name::Names;
use corten_host::apparmor::{Features, Profiles};

use super::process::START_PID;
use crate::error::{Error, Result};

/// The profile; `dir` is the network's folder.
pub fn text(name: &str, dir: &Path) -> String {
    let dir = dir.display();
    format!(
        "#include <tunables/global>
profile \"{name}\" flags=(attach_disconnected,mediate_deleted) {{
  #include <abstractions/base>
  #include <abstractions/dbus>
  #include <abstractions/nameservice>

  capability chown,
  capability dac_override,
  capability dac_read_search,
  capability net_admin,
  capability net_bind_service,
  capability net_raw,
  capability setgid,
  capability setuid,
  network inet raw,
  network inet6 raw,

  {dir}/{START_PID} rw,
  {dir}/dnsmasq.hosts/{{,*}} r,
  {dir}/dnsmasq.leases rw,
  {dir}/dnsmasq.raw r,

  @{{PROC}}/sys/net/ipv6/conf/*/mtu r,
  @{{PROC}}/@{{pid}}/fd/ r,
  /{{,usr/}}sbin/dnsmasq mr,
}}
"
    )
}

/// Loads the profile of the network `name`; gives its label, `None` where this host has no AppArmor.
///
/// # Errors
/// The parser's words.
pub fn load(name: &str, dir: &Path) -> Result<Option<String>> {
    if !Features::probe().per_container() {
        return Ok(None);
    }
    let (names, profiles) = place(name, dir);
    profiles.load(&names.file, &text(&names.profile, dir)).map_err(failed)?;
    Ok(Some(names.profile))
}

/// Takes the profile out of the kernel and removes its file; without AppArmor there is neither.
///
/// # Errors
/// The parser's words.
pub fn delete(name: &str, dir: &Path) -> Result<()> {
    if !Features::probe().per_container() {
        return Ok(());
    }
    let (names, profiles) = place(name, dir);
    profiles.delete(&names.profile, &names.file).map_err(failed)
}

fn failed(error: corten_host::apparmor::load::Error) -> Error {
    Error::internal(format!("AppArmor profile of dnsmasq: {error}"))
}

/// `dir` is `LXD_DIR/networks/NAME`.
fn place(name: &str, dir: &Path) -> (Names, Profiles) {
    let var = dir.ancestors().nth(2).unwrap_or(Path::new("/"));
    (Names::of("dnsmasq", name, var), Profiles::new(var.join("security/apparmor")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_profile_is_as_agreed() {
        let (names, _) = place("lxdbr0", Path::new("/var/lib/lxd/networks/lxdbr0"));
        assert_eq!(names.profile, "lxd_dnsmasq-lxdbr0_</var/lib/lxd>");
        let text = text(&names.profile, Path::new("/var/lib/lxd/networks/lxdbr0"));
        crate::golden::check("apparmor-dnsmasq.txt", &text);
    }
}
