//! Disks and device nodes, put in and taken out while the container runs.
#![forbid(unsafe_code)]

use stories::story;

#[test]
fn a_folder_of_the_host_is_mounted_into_a_running_container() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        host.sh("mkdir share; echo from outside > share/file; chmod 755 share; chmod 644 share/file");
        let share = host.folder().join("share").display().to_string();
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        let exec = |script: &str| daemon.lxc(["exec", "c1", "--", "sh", "-c", script]);
        let source = format!("source={share}");
        let added = daemon.lxc(["config", "device", "add", "c1", "share", "disk", &source, "path=/mnt/share"]);
        assert_eq!(added.ok(), "Device share added to c1\n");
        assert_eq!(exec("cat /mnt/share/file").ok(), "from outside\n");
        // Without a shift the host's root is nobody inside.
        assert_ne!(exec("touch /mnt/share/new").status, 0);
        daemon.lxc(["config", "device", "remove", "c1", "share"]).ok();
        assert_ne!(exec("cat /mnt/share/file").status, 0);
        // Shifted, root inside owns what root outside owns.
        daemon.lxc(["config", "device", "add", "c1", "share", "disk", &source, "path=/mnt/share", "shift=true"]).ok();
        exec("touch /mnt/share/new").ok();
        assert_eq!(host.sh("stat -c %u share/new").trim(), "0");
        daemon.lxc(["config", "device", "remove", "c1", "share"]).ok();
        // Read-only, and there from the start.
        daemon
            .lxc(["config", "device", "add", "c1", "share", "disk", &source, "path=/mnt/share", "readonly=true"])
            .ok();
        daemon.lxc(["restart", "c1", "--force"]).ok();
        assert_eq!(exec("cat /mnt/share/file").ok(), "from outside\n");
        assert_ne!(exec("touch /mnt/share/more").status, 0);
    });
}

#[test]
fn device_nodes_come_and_go() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        let exec = |script: &str| daemon.lxc(["exec", "c1", "--", "sh", "-c", script]);
        let node = ["source=/dev/zero", "path=/dev/nought", "mode=0666"];
        daemon.lxc(["config", "device", "add", "c1", "nought", "unix-char"].into_iter().chain(node)).ok();
        assert_eq!(exec("head -c 3 /dev/nought | wc -c").ok().trim(), "3");
        assert_eq!(exec("stat -c %a /dev/nought").ok().trim(), "666");
        daemon.lxc(["restart", "c1", "--force"]).ok();
        exec("head -c 3 /dev/nought").ok();
        daemon.lxc(["config", "device", "remove", "c1", "nought"]).ok();
        assert_ne!(exec("test -e /dev/nought").status, 0);
    });
}

#[test]
fn devices_that_cannot_be_are_refused_and_nothing_is_left() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        let before = daemon.lxc(["config", "show", "c1"]).ok().to_string();
        let cases: [(&[&str], &str); 3] = [
            (&["gone", "disk", "source=/no/such/folder", "path=/mnt/x"], "/no/such/folder"),
            (&["gone", "nic", "nictype=bridged", "parent=nobridge"], "nobridge"),
            (&["gone", "unix-char", "path=/dev/nothing-of-the-kind"], "/dev/nothing-of-the-kind"),
        ];
        for (device, named) in cases {
            let refused = daemon.lxc(["config", "device", "add", "c1"].iter().chain(device));
            assert!(refused.refused().contains(named), "{}", refused.err);
            assert_eq!(daemon.lxc(["config", "show", "c1"]).ok(), before, "after {device:?}");
        }
    });
}

#[test]
fn the_file_system_of_a_block_device_is_mounted() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        host.sh("truncate -s 32M disk.img; mkfs.ext4 -q disk.img");
        let device = host.sh("losetup --find --show disk.img").trim().to_string();
        let exec = |script: &str| daemon.lxc(["exec", "c1", "--", "sh", "-c", script]);
        let source = format!("source={device}");
        daemon.lxc(["config", "device", "add", "c1", "mnt", "disk", &source, "path=/mnt", "shift=true"]).ok();
        exec("test -d /mnt/lost+found && touch /mnt/hello").ok();
        daemon.lxc(["restart", "c1", "--force"]).ok();
        exec("test -e /mnt/hello").ok();
        daemon.lxc(["config", "device", "remove", "c1", "mnt"]).ok();
        assert_ne!(exec("test -e /mnt/hello").status, 0);
        daemon.lxc(["delete", "c1", "--force"]).ok();
        host.sh(&format!("losetup --detach {device}"));
    });
}
