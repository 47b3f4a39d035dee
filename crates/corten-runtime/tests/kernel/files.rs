//! The container's files, as its processes see them.

use std::io::{Read, Write};
use std::path::Path;
use std::time::Duration;

use corten_files::transfer::{self, Reading};
use corten_files::wire::open;
use corten_files::{Attributes, Client};
use corten_runtime::Container;
use corten_runtime::handle::Files;
use corten_runtime::spec::{Create, Mount};

use crate::harness::{Scratch, sh};

fn connect(container: &Container) -> (Files, Client) {
    let files = container.files().expect("served");
    let socket = files.socket().try_clone().expect("a descriptor");
    (files, Client::greet(socket, Duration::from_secs(20)).expect("greeted"))
}

fn put(container: &Container, path: &str, mut content: &[u8]) -> Result<(), corten_files::Failure> {
    let (_files, mut client) = connect(container);
    let handle = client.open(Path::new(path), open::WRITE | open::CREATE | open::TRUNCATE)?;
    transfer::write(&mut client, &handle, 0, &mut content).map_err(|cut| match cut {
        transfer::Cut::Files(failure) => failure,
        transfer::Cut::Source(error) => error.into(),
    })?;
    client.close(&handle)
}

fn get(container: &Container, path: &str) -> Vec<u8> {
    let (_files, mut client) = connect(container);
    let handle = client.open(Path::new(path), open::READ).expect("opened");
    let mut content = Vec::new();
    Reading::new(client, handle).read_to_end(&mut content).expect("read");
    content
}

#[test]
fn files_are_those_that_the_container_sees() {
    let Some(scratch) = Scratch::new() else { return };
    let share = scratch.dir.join("share");
    std::fs::create_dir(&share).expect("a directory");
    let (container, watch) = scratch.start(&scratch.spec());
    let mut mount = Mount::bind(&share, "/mnt/inside", Create::Dir);
    mount.idmapped = true;
    container.mount(&mount).expect("mounted");
    let content: Vec<u8> = (0..=255u8).cycle().take(3_000_000).collect();
    put(&container, "/mnt/inside/file", &content).expect("put");
    assert!(std::fs::read(share.join("file")).expect("through the mount") == content);
    assert!(get(&container, "/mnt/inside/file") == content);
    assert_eq!(sh(&container, "stat -c '%u:%g %a' /mnt/inside/file").out, "0:0 644\n");
    let (_files, mut client) = connect(&container);
    let owned = Attributes { owner: Some((1000, 100)), mode: Some(0o4750), ..Attributes::default() };
    client.change_at(Path::new("/mnt/inside/file"), &owned).expect("changed");
    assert_eq!(sh(&container, "stat -c '%u:%g %a' /mnt/inside/file").out, "1000:100 4750\n");
    // A server that nobody needs any more ends by itself.
    drop(client);
    container.kill().expect("killed");
    watch.wait().expect("ended");
}

#[test]
fn the_container_cannot_make_us_act_on_the_host() {
    let Some(scratch) = Scratch::new() else { return };
    let (container, watch) = scratch.start(&scratch.spec());
    let hostname = std::fs::read("/proc/sys/kernel/core_pattern").expect("the host has one");
    sh(
        &container,
        "ln -s /proc/sys/kernel/core_pattern /tmp/core; ln -s /proc/sysrq-trigger /tmp/sysrq; mkfifo /tmp/fifo",
    );
    for path in ["/tmp/core", "/tmp/sysrq", "/tmp/fifo", "/dev/null"] {
        put(&container, path, b"|/tmp/evil\n").expect_err(path);
    }
    assert_eq!(std::fs::read("/proc/sys/kernel/core_pattern").expect("still there"), hostname);
    // Nor does it see what serves: neither its descriptors nor its memory.
    let (files, mut client) = connect(&container);
    let handle = client.open(Path::new("/etc/passwd"), open::READ).expect("opened");
    let seen = sh(
        &container,
        "for p in /proc/[0-9]*; do [ $p = /proc/1 ] || [ $p = /proc/$$ ] || ls $p/fd $p/root/ >/dev/null 2>&1 && echo $p $(tr -d '\\0' <$p/cmdline); done | grep -v 'sh-c'",
    );
    assert!(!seen.out.contains("monitor"), "{}", seen.out);
    client.close(&handle).expect("closed");
    drop(files);
    // A freeze of the container does not hold its files up, and its end ends the server.
    container.freeze().expect("frozen");
    assert_eq!(get(&container, "/etc/passwd"), std::fs::read(container.proc_path("root/etc/passwd")).expect("there"));
    container.thaw().expect("thawed");
    let (files, _client) = connect(&container);
    container.kill().expect("killed");
    watch.wait().expect("ended");
    let mut socket = std::fs::File::from(files.socket().try_clone().expect("a descriptor"));
    let _ = socket.write(&[0, 0, 0, 1, 1]);
    assert_eq!(socket.read(&mut [0; 64]).unwrap_or(0), 0, "the server is gone");
}

#[test]
fn many_connections_leave_nothing() {
    let Some(scratch) = Scratch::new() else { return };
    let (container, watch) = scratch.start(&scratch.spec());
    let children = || {
        let path = format!("/proc/{0}/task/{0}/children", container.monitor_pid());
        std::fs::read_to_string(path).expect("the monitor lives").split_whitespace().count()
    };
    let before = children();
    for _ in 0..50 {
        assert!(!get(&container, "/etc/passwd").is_empty());
    }
    // A server ends when it notices that its connection has, and is reaped then: on a busy machine a little later.
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while children() > before && std::time::Instant::now() < until {
        container.sessions().expect("answered");
    }
    assert!(children() <= before, "{} children before, {} now", before, children());
    container.kill().expect("killed");
    watch.wait().expect("ended");
}
