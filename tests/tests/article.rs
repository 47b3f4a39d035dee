//! The magazine article's walk on a Debian system, line by line, with what must be seen.
#![forbid(unsafe_code)]

use stories::daemon::{ORIGINAL_LXC, ORIGINAL_LXD, has_original};
use stories::{Daemon, Host, Terminal, image, story};

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

fn walk(host: &Host, daemon: &Daemon, images: &std::path::Path) {
    init_answers(daemon);
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
    assert_eq!(booted(daemon, "apollo"), "running");

    let list = daemon.lxc(["list"]);
    assert!(list.ok().contains("| apollo | RUNNING |"), "{}", list.out);
    assert!(list.out.contains("|  NAME  |  STATE  | IPV4 | IPV6 |   TYPE    | SNAPSHOTS |"), "{}", list.out);

    let mut passwd = Terminal::open(daemon, &["exec", "apollo", "passwd", "root"]);
    passwd.until("New password: ");
    passwd.kind("rocket\n");
    passwd.until("Retype new password: ");
    passwd.kind("rocket\n");
    passwd.until("password updated successfully");
    assert_eq!(passwd.ended(), 0);

    let mut console = Terminal::open(daemon, &["console", "apollo"]);
    console.until("To detach from the console, press: <ctrl>+a q");
    console.kind("\n");
    console.until("apollo login: ");
    console.kind("root\n");
    console.until("Password: ");
    console.kind("rocket\n");
    console.until("root@apollo:~#");
    console.kind("exit\n");
    console.until("apollo login: ");
    console.kind_escape();
    assert_eq!(console.ended(), 0);

    let mut bash = Terminal::open(daemon, &["exec", "apollo", "bash"]);
    bash.until("root@apollo:~#");
    bash.kind("ip a\n");
    bash.until("state UNKNOWN");
    bash.until("root@apollo:~#");
    bash.kind("exit 5\n");
    assert_eq!(bash.ended(), 5);

    network(host, daemon);
    settings(daemon);
}

/// A bridge of the administrator's own; the container's NIC is plugged while it runs.
fn network(host: &Host, daemon: &Daemon) {
    host.bridge_with_dhcp();
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
    host.end_dhcp();
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

/// Tells the walk with the daemon and client that `start` makes.
fn tell(start: fn(&Host) -> Daemon) {
    if !rustix::process::geteuid().is_root() {
        println!("skipped: the article's walk needs root");
        return;
    }
    let images = image::debian();
    story(|host| walk(host, &start(host), &images));
}

#[test]
fn the_articles_walk_on_debian() {
    tell(Host::daemon);
}

#[test]
fn the_articles_walk_with_the_original_client() {
    if has_original(ORIGINAL_LXC) {
        tell(|host| host.daemon().with_original_lxc());
    }
}

#[test]
fn the_articles_walk_on_the_original_daemon() {
    if has_original(ORIGINAL_LXD) {
        tell(|host| Daemon::start_original(host.folder(), "original"));
    }
}
