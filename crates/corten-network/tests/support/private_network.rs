//! A host of the test's own: fresh network, mount and process namespaces, and guests in namespaces below it.
#![allow(dead_code, reason = "each test program uses a part of it")]

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};

use corten_host::command::Command;
use corten_network::config::Config;
use corten_network::network::{Network, Place};
use corten_network::registry::{Kind, open};

/// Runs the test `name` again in fresh namespaces, where it does `work`. All processes it leaves end with it.
pub fn in_private_network(name: &str, work: impl FnOnce()) {
    if std::env::var_os("CORTEN_PRIVATE").is_some() {
        Command::new("ip", "iproute2").args(["link", "set", "lo", "up"]).run().expect("lo goes up");
        return work();
    }
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED {name}: needs root");
        return;
    }
    let exe = std::env::current_exe().expect("the test knows its program");
    let namespaces = ["-n", "-m", "-p", "-f", "--mount-proc", "--propagation", "private", "env", "CORTEN_PRIVATE=1"];
    let again = Command::new("unshare", "util-linux").args(namespaces).arg(exe).args(["--exact", name, "--nocapture"]);
    again.run().unwrap_or_else(|failure| panic!("{failure}"));
}

/// A directory that goes away with the value, open to dnsmasq's user.
pub struct Scratch(pub PathBuf);

impl Scratch {
    pub fn new(name: &str) -> Scratch {
        let dir = std::env::temp_dir().join(format!("corten-network-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&dir).expect("the directory is made");
        Scratch(dir)
    }

    /// A bridge called `name` with its files here.
    pub fn bridge(&self, name: &str, pairs: &[(&str, &str)]) -> Box<dyn Network> {
        self.network(Kind::Bridge, name, pairs)
    }

    pub fn network(&self, kind: Kind, name: &str, pairs: &[(&str, &str)]) -> Box<dyn Network> {
        let place = Place { dir: self.0.join("networks").join(name), mac_seed: format!("test.0.{name}"), debug: false };
        open(kind, name, &config(pairs), place)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.0).expect("the directory goes");
    }
}

pub fn config(pairs: &[(&str, &str)]) -> Config {
    pairs.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string())).collect()
}

/// A guest: a network namespace kept by a process that waits for the end of its input.
pub struct Guest(Child, File);

impl Guest {
    pub fn new() -> Guest {
        let mut child = Process::new("unshare")
            .args(["-n", "sh", "-c", "ip link set lo up; echo; exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("unshare starts");
        let mut ready = [0];
        std::io::Read::read_exact(child.stdout.as_mut().expect("piped"), &mut ready).expect("the namespace is made");
        let file = File::open(format!("/proc/{}/ns/net", child.id())).expect("its namespace opens");
        Guest(child, file)
    }

    pub fn netns(&self) -> BorrowedFd<'_> {
        self.1.as_fd()
    }

    /// Runs a shell line in the guest's network; its output, or what went wrong.
    pub fn sh(&self, line: &str) -> Result<String, String> {
        let namespace = format!("--net=/proc/{}/ns/net", self.0.id());
        let command = Command::new("nsenter", "util-linux").arg(namespace).args(["sh", "-c", line]);
        command.run().map(|out| String::from_utf8_lossy(&out).into_owned()).map_err(|failure| failure.to_string())
    }

    /// Asks for a lease on `interface` and takes the address; returns it.
    pub fn dhcp(&self, interface: &str, scratch: &Path) -> String {
        let script = scratch.join("udhcpc.sh");
        let text = "#!/bin/sh\n[ \"$1\" = bound ] || exit 0\nip addr add $ip/$mask dev $interface\n\
                    ip route add default via $router\necho $ip\n";
        std::fs::write(&script, text).expect("the script is written");
        Process::new("chmod").arg("755").arg(&script).status().expect("chmod runs");
        let line = format!("busybox udhcpc -f -q -n -t 5 -T 1 -i {interface} -s {} 2>/dev/null", script.display());
        self.sh(&line).unwrap_or_else(|failure| panic!("no lease: {failure}")).trim().to_string()
    }

    /// Whether `address` answers a ping from the guest.
    pub fn pings(&self, address: &str) -> bool {
        self.sh(&format!("ping -c 1 -W 2 {address}")).is_ok()
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).expect("the guest ends");
    }
}

/// The output of a program of the host.
pub fn out(program: &str, args: &[&str]) -> String {
    let run = Command::new(program, "").args(args.iter().copied()).run();
    String::from_utf8_lossy(&run.unwrap_or_else(|failure| panic!("{failure}"))).into_owned()
}

/// The pids of all dnsmasq processes that have not ended.
pub fn dnsmasqs() -> Vec<String> {
    let entries = std::fs::read_dir("/proc").expect("/proc is there").flatten();
    let pids = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let is_dnsmasq =
        |pid: &String| std::fs::read(format!("/proc/{pid}/cmdline")).is_ok_and(|line| line.starts_with(b"dnsmasq\0"));
    pids.filter(is_dnsmasq).collect()
}

/// The names of the host's links, and every chain of its firewall.
pub fn traces() -> (Vec<String>, Vec<String>) {
    let links = corten_host::netlink::Socket::open().and_then(|socket| socket.links()).expect("links are listed");
    let rules = out("nft", &["list", "ruleset"]);
    let chains = rules.lines().filter(|line| line.trim().starts_with("chain")).map(|line| line.trim().to_string());
    (links.into_iter().map(|link| link.name).collect(), chains.collect())
}
