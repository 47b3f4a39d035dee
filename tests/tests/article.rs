//! The magazine article's walk on a Debian system, line by line, with what must be seen.
#![forbid(unsafe_code)]

use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::process::{Child, Stdio};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use stories::{Daemon, Host, image, story};

/// A program on a terminal of its own, as a person has it.
struct Terminal {
    master: std::fs::File,
    child: Child,
    seen: String,
}

impl Terminal {
    fn open(daemon: &Daemon, args: &[&str]) -> Terminal {
        use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("there are terminals");
        grantpt(&master).expect("it is ours");
        unlockpt(&master).expect("it is ours");
        let name = ptsname(&master, Vec::new()).expect("it has a name").into_string().expect("plain text");
        let slave = std::fs::File::options().read(true).write(true).open(name).expect("it is ours");
        let stdio = || Stdio::from(slave.try_clone().expect("a descriptor"));
        let mut lxc = daemon.lxc_command(args);
        let child = lxc.stdin(stdio()).stdout(stdio()).stderr(stdio()).spawn().expect("lxc was built");
        Terminal { master: std::fs::File::from(master), child, seen: String::new() }
    }

    fn kind(&mut self, text: &str) {
        self.master.write_all(text.as_bytes()).expect("the terminal takes it");
    }

    /// Waits until `text` has been shown.
    #[track_caller]
    fn until(&mut self, text: &str) {
        let mut buffer = [0; 4096];
        while !self.seen.contains(text) {
            let mut fds = [PollFd::from_borrowed_fd(self.master.as_fd(), PollFlags::IN)];
            let patience = Timespec { tv_sec: 90, tv_nsec: 0 };
            let ready = poll(&mut fds, Some(&patience)).expect("poll(2)");
            let read = if ready == 0 { 0 } else { self.master.read(&mut buffer).unwrap_or(0) };
            assert_ne!(read, 0, "{text:?} was not shown, but:\n{}", self.seen);
            self.seen.push_str(&String::from_utf8_lossy(&buffer[..read]));
        }
        let end = self.seen.find(text).expect("it was shown") + text.len();
        self.seen.drain(..end);
    }

    fn ended(mut self) -> i32 {
        self.child.wait().expect("it is our child").code().expect("no signal ended it")
    }
}

/// Waits until systemd says that it is up, by asking it to wait.
fn booted(daemon: &Daemon, name: &str) -> String {
    let ask = "for i in $(seq 600); do [ -S /run/systemd/private ] && [ -S /run/dbus/system_bus_socket ] && break; sleep 0.1; done
               exec systemctl is-system-running --wait";
    let ran = daemon.lxc(["exec", name, "--", "sh", "-c", ask]);
    if ran.out.trim() != "running" {
        let failed = daemon.lxc(["exec", name, "--", "systemctl", "--failed", "--no-legend"]);
        eprintln!("{}{}", ran.err, failed.out);
    }
    ran.out.trim().to_string()
}

fn init_answers(daemon: &Daemon) {
    // The article's answers: no, but for the stale images.
    let answers = "no\nno\nno\nno\nno\nno\nyes\nno\n";
    let ran = daemon.lxd(["init"], answers.as_bytes());
    let asked = ran.ok();
    let prompts = [
        "Would you like to use LXD clustering? (yes/no) [default=no]: ",
        "Do you want to configure a new storage pool? (yes/no) [default=yes]: ",
        "Would you like to connect to a MAAS server? (yes/no) [default=no]: ",
        "Would you like to create a new local network bridge? (yes/no) [default=yes]: ",
        "Would you like to configure LXD to use an existing bridge or host interface? (yes/no) [default=no]: ",
        "Would you like the LXD server to be available over the network? (yes/no) [default=no]: ",
        "Would you like stale cached images to be updated automatically? (yes/no) [default=yes]: ",
        "Would you like a YAML \"lxd init\" preseed to be printed? (yes/no) [default=no]: ",
    ];
    let mut rest = asked;
    for prompt in prompts {
        let at = rest.find(prompt).unwrap_or_else(|| panic!("{prompt:?} was not asked in its turn:\n{asked}"));
        rest = &rest[at + prompt.len()..];
    }
}

