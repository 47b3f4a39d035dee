//! What changes while the container runs: mounts, nodes, interfaces.

use std::os::unix::fs::MetadataExt;

use corten_host::netlink::Socket;
use corten_runtime::spec::{Create, DeviceNode, IdMap, Link, Mount, NodeKind};

use crate::harness::{BASE, Scratch, sh};

#[test]
fn mounts_come_and_go() {
    let Some(scratch) = Scratch::new() else { return };
    let share = scratch.dir.join("share");
    std::fs::create_dir(&share).expect("a directory");
    let (container, watch) = scratch.start(&scratch.spec());
    let mut mount = Mount::bind(&share, "/mnt/a/b", Create::Dir);
    mount.idmapped = true;
    container.mount(&mount).expect("mounted");
    assert_eq!(sh(&container, "touch /mnt/a/b/new && stat -c %u /mnt/a/b/new").out, "0\n");
    assert_eq!(std::fs::metadata(share.join("new")).expect("a file").uid(), 0);
    container.unmount("/mnt/a/b").expect("unmounted");
    assert_eq!(sh(&container, "ls /mnt/a/b").out, "");
    let refused = container.unmount("/mnt/a/b").expect_err("nothing is mounted");
    assert_eq!(refused.to_string(), "unmounting /mnt/a/b: Invalid argument");
    // A link in the container leads nowhere but into the container.
    assert_eq!(sh(&container, "rm -rf /mnt/a; ln -s /etc /mnt/a || busybox ln -s /etc /mnt/a").status, 0);
    mount.target = "/mnt/a/new".into();
    container.mount(&mount).expect("mounted");
    assert_eq!(sh(&container, "ls /etc/new").out, "new\n");
    let missing = Mount::bind("/no/such", "/mnt/c", Create::Dir);
    assert_eq!(
        container.mount(&missing).expect_err("no source").to_string(),
        "opening /no/such: No such file or directory (os error 2)"
    );
    container.kill().expect("killed");
    watch.wait().expect("ended");
}

#[test]
fn device_nodes_come_and_go() {
    let Some(scratch) = Scratch::new() else { return };
    let mut spec = scratch.spec();
    let node = |path: &str, minor| DeviceNode {
        path: path.into(),
        kind: NodeKind::Char,
        major: 1,
        minor,
        mode: 0o640,
        uid: 3,
        gid: 4,
    };
    spec.nodes = vec![node("dev/sub/full", 7)];
    let (container, watch) = scratch.start(&spec);
    assert_eq!(sh(&container, "stat -c '%t:%T %u:%g %a' /dev/sub/full").out, "1:7 3:4 640\n");
    let map = IdMap::simple(BASE, 65536);
    container.add_node(&node("/dev/another", 5), Some(&map)).expect("added");
    assert_eq!(sh(&container, "head -c 5 /dev/another | wc -c").out, "5\n");
    container.remove_node("/dev/another").expect("removed");
    assert_eq!(sh(&container, "test -e /dev/another || echo gone").out, "gone\n");
    container.kill().expect("killed");
    watch.wait().expect("ended");
}

#[test]
fn an_interface_goes_in_and_comes_back() {
    let Some(scratch) = Scratch::new() else { return };
    let socket = Socket::open().expect("netlink");
    let ip = |args: &[&str]| {
        let status = std::process::Command::new("ip").args(args).status().expect("iproute2 is installed");
        assert!(status.success(), "ip {args:?}");
    };
    ip(&["link", "add", "phys0", "type", "veth", "peer", "name", "other0"]);
    ip(&["link", "add", "veth-host", "type", "veth", "peer", "name", "veth-guest"]);
    let mut spec = scratch.spec();
    spec.links = vec![
        Link { host: "phys0".into(), cable: None, name: "eth1".into(), return_as: Some("phys0".into()) },
        Link { host: "veth-guest".into(), cable: None, name: "eth0".into(), return_as: None },
    ];
    let (container, watch) = scratch.start(&spec);
    assert_eq!(sh(&container, "ls /sys/class/net").out, "eth0\neth1\nlo\n");
    assert!(socket.find_link("phys0").expect("looked").is_none());
    container.kill().expect("killed");
    watch.wait().expect("ended");
    assert!(socket.find_link("phys0").expect("looked").is_some());
}
