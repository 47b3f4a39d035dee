//! What the lifecycle's listeners are told: each change once, with the source and the context that LXD gives.
#![forbid(unsafe_code)]

use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};

use serde_json::Value;
use stories::{Daemon, story};

/// A client that listens.
struct Listener {
    monitor: Child,
    lines: Box<dyn Iterator<Item = String>>,
}

impl Listener {
    fn new(daemon: &Daemon) -> Listener {
        let mut lxc = daemon.lxc_command(["monitor", "--type=lifecycle", "--format=json"]);
        let mut monitor = lxc.stdout(Stdio::piped()).spawn().expect("lxc was built");
        let stdout = monitor.stdout.take().expect("a pipe was asked for");
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        // It is listening once it hears of something.
        while {
            daemon.lxc(["profile", "create", "noise"]).ok();
            daemon.lxc(["profile", "delete", "noise"]).ok();
            lines.next().is_none_or(|line| !line.contains("noise"))
        } {}
        Listener { monitor, lines: Box::new(lines) }
    }

    /// Gives the commands, and then one that makes the last event of all, until which is listened.
    fn heard(&mut self, daemon: &Daemon, commands: &[&str]) -> Vec<String> {
        let image =
            daemon.get("/1.0/images")[0].as_str().expect("an image").rsplit('/').next().expect("a hash").to_string();
        for command in commands {
            daemon.lxc(command.replace("FINGERPRINT", &image).split(' ')).ok();
        }
        daemon.lxc(["profile", "create", "end"]).ok();
        daemon.lxc(["profile", "delete", "end"]).ok();
        let mut heard = Vec::new();
        for line in self.lines.by_ref().filter(|line| !line.is_empty()) {
            let event: Value = serde_json::from_str(&line).expect("an event");
            let what = &event["metadata"];
            let (action, source) = (what["action"].as_str().expect("an action"), what["source"].as_str().expect("one"));
            match (action, source) {
                ("profile-deleted", "/1.0/profiles/end") => return heard,
                (_, "/1.0/profiles/noise" | "/1.0/profiles/end") => {}
                _ => heard.push(format!("{action} {source} {}", what["context"])),
            }
        }
        panic!("the monitor ended; it heard {heard:?}");
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        let _ = self.monitor.kill();
        let _ = self.monitor.wait();
    }
}

#[test]
fn the_life_of_an_instance_is_told() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        let mut listener = Listener::new(&daemon);
        let heard = listener.heard(
            &daemon,
            &[
                "init busybox c1",
                "config set c1 user.x=1",
                "start c1",
                "exec c1 -- true",
                "pause c1",
                "start c1",
                "snapshot c1 s1",
                "rename c1/s1 c1/s2",
                "file create c1/root/x",
                "file delete c1/root/x",
                "stop -f c1",
                "restore c1 s2",
                "config template create c1 a.tpl",
                "config template delete c1 a.tpl",
                "rename c1 c2",
                "delete c2",
            ],
        );
        let wanted = [
            r#"instance-created /1.0/instances/c1 {"storage-pool":"default","type":"container"}"#,
            "instance-updated /1.0/instances/c1 null",
            "instance-started /1.0/instances/c1 null",
            r#"instance-exec /1.0/instances/c1 {"command":["true"]}"#,
            "instance-paused /1.0/instances/c1 null",
            "instance-resumed /1.0/instances/c1 null",
            "instance-snapshot-created /1.0/instances/c1/snapshots/s1 null",
            r#"instance-snapshot-renamed /1.0/instances/c1/snapshots/s2 {"old_name":"c1/s1"}"#,
            r#"instance-file-pushed /1.0/instances/c1 {"path":"/root/x"}"#,
            r#"instance-file-deleted /1.0/instances/c1 {"path":"/root/x"}"#,
            "instance-stopped /1.0/instances/c1 null",
            r#"instance-restored /1.0/instances/c1 {"snapshot":"c1/s2"}"#,
            r#"instance-metadata-template-created /1.0/instances/c1/metadata/templates {"path":"a.tpl"}"#,
            r#"instance-metadata-template-deleted /1.0/instances/c1/metadata/templates {"path":"a.tpl"}"#,
            r#"instance-renamed /1.0/instances/c2 {"old_name":"c1"}"#,
            "instance-snapshot-deleted /1.0/instances/c2/snapshots/s2 null",
            "instance-deleted /1.0/instances/c2 null",
        ];
        assert_eq!(heard, wanted);
    });
}

#[test]
fn changes_of_volumes_networks_and_the_server_are_told() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        let mut listener = Listener::new(&daemon);
        let heard = listener.heard(
            &daemon,
            &[
                "storage volume create default v",
                "storage volume set default v user.x=1",
                "storage volume snapshot default v s1",
                "storage volume rename default v v2",
                "storage volume delete default v2",
                "network create evbr0 ipv4.address=none ipv6.address=none",
                "network set evbr0 user.x=1",
                "network rename evbr0 evbr1",
                "network delete evbr1",
                "network acl create a",
                "network acl rename a b",
                "network acl delete b",
                "network zone create z.net",
                "network zone set z.net user.x=1",
                "network zone record create z.net www",
                "network zone record entry add z.net www A 1.1.1.1",
                "network zone record delete z.net www",
                "network zone delete z.net",
                "image alias create again FINGERPRINT",
                "image alias delete again",
                "config set user.x=1",
            ],
        );
        let hash =
            daemon.get("/1.0/images")[0].as_str().expect("an image").rsplit('/').next().expect("a hash").to_string();
        let volume = "/1.0/storage-pools/default/volumes/custom";
        let wanted = [
            format!("storage-volume-created {volume}/v {{\"type\":\"custom\"}}"),
            format!("storage-volume-updated {volume}/v null"),
            format!("storage-volume-snapshot-created {volume}/v/snapshots/s1 {{\"type\":\"custom\"}}"),
            format!("storage-volume-renamed {volume}/v2 {{\"old_name\":\"v\"}}"),
            format!("storage-volume-snapshot-deleted {volume}/v2/snapshots/s1 null"),
            format!("storage-volume-deleted {volume}/v2 null"),
            "network-created /1.0/networks/evbr0 null".into(),
            "network-updated /1.0/networks/evbr0 null".into(),
            "network-renamed /1.0/networks/evbr1 {\"old_name\":\"evbr0\"}".into(),
            "network-deleted /1.0/networks/evbr1 null".into(),
            "network-acl-created /1.0/network-acls/a null".into(),
            "network-acl-renamed /1.0/network-acls/b {\"old_name\":\"a\"}".into(),
            "network-acl-deleted /1.0/network-acls/b null".into(),
            "network-zone-created /1.0/network-zones/z.net null".into(),
            "network-zone-updated /1.0/network-zones/z.net null".into(),
            "network-zone-record-created /1.0/network-zones/z.net/records/www null".into(),
            "network-zone-record-updated /1.0/network-zones/z.net/records/www null".into(),
            "network-zone-record-deleted /1.0/network-zones/z.net/records/www null".into(),
            "network-zone-deleted /1.0/network-zones/z.net null".into(),
            format!("image-alias-created /1.0/images/aliases/again {{\"target\":\"{hash}\"}}"),
            "image-alias-deleted /1.0/images/aliases/again null".into(),
            "config-updated /1.0 null".into(),
        ];
        let heard: Vec<&str> = heard
            .iter()
            .map(|one| {
                one.strip_suffix(" {\"changed\":{\"user.x\":\"1\"}}")
                    .map_or(one.as_str(), |_| "config-updated /1.0 null")
            })
            .collect();
        assert_eq!(heard, wanted);
    });
}