fn walk(host: &Host, images: &std::path::Path) {
    let daemon = host.daemon();
    init_answers(&daemon);
    let store = host.folder().join("store");
    std::fs::create_dir(&store).expect("the story's folder is ours");
    let made = daemon.lxc(["storage", "create", "store_lxd", "dir", &format!("source={}", store.display())]);
    assert_eq!(made.ok(), "Storage pool store_lxd created\n");
    let (meta, rootfs) = (images.join("metadata.tar"), images.join("rootfs.squashfs"));
    let (meta, rootfs) = (meta.display().to_string(), rootfs.display().to_string());
    daemon.lxc(["image", "import", &meta, &rootfs, "--alias", "debian"]).ok();
    let launched = daemon.lxc(["launch", "-s", "store_lxd", "debian", "apollo"]);
    assert!(launched.ok().contains("Creating apollo") && launched.out.contains("Starting apollo"), "{}", launched.out);
    assert!(launched.err.contains("The instance you are starting doesn't have any network attached to it."));
    assert_eq!(booted(&daemon, "apollo"), "running");

    let list = daemon.lxc(["list"]);
    assert!(list.ok().contains("| apollo | RUNNING |"), "{}", list.out);
    assert!(list.out.contains("|  NAME  |  STATE  | IPV4 | IPV6 |   TYPE    | SNAPSHOTS |"), "{}", list.out);

    let mut passwd = Terminal::open(&daemon, &["exec", "apollo", "passwd", "root"]);
    passwd.until("New password: ");
    passwd.kind("rocket\n");
    passwd.until("Retype new password: ");
    passwd.kind("rocket\n");
    passwd.until("password updated successfully");
    assert_eq!(passwd.ended(), 0);

    let mut console = Terminal::open(&daemon, &["console", "apollo"]);
    console.until("To detach from the console, press: <ctrl>+a q");
    console.kind("\n");
    console.until("apollo login: ");
    console.kind("root\n");
    console.until("Password: ");
    console.kind("rocket\n");
    console.until("root@apollo:~#");
    console.kind("exit\n");
    console.until("apollo login: ");
    // LXD's own client sees the two keys only when they come one by one, as from a person.
    console.kind("\u{1}");
    std::thread::sleep(std::time::Duration::from_millis(200));
    console.kind("q");
    assert_eq!(console.ended(), 0);

    let mut bash = Terminal::open(&daemon, &["exec", "apollo", "bash"]);
    bash.until("root@apollo:~#");
    bash.kind("ip a\n");
    bash.until("state UNKNOWN");
    bash.until("root@apollo:~#");
    bash.kind("exit 5\n");
    assert_eq!(bash.ended(), 5);

    network(host, &daemon);
    settings(&daemon);
}

/// A bridge of the administrator's own; the container's NIC is plugged while it runs.
fn network(host: &Host, daemon: &Daemon) {
    host.sh("ip link add virbr0 type bridge; ip addr add 10.77.0.1/24 dev virbr0; ip link set virbr0 up
         dnsmasq --conf-file=/dev/null --interface=virbr0 --bind-interfaces --port=0 --user=root \
                 --dhcp-range=10.77.0.50,10.77.0.60 --dhcp-leasefile=$PWD/leases --pid-file=$PWD/dhcp.pid");
    let nic = ["config", "device", "add", "apollo", "eth0", "nic", "name=eth0", "nictype=bridged", "parent=virbr0"];
    assert_eq!(daemon.lxc(nic).ok(), "Device eth0 added to apollo\n");
    let exec = |script: &str| daemon.lxc(["exec", "apollo", "--", "sh", "-c", script]);
    let seen = exec("ip a show eth0").ok().to_string();
    assert!(seen.contains("00:16:3e:") && seen.contains("BROADCAST,MULTICAST"), "{seen}");
    exec("dhclient eth0").ok();
    exec("ping -c 1 -W 5 10.77.0.1").ok();
    let list = daemon.lxc(["list", "apollo", "-c", "4", "-f", "csv"]);
    assert!(list.ok().contains("10.77.0.") && list.out.contains("(eth0)"), "{}", list.out);
    let stopped = daemon.lxc(["stop", "apollo"]);
    assert_eq!((stopped.ok(), stopped.err.as_str()), ("", ""));
    let started = daemon.lxc(["start", "apollo"]);
    assert_eq!((started.ok(), started.err.as_str()), ("", ""));
    assert_eq!(booted(daemon, "apollo"), "running");
    exec("dhclient eth0; ping -c 1 -W 5 10.77.0.1").ok();
    host.sh("kill $(cat dhcp.pid)");
}

fn settings(daemon: &Daemon) {
    assert_eq!(daemon.lxc(["config", "set", "apollo", "boot.autostart=true"]).ok(), "");
    assert_eq!(daemon.lxc(["config", "set", "apollo", "boot.autostart", "true"]).ok(), "");
    let profile = daemon.lxc(["profile", "show", "default"]);
    let wanted =
        "config: {}\ndescription: Default LXD profile\ndevices: {}\nname: default\nused_by:\n- /1.0/instances/apollo\n";
    assert_eq!(profile.ok(), wanted);
    let config = daemon.lxc(["config", "show", "apollo"]);
    let keys: Vec<&str> =
        config.ok().lines().filter_map(|line| line.trim().split_once(": ")).map(|(key, _)| key).collect();
    let in_order = [
        "architecture",
        "boot.autostart",
        "image.description",
        "image.os",
        "volatile.base_image",
        "volatile.cloud-init.instance-id",
        "volatile.eth0.host_name",
        "volatile.eth0.hwaddr",
        "volatile.idmap.base",
        "volatile.idmap.current",
        "volatile.idmap.next",
        "volatile.last_state.idmap",
        "volatile.last_state.power",
        "volatile.uuid",
    ];
    let found: Vec<&str> = keys.iter().copied().filter(|key| in_order.contains(key)).collect();
    assert_eq!(found, in_order, "{}", config.out);
    assert!(config.out.contains("    pool: store_lxd\n"), "{}", config.out);
}

#[test]
fn the_articles_walk_on_debian() {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: the article's walk needs root");
        return;
    }
    let images = image::debian();
    story(|host| walk(host, &images));
}
