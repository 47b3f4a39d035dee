//! The files by which dnsmasq knows the NICs of instances: one line each, name and addresses for a hardware address.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use corten_host::file;
use corten_host::netlink::mac::Mac;

use crate::dnsmasq::Dnsmasq;
use crate::dnsmasq::allocate::Allocation;
use crate::error::{Error, Result};
use crate::name;

/// An instance's NIC on a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// The instance's project.
    pub project: String,
    /// The instance's name.
    pub instance: String,
    /// The device's name.
    pub device: String,
    /// Its hardware address.
    pub hwaddr: Mac,
    /// Its configured IPv4 address.
    pub v4: Option<Ipv4Addr>,
    /// Its configured IPv6 address.
    pub v6: Option<Ipv6Addr>,
    /// Whether it keeps an IPv4 address that was settled for it, since it may use no other (`security.ipv4_filtering`).
    pub keep_v4: bool,
    /// As `keep_v4`.
    pub keep_v6: bool,
}

impl Host {
    /// The name of its file.
    pub fn file_name(&self) -> String {
        format!("{}.{}", name::instance(&self.project, &self.instance), name::in_file_name(&self.device))
    }

    /// Its line; none when there is nothing to say. `named`: DNS knows the instance by its name.
    fn line(&self, named: bool) -> Option<String> {
        let mut line = self.hwaddr.to_string();
        let bare = line.len();
        if let Some(v4) = self.v4 {
            line += &format!(",{v4}");
        }
        if let Some(v6) = self.v6 {
            line += &format!(",[{v6}]");
        }
        if named {
            line += &format!(",{}", name::dns(&self.project, &self.instance));
        }
        (line.len() > bare).then(|| line + "\n")
    }
}

/// `host` with the addresses that its file has, where it keeps those and has no configured ones.
///
/// # Errors
/// When the file cannot be read.
pub fn keeping(dnsmasq: &Dnsmasq, host: &Host) -> Result<Host> {
    let mut kept = host.clone();
    if (host.keep_v4 && host.v4.is_none()) || (host.keep_v6 && host.v6.is_none()) {
        let text = file::read_if_there(dnsmasq.hosts_dir().join(host.file_name()))?.unwrap_or_default();
        let (_, addresses) = parse(&text);
        for address in addresses {
            match address {
                IpAddr::V4(v4) if host.keep_v4 => kept.v4 = kept.v4.or(Some(v4)),
                IpAddr::V6(v6) if host.keep_v6 => kept.v6 = kept.v6.or(Some(v6)),
                _ => {}
            }
        }
    }
    Ok(kept)
}

/// Writes the file of one NIC; says whether anything changed.
///
/// # Errors
/// When it cannot be written.
pub fn write(dnsmasq: &Dnsmasq, host: &Host, named: bool) -> Result<bool> {
    let path = dnsmasq.hosts_dir().join(host.file_name());
    match host.line(named) {
        None => remove(dnsmasq, host),
        Some(line) if file::read(&path).is_ok_and(|old| old == line) => Ok(false),
        Some(line) => {
            put(&path, &line)?;
            Ok(true)
        }
    }
}

/// Puts `line` in the place of a file's content, in one piece for dnsmasq, which skips names that begin with a dot. It
/// is not forced to the disk: all of it can be made again from the instances' keys.
fn put(path: &Path, line: &str) -> Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}"));
    let written = std::fs::write(&temporary, line).and_then(|()| std::fs::rename(&temporary, path));
    written.map_err(|error| {
        // On a full disk it is there, and empty.
        let _ = std::fs::remove_file(&temporary);
        Error::from(file::Error::new("writing", path, error))
    })
}

/// Removes the file of one NIC; says whether there was one.
///
/// # Errors
/// When it cannot be removed.
pub fn remove(dnsmasq: &Dnsmasq, host: &Host) -> Result<bool> {
    remove_file(dnsmasq, &host.file_name())
}

fn remove_file(dnsmasq: &Dnsmasq, file_name: &str) -> Result<bool> {
    let path = dnsmasq.hosts_dir().join(file_name);
    match std::fs::remove_file(&path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(file::Error::new("removing", path, error).into()),
    }
}

/// Makes the directory hold exactly the files of `hosts`; says whether anything changed.
///
/// # Errors
/// When a file cannot be read, written or removed.
pub fn rebuild(dnsmasq: &Dnsmasq, hosts: &[Host], named: bool) -> Result<bool> {
    let mut wanted = BTreeMap::new();
    for host in hosts {
        let host = keeping(dnsmasq, host)?;
        wanted.insert(host.file_name(), host);
    }
    let wanted = without_copies(wanted);
    let mut changed = false;
    for file_name in file_names(dnsmasq)? {
        if !wanted.contains_key(&file_name) {
            changed |= remove_file(dnsmasq, &file_name)?;
        }
    }
    for host in wanted.values() {
        changed |= write(dnsmasq, host, named)?;
    }
    Ok(changed)
}

/// Leaves out NICs with the very addresses of another instance's NIC (copies of an instance with configured addresses):
/// dnsmasq would refuse the whole file.
fn without_copies(hosts: BTreeMap<String, Host>) -> BTreeMap<String, Host> {
    let mut kept: BTreeMap<String, Host> = BTreeMap::new();
    for (file_name, host) in hosts {
        let fixed = host.v4.is_some() || host.v6.is_some();
        let is_copy = |other: &Host| {
            (&other.project, &other.instance) != (&host.project, &host.instance)
                && (other.v4, other.v6) == (host.v4, host.v6)
        };
        if !(fixed && kept.values().any(is_copy)) {
            kept.insert(file_name, host);
        }
    }
    kept
}

