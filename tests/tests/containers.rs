//! The life of a container, from launch to delete, on each kind of pool.
#![forbid(unsafe_code)]

use stories::{Daemon, story};

fn launch_exec_stop_delete(daemon: &Daemon) {
    daemon.import_busybox("busybox");
    daemon.lxc(["launch", "busybox", "c1"]).ok();
    assert_eq!(daemon.get("/1.0/instances/c1")["status"], "Running");
    let exec = |script: &str| daemon.lxc(["exec", "c1", "--", "sh", "-c", script]);
    assert_eq!(exec("echo $$ out; echo err >&2; exit 7").status, 7);
    assert_eq!(exec("cat /proc/1/comm").ok().trim(), "init");
    assert_eq!(exec("hostname").ok().trim(), "c1");
    exec("echo kept > /root/file").ok();
    daemon.lxc(["restart", "c1", "--force"]).ok();
    assert_eq!(exec("cat /root/file").ok(), "kept\n");
    daemon.lxc(["stop", "c1", "--force"]).ok();
    assert_eq!(daemon.get("/1.0/instances/c1")["status"], "Stopped");
    assert!(daemon.lxc(["stop", "c1"]).refused().contains("The instance is already stopped"));
    daemon.lxc(["delete", "c1"]).ok();
    assert_eq!(daemon.get("/1.0/instances"), serde_json::json!([]));
}

#[test]
fn a_container_lives_on_a_dir_pool() {
    story(|host| {
        let daemon = host.daemon();
        daemon.with_pool("dir");
        launch_exec_stop_delete(&daemon);
    });
}

#[test]
fn a_container_lives_on_an_overlay_pool() {
    story(|host| {
        let daemon = host.daemon();
        daemon.with_pool("overlay");
        launch_exec_stop_delete(&daemon);
    });
}
