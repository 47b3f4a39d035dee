//! Projects: what they may have is asked before anything is made, and their restrictions hold for everyone.
#![forbid(unsafe_code)]

use stories::story;

#[test]
fn a_project_keeps_to_its_limits() {
    story(|host| {
        let daemon = host.daemon();
        daemon.with_pool("dir");
        daemon.lxc(["project", "create", "p", "-c", "limits.containers=2", "-c", "limits.memory=1GiB"]).ok();
        daemon.lxc(["project", "switch", "p"]).ok();
        daemon.lxc(["profile", "device", "add", "default", "root", "disk", "path=/", "pool=default"]).ok();
        daemon.import_busybox("busybox");
        let refused = |words: &[&str], why: &str| {
            let refused = daemon.lxc(words);
            assert!(refused.refused().contains(why), "{words:?}: {} is not {why}", refused.err);
        };
        refused(&["init", "busybox", "c1"], "Instance \"c1\" in project \"p\" has no \"limits.memory\" config");
        let too_much = "Reached maximum aggregate value \"1GiB\" for \"limits.memory\" in project \"p\"";
        refused(&["init", "busybox", "c1", "-c", "limits.memory=2GiB"], too_much);
        daemon.lxc(["init", "busybox", "c1", "-c", "limits.memory=512MiB"]).ok();
        daemon.lxc(["profile", "set", "default", "limits.memory=256MiB"]).ok();
        daemon.lxc(["init", "busybox", "c2"]).ok();
        refused(&["init", "busybox", "c3"], "Reached maximum number of instances of type \"container\"");
        refused(&["config", "set", "c1", "limits.memory=1GiB"], too_much);
        refused(&["profile", "set", "default", "limits.memory=600MiB"], too_much);
        refused(&["project", "set", "p", "limits.memory=700MiB"], "is too low: current total is \"768.0MiB\"");
        refused(&["project", "set", "p", "limits.containers=1"], "there currently are 2 instances of type container");
        let state = daemon.get("/1.0/projects/p/state")["resources"].clone();
        assert_eq!(state["memory"], serde_json::json!({"Limit": 1 << 30, "Usage": 768 << 20}));
        assert_eq!(state["containers"], serde_json::json!({"Limit": 2, "Usage": 2}));
        assert_eq!(state["cpu"], serde_json::json!({"Limit": -1, "Usage": 0}));
    });
}

#[test]
fn what_is_sent_to_a_project_counts_against_its_disk() {
    story(|host| {
        let daemon = host.daemon();
        daemon.with_pool("dir");
        daemon.lxc(["project", "create", "p", "-c", "limits.disk=20kB"]).ok();
        daemon.lxc(["project", "switch", "p"]).ok();
        let file = stories::image::busybox(host.folder());
        let sent = daemon.lxc(["image", "import", &file.to_string_lossy(), "--alias", "busybox"]);
        assert!(sent.refused().contains("exceeding quota of 20000"), "{}", sent.err);
        assert_eq!(daemon.get("/1.0/images?project=p"), serde_json::json!([]));
        host.sh("test -z \"$(ls -A one/images)\"");
        let volume = daemon.lxc(["storage", "volume", "create", "default", "v"]);
        assert!(volume.refused().contains("Custom volume \"v\" in project \"p\" has no \"size\" config set"));
        daemon.lxc(["project", "set", "p", "limits.disk=100MB"]).ok();
        daemon.lxc(["image", "import", &file.to_string_lossy(), "--alias", "busybox"]).ok();
    });
}

#[test]
fn a_restricted_project_is_restricted() {
    story(|host| {
        let daemon = host.daemon();
        daemon.with_pool("dir");
        daemon.lxc(["network", "create", "restbr0", "ipv4.address=none", "ipv6.address=none"]).ok();
        host.sh("mkdir -p open/inner closed; ln -s ../closed open/link");
        let open = format!("restricted.devices.disk.paths={}", host.folder().join("open").display());
        daemon.lxc(["project", "create", "p", "-c", "restricted=true"]).ok();
        daemon.lxc(["project", "switch", "p"]).ok();
        daemon.lxc(["profile", "device", "add", "default", "root", "disk", "path=/", "pool=default"]).ok();
        daemon.import_busybox("busybox");
        daemon.lxc(["init", "busybox", "c1"]).ok();
        let source = |name: &str| format!("source={}", host.folder().join(name).display());
        let (inner, link, closed) = (source("open/inner"), source("open/link"), source("closed"));
        let refused = |words: &[&str], why: &str| {
            let refused = daemon.lxc(words);
            assert!(refused.refused().contains(why), "{words:?}: {} is not {why}", refused.err);
        };
        refused(&["config", "set", "c1", "security.privileged=true"], "Privileged containers are forbidden");
        refused(&["config", "set", "c1", "volatile.uuid=x"], "Changing \"volatile.uuid\" on container \"c1\"");
        refused(
            &["profile", "set", "default", "raw.lxc=lxc.log.level=0"],
            "Use of low-level config \"raw.lxc\" on container",
        );
        refused(&["snapshot", "c1"], "Project \"p\" doesn't allow for snapshot creation");
        let add = ["config", "device", "add", "c1", "d", "disk", "path=/mnt"];
        let with =
            |source: &str| [add.as_slice(), &[source]].concat().into_iter().map(str::to_string).collect::<Vec<_>>();
        let refused_disk = |source: &str, why: &str| {
            let refused = daemon.lxc(with(source));
            assert!(refused.refused().contains(why), "{source}: {} is not {why}", refused.err);
        };
        refused_disk(&inner, "Attaching disks not backed by a pool is forbidden");
        daemon.lxc(["project", "set", "p", "restricted.devices.disk=allow", &open]).ok();
        refused_disk(&closed, "not allowed");
        // A link leads out only when the container starts, and not then either.
        daemon.lxc(with(&link)).ok();
        daemon.lxc(["start", "c1"]).refused();
        daemon.lxc(["config", "device", "set", "c1", "d", &inner]).ok();
        daemon.lxc(["start", "c1"]).ok();
        daemon.lxc(["exec", "c1", "--", "stat", "/mnt"]).ok();
        // Networks that the project may not use are not there.
        daemon.lxc(["network", "show", "restbr0"]).ok();
        daemon.lxc(["project", "set", "p", "restricted.networks.access=other"]).ok();
        refused(&["network", "show", "restbr0"], "Network not found");
        daemon.lxc(["delete", "-f", "c1"]).ok();
        daemon.lxc(["network", "delete", "restbr0", "--project", "default"]).ok();
    });
}