/// The addresses that all files hold.
pub(super) fn allocations(dnsmasq: &Dnsmasq) -> Result<Vec<Allocation>> {
    let mut all = Vec::new();
    for file_name in file_names(dnsmasq)? {
        let text = file::read(dnsmasq.hosts_dir().join(&file_name))?;
        let (mac, addresses) = parse(&text);
        all.extend(addresses.map(|address| Allocation { address, file: Some(file_name.clone()), mac }));
    }
    Ok(all)
}

fn file_names(dnsmasq: &Dnsmasq) -> Result<Vec<String>> {
    let dir = dnsmasq.hosts_dir();
    let failed = |error| Error::from(file::Error::new("listing", &dir, error));
    let entries = match std::fs::read_dir(&dir) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(failed)?,
    };
    let mut names = Vec::new();
    for entry in entries {
        names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// Hardware address and addresses of a file's line.
fn parse(text: &str) -> (Option<Mac>, impl Iterator<Item = IpAddr>) {
    let fields = || text.trim().split(',');
    let mac = fields().next().and_then(|field| field.parse().ok());
    let address = |field: &str| field.trim_start_matches('[').trim_end_matches(']').parse().ok();
    (mac, fields().filter_map(address))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn host(instance: &str, v4: Option<&str>) -> Host {
        Host {
            project: "default".into(),
            instance: instance.into(),
            device: "eth0".into(),
            hwaddr: Mac([0, 0x16, 0x3e, 1, 2, 3]),
            v4: v4.map(|text| text.parse().expect("an address")),
            v6: None,
            keep_v4: false,
            keep_v6: false,
        }
    }

    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> Scratch {
            let dir = std::env::temp_dir().join(format!("corten-hosts-{name}-{}", std::process::id()));
            std::fs::create_dir_all(dir.join("dnsmasq.hosts")).expect("made");
            Scratch(dir)
        }

        fn dnsmasq(&self) -> Dnsmasq {
            Dnsmasq::new("br0", &self.0)
        }

        fn files(&self) -> Vec<(String, String)> {
            let names = file_names(&self.dnsmasq()).expect("listed");
            let read = |name: &String| file::read(self.0.join("dnsmasq.hosts").join(name)).expect("read");
            names.iter().map(|name| (name.clone(), read(name))).collect()
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).expect("removed");
        }
    }

    #[test]
    fn lines_are_dnsmasqs() {
        let mut nic = host("c1", Some("10.0.0.7"));
        nic.v6 = Some("fd42::7".parse().expect("an address"));
        assert_eq!(nic.line(true).as_deref(), Some("00:16:3e:01:02:03,10.0.0.7,[fd42::7],c1\n"));
        nic.project = "p".into();
        assert_eq!(nic.line(true).as_deref(), Some("00:16:3e:01:02:03,10.0.0.7,[fd42::7],c1.p\n"));
        assert_eq!(nic.file_name(), "p_c1.eth0");
        assert_eq!(host("c1", None).line(false), None);
        let (mac, addresses) = parse("00:16:3e:01:02:03,10.0.0.7,[fd42::7],c1.p\n");
        let found: Vec<String> = addresses.map(|address| address.to_string()).collect();
        assert_eq!((mac, found), (Some(nic.hwaddr), vec!["10.0.0.7".to_string(), "fd42::7".into()]));
    }

    #[test]
    fn the_directory_follows_the_list() {
        let scratch = Scratch::new("list");
        let list = [host("c1", Some("10.0.0.7")), host("c2", Some("10.0.0.7")), host("c3", None)];
        assert!(rebuild(&scratch.dnsmasq(), &list, true).expect("built"));
        assert!(!rebuild(&scratch.dnsmasq(), &list, true).expect("built"), "nothing to do the second time");
        let files = scratch.files();
        assert_eq!(files.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["c1.eth0", "c3.eth0"]);
        assert_eq!(files[1].1, "00:16:3e:01:02:03,c3\n");
        assert!(rebuild(&scratch.dnsmasq(), &list[2..], true).expect("built"));
        assert_eq!(scratch.files().len(), 1);
    }

    #[test]
    fn nothing_is_left_of_what_cannot_be_written() {
        let scratch = Scratch::new("refused");
        std::fs::create_dir(scratch.dnsmasq().hosts_dir().join("c1.eth0")).expect("made");
        write(&scratch.dnsmasq(), &host("c1", None), true).expect_err("a directory is in its place");
        assert_eq!(file_names(&scratch.dnsmasq()).expect("listed"), ["c1.eth0"]);
    }

    #[test]
    fn settled_addresses_are_kept() {
        let scratch = Scratch::new("kept");
        write(&scratch.dnsmasq(), &host("c1", Some("10.0.0.7")), true).expect("written");
        let mut nic = host("c1", None);
        nic.keep_v4 = true;
        assert!(!rebuild(&scratch.dnsmasq(), &[nic.clone()], true).expect("built"));
        nic.keep_v4 = false;
        assert!(rebuild(&scratch.dnsmasq(), &[nic], true).expect("built"));
        assert_eq!(scratch.files()[0].1, "00:16:3e:01:02:03,c1\n");
    }
}
