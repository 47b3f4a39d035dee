//! Files of instances: pushed, pulled, edited and deleted, running and stopped, and what a hostile one makes of it.
#![forbid(unsafe_code)]

use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use stories::{Daemon, Host, story};

fn ready(host: &Host, driver: &str) -> Daemon {
    let daemon = host.daemon_on(driver);
    daemon.lxc(["launch", "busybox", "c1"]).ok();
    daemon
}

/// One request over the socket, with what is said and what comes back as it is.
fn talk(daemon: &Daemon, said: &[u8]) -> String {
    let mut stream = UnixStream::connect(daemon.dir.join("unix.socket")).expect("the daemon listens");
    stream.set_read_timeout(Some(Duration::from_secs(30))).expect("a socket");
    stream.write_all(said).expect("the daemon reads");
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

fn request(daemon: &Daemon, head: &str, body: &str) -> String {
    let length = body.len();
    talk(
        daemon,
        format!("{head}\r\nHost: lxd\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}").as_bytes(),
    )
}

/// Looks again and again: what is waited for tells nobody.
fn eventually(what: &str, mut holds: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !holds() {
        assert!(begun.elapsed() < Duration::from_secs(30), "not true in time: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn on_both_drivers_running_and_stopped(driver: &str) {
    story(|host| {
        let daemon = ready(host, driver);
        let folder = host.folder();
        let file = folder.join("file");
        let content: Vec<u8> = (0..=255u8).cycle().take(3_000_000).collect();
        std::fs::write(&file, &content).expect("the story's folder is ours");
        for state in ["running", "stopped"] {
            if state == "stopped" {
                daemon.lxc(["stop", "c1", "--force"]).ok();
            }
            daemon.lxc(["file", "push", "file", "c1/root/file"]).ok();
            daemon.lxc(["file", "pull", "c1/root/file", "back"]).ok();
            assert!(std::fs::read(folder.join("back")).expect("pulled") == content, "{state}");
            daemon
                .lxc_with(["file", "push", "-", "c1/root/some", "--uid=1000", "--gid=100", "--mode=0640"], b"text")
                .ok();
            assert_eq!(daemon.lxc(["file", "pull", "c1/root/some", "-"]).ok(), "text");
            let head = request(&daemon, "HEAD /1.0/instances/c1/files?path=/root/some HTTP/1.1", "").to_lowercase();
            for line in ["x-lxd-uid: 1000", "x-lxd-gid: 100", "x-lxd-mode: 0640", "x-lxd-type: file"] {
                assert!(head.contains(&format!("\r\n{line}\r\n")), "{state}: no {line} in {head}");
            }
            let append = "POST /1.0/instances/c1/files?path=/root/some HTTP/1.1\r\nX-LXD-write: append";
            assert!(request(&daemon, append, " more").contains("200 OK"));
            assert_eq!(daemon.lxc(["file", "pull", "c1/root/some", "-"]).ok(), "text more");
            assert!(daemon.lxc(["file", "pull", "c1/root/none", "-"]).refused().contains("Not Found"));
            assert!(daemon.lxc(["file", "push", "file", "c1/none/file"]).refused().contains("Not Found"));
            daemon.lxc(["file", "push", "-p", "file", "c1/a/b/c"]).ok();
            let refused = daemon.lxc(["file", "delete", "c1/a"]);
            assert!(refused.refused().contains("directory not empty"), "{}", refused.err);
            daemon.lxc(["file", "delete", "c1/a/b/c", "c1/a/b", "c1/a", "c1/root/some"]).ok();
            assert!(daemon.lxc(["file", "pull", "c1/a/b/c", "-"]).refused().contains("Not Found"));
            daemon.lxc_with(["file", "edit", "c1/root/edited"], b"edited").ok();
            assert_eq!(daemon.lxc(["file", "pull", "c1/root/edited", "-"]).ok(), "edited");
        }
        daemon.lxc(["start", "c1"]).ok();
        let seen = daemon.lxc(["exec", "c1", "--", "stat", "-c", "%u:%g %a", "/root/file", "/root/edited"]);
        assert_eq!(seen.ok(), "0:0 644\n0:0 644\n");
        // What is mounted inside is what is seen.
        std::fs::create_dir(folder.join("share")).expect("the story's folder is ours");
        std::fs::write(folder.join("share/shared"), "through the mount").expect("written");
        let share = format!("source={}", folder.join("share").display());
        daemon.lxc(["config", "device", "add", "c1", "share", "disk", &share, "path=/mnt"]).ok();
        assert_eq!(daemon.lxc(["file", "pull", "c1/mnt/shared", "-"]).ok(), "through the mount");
        assert!(daemon.lxc(["file", "pull", "c1/proc/version", "-"]).ok().starts_with("Linux"));
    });
}

#[test]
fn files_come_and_go_on_dir() {
    on_both_drivers_running_and_stopped("dir");
}

#[test]
fn files_come_and_go_on_overlay() {
    on_both_drivers_running_and_stopped("overlay");
}

#[test]
fn whole_trees() {
    story(|host| {
        let daemon = ready(host, "dir");
        let source = host.folder().join("source");
        std::fs::create_dir_all(source.join("below")).expect("the story's folder is ours");
        std::os::unix::fs::chown(source.join("below"), Some(1000), Some(1000)).expect("root");
        std::fs::write(source.join("foo"), "foo").expect("written");
        std::fs::write(source.join("below/a b"), "spaces").expect("written");
        symlink("foo", source.join("link")).expect("linked");
        daemon.lxc(["file", "push", "-p", "-r", "source", "c1/tmp/to"]).ok();
        let seen = "cd /tmp/to/source && stat -c '%n %u %a' . below && readlink link && cat foo 'below/a b'";
        assert_eq!(daemon.lxc(["exec", "c1", "--", "sh", "-c", seen]).ok(), ". 0 755\nbelow 1000 755\nfoo\nfoospaces");
        daemon.lxc(["file", "pull", "-p", "-r", "c1/tmp/to", "back"]).ok();
        assert_eq!(std::fs::read_to_string(host.folder().join("back/to/source/below/a b")).expect("pulled"), "spaces");
        daemon.lxc(["file", "push", "-p", "--mode=400", "source/foo", "c1/tmp/d1/d2/foo"]).ok();
        assert_eq!(
            daemon.lxc(["exec", "c1", "--", "stat", "-c", "%a", "/tmp/d1", "/tmp/d1/d2", "/tmp/d1/d2/foo"]).ok(),
            "750\n750\n400\n"
        );
    });
}

#[test]
fn a_hostile_container_gets_nothing_of_the_host() {
    story(|host| {
        let daemon = ready(host, "dir");
        let secret = host.folder().join("secret");
        std::fs::write(&secret, "the host's").expect("written");
        std::fs::set_permissions(host.folder(), std::fs::Permissions::from_mode(0o755)).expect("ours");
        let before = std::fs::read("/etc/hostname").ok();
        let inside = |script: &str| daemon.lxc(["exec", "c1", "--", "sh", "-c", script]);
        inside("ln -s /etc /out; ln -s ../../../../../../etc /up; mkfifo /fifo; ln -s /proc/1/root/etc /proc1").ok();
        inside("ln -s /proc/sysrq-trigger /sysrq; ln -s /dev/null /null").ok();
        // Through links one stays inside.
        daemon.lxc_with(["file", "push", "-", "c1/out/evil"], b"evil").ok();
        daemon.lxc_with(["file", "push", "-", "c1/up/evil2"], b"evil").ok();
        assert_eq!(inside("cat /etc/evil /etc/evil2").ok(), "evilevil");
        assert!(!std::path::Path::new("/etc/evil").exists() && !std::path::Path::new("/etc/evil2").exists());
        assert!(
            daemon
                .lxc(["file", "pull", &format!("c1/out/../..{}", secret.display()), "-"])
                .refused()
                .contains("Not Found")
        );
        // What waits or acts is not touched, and nobody hangs.
        let begun = Instant::now();
        for path in ["c1/fifo", "c1/sysrq", "c1/null"] {
            daemon.lxc_with(["file", "push", "-", path], b"h").refused();
        }
        daemon.lxc(["file", "pull", "c1/fifo", "-"]).refused();
        assert!(begun.elapsed() < Duration::from_secs(20), "something waited");
        // A directory that is a link every other moment.
        inside("mkdir /race /safe; (while :; do mv /race /was; ln -s /etc /race; rm /race; mv /was /race; done) >/dev/null 2>&1 </dev/null &").ok();
        for round in 0..60 {
            // It may be there or not; where it goes is inside.
            let _ = daemon.lxc_with(["file", "push", "-", "c1/race/raced"], format!("{round}").as_bytes());
            let pulled = daemon.lxc(["file", "pull", "c1/race/hostname", "-"]);
            assert_ne!(
                Some(pulled.out.as_bytes()).filter(|_| pulled.status == 0),
                before.as_deref(),
                "the host's file"
            );
        }
        assert!(!std::path::Path::new("/etc/raced").exists());
        // A directory that is another mount every other moment, of the container's own and of the kernel's files.
        inside("mkdir /mounts; (while :; do mount -t tmpfs none /mounts; mount -t proc none /mounts; umount /mounts; umount /mounts; done) >/dev/null 2>&1 </dev/null &").ok();
        let pattern = std::fs::read("/proc/sys/kernel/core_pattern").expect("the host has one");
        for round in 0..40 {
            let text = format!("|/evil {round}\n");
            for path in ["c1/mounts/sys/kernel/core_pattern", "c1/mounts/sysrq-trigger", "c1/mounts/file"] {
                let _ = daemon.lxc_with(["file", "push", "-", path], text.as_bytes());
            }
        }
        assert_eq!(std::fs::read("/proc/sys/kernel/core_pattern").expect("still there"), pattern);
        assert_eq!(std::fs::read("/etc/hostname").ok(), before);
        assert_eq!(std::fs::metadata(&secret).expect("still there").uid(), 0);
    });
}

#[test]
fn who_vanishes_leaves_nothing() {
    story(|host| {
        let daemon = ready(host, "overlay");
        let monitor = |state: &str| daemon.get("/1.0/instances/c1/state")["status"] == state;
        assert!(monitor("Running"));
        for state in ["Running", "Stopped"] {
            if state == "Stopped" {
                daemon.lxc(["stop", "c1", "--force"]).ok();
            }
            // An upload that is cut off in its middle.
            let mut stream = UnixStream::connect(daemon.dir.join("unix.socket")).expect("the daemon listens");
            let head =
                "POST /1.0/instances/c1/files?path=/root/cut HTTP/1.1\r\nHost: lxd\r\nContent-Length: 9000000\r\n\r\n";
            stream.write_all(head.as_bytes()).expect("sent");
            stream.write_all(&vec![b'x'; 2_000_000]).expect("sent");
            drop(stream);
            eventually("the half file goes", || {
                daemon.lxc(["file", "pull", "c1/root/cut", "-"]).err.contains("Not Found")
            });
            // A download that nobody reads.
            daemon.lxc_with(["file", "push", "-", "c1/root/large"], &vec![b'y'; 8_000_000]).ok();
            let mut stream = UnixStream::connect(daemon.dir.join("unix.socket")).expect("the daemon listens");
            stream
                .write_all(b"GET /1.0/instances/c1/files?path=/root/large HTTP/1.1\r\nHost: lxd\r\n\r\n")
                .expect("sent");
            let _ = stream.read(&mut [0; 1000]).expect("it begins");
            drop(stream);
        }
        // A connection over SFTP to the stopped instance does not keep it from being started.
        let mut stream = UnixStream::connect(daemon.dir.join("unix.socket")).expect("the daemon listens");
        stream
            .write_all(
                b"GET /1.0/instances/c1/sftp HTTP/1.1\r\nHost: lxd\r\nConnection: Upgrade\r\nUpgrade: sftp\r\n\r\n",
            )
            .expect("sent");
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).expect("an answer");
        assert_eq!(&answer, b"HTTP/1.1 101");
        daemon.lxc(["start", "c1"]).ok();
        assert_eq!(daemon.lxc(["exec", "c1", "--", "stat", "-c", "%s", "/root/large"]).ok(), "8000000\n");
        let mut rest = Vec::new();
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket");
        stream.read_to_end(&mut rest).expect("the connection was cut");
    });
}

#[test]
fn files_folders_and_links_are_created() {
    story(|host| {
        let daemon = ready(host, "dir");
        let create = |words: &[&str]| daemon.lxc(["file", "create"].iter().chain(words));
        create(&["c1/root/empty"]).ok();
        create(&["c1/root/folder/", "--mode=700", "--uid=1000", "--gid=1001"]).ok();
        create(&["-p", "c1/root/a/b/deep", "--mode=600"]).ok();
        create(&["--type=symlink", "c1/root/link", "../etc"]).ok();
        let seen = "cd /root && stat -c '%n %F %a %u:%g' empty folder a/b a/b/deep && readlink link";
        let wanted = "empty regular empty file 644 0:0\nfolder directory 700 1000:1001\na/b directory 755 0:0\n\
                      a/b/deep regular empty file 600 0:0\n../etc\n";
        assert_eq!(daemon.lxc(["exec", "c1", "--", "sh", "-c", seen]).ok(), wanted);
        assert!(create(&["c1/root/empty"]).refused().contains("/root/empty already exists"));
        daemon.lxc_with(["file", "push", "-", "c1/root/empty"], b"full").ok();
        create(&["-f", "c1/root/empty"]).ok();
        assert_eq!(daemon.lxc(["file", "pull", "c1/root/empty", "-"]).ok(), "");
        create(&["c1/no/such/folder"]).refused();
        assert!(create(&["--type=fifo", "c1/root/x"]).refused().contains("Invalid type \"fifo\""));
        assert!(create(&["nothing/x"]).refused().contains("not found"));
    });
}

#[test]
fn files_over_ssh() {
    story(|host| {
        use std::io::BufRead;
        let daemon = ready(host, "dir");
        let content: Vec<u8> = (0..=255u8).cycle().take(5_000_000).collect();
        std::fs::write(host.folder().join("large"), &content).expect("the story's folder is ours");
        let listening = |words: &[&str]| {
            let mut lxc = daemon.lxc_command(["file", "mount", "c1"].iter().chain(words));
            let mut child = lxc.stdout(std::process::Stdio::piped()).spawn().expect("lxc was built");
            let mut lines = std::io::BufReader::new(child.stdout.take().expect("a pipe was asked for")).lines();
            let address = lines.next().expect("a line").expect("text");
            let login = lines.next().expect("a line").expect("text");
            let address = address.strip_prefix("SSH SFTP listening on ").expect("an address").to_string();
            (child, address, login, lines)
        };
        let (mut child, address, login, lines) = listening(&["--listen=127.0.0.1:0", "--no-auth"]);
        assert_eq!(login, "Login without username and password");
        let port = address.rsplit(':').next().expect("a port");
        std::thread::spawn(move || lines.for_each(drop));
        // OpenSSH's client, both ways.
        let batch = "put large /root/large\nget /root/large back\nmkdir /root/made\nls -l /root\n";
        std::fs::write(host.folder().join("batch"), batch).expect("written");
        let ssh = "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR";
        let listed = host.sh(&format!("sftp -q {ssh} -P {port} -b batch anybody@127.0.0.1"));
        assert!(listed.contains("large") && listed.contains("made"), "{listed}");
        assert!(std::fs::read(host.folder().join("back")).expect("fetched") == content);
        assert!(
            daemon
                .lxc(["exec", "c1", "--", "md5sum", "/root/large"])
                .ok()
                .starts_with(&host.sh("md5sum < large")[..32])
        );
        // And libssh2's.
        daemon.lxc_with(["file", "push", "-", "c1/foo"], b"foo\n").ok();
        assert_eq!(host.sh(&format!("curl -s -S --insecure sftp://{address}/foo")), "foo\n");
        child.kill().expect("it is our child");
        child.wait().expect("it is our child");
        // Only who knows the password gets in.
        let (mut child, address, login, lines) = listening(&["--auth-user", "me"]);
        std::thread::spawn(move || lines.for_each(drop));
        let password = login.rsplit('"').nth(1).expect("a password");
        assert!(login.starts_with("Login with username \"me\" and password "), "{login}");
        let get =
            |user: &str| host.sh(&format!("curl -s --insecure -u '{user}' sftp://{address}/foo || echo refused $?"));
        assert_eq!(get(&format!("me:{password}")), "foo\n");
        assert_eq!(get("me:wrong"), "refused 67\n");
        assert_eq!(get(&format!("you:{password}")), "refused 67\n");
        child.kill().expect("it is our child");
        child.wait().expect("it is our child");
        assert!(daemon.lxc(["file", "mount", "c1/root"]).refused().contains("Instance path cannot be used"));
        assert!(daemon.lxc(["file", "mount", "c1", "/no/such"]).refused().contains("no such file or directory"));
    });
}

#[test]
fn files_in_a_folder_of_this_host() {
    story(|host| {
        use std::io::BufRead;
        if host.sh("command -v sshfs >/dev/null && test -w /dev/fuse && echo yes || echo no") != "yes\n" {
            eprintln!("skipped: there is no sshfs, or no /dev/fuse");
            return;
        }
        let daemon = ready(host, "overlay");
        let folder = host.folder().join("mounted");
        std::fs::create_dir(&folder).expect("the story's folder is ours");
        let mut lxc = daemon.lxc_command(["file", "mount", "c1/root", "mounted"]);
        let mut child = lxc.stdout(std::process::Stdio::piped()).spawn().expect("lxc was built");
        let mut lines = std::io::BufReader::new(child.stdout.take().expect("a pipe was asked for")).lines();
        let said = lines.next().expect("a line").expect("text");
        assert!(said.starts_with("sshfs mounting \"c1/root\" on"), "{said}");
        eventually("the folder is mounted", || {
            std::fs::metadata(&folder)
                .is_ok_and(|found| found.dev() != std::fs::metadata(host.folder()).expect("ours").dev())
        });
        std::fs::write(folder.join("note"), "from outside").expect("written");
        assert_eq!(daemon.lxc(["exec", "c1", "--", "cat", "/root/note"]).ok(), "from outside");
        daemon.lxc(["exec", "c1", "--", "sh", "-c", "echo inside > /root/other"]).ok();
        assert_eq!(std::fs::read_to_string(folder.join("other")).expect("read"), "inside\n");
        std::fs::rename(folder.join("other"), folder.join("note")).expect("replaced");
        assert_eq!(daemon.lxc(["exec", "c1", "--", "cat", "/root/note"]).ok(), "inside\n");
        // Interrupted, it leaves the folder as it was.
        rustix::process::kill_process(rustix::process::Pid::from_child(&child), rustix::process::Signal::INT)
            .expect("ours");
        assert!(child.wait().expect("it ends").success());
        assert_eq!(std::fs::read_dir(&folder).expect("a folder").count(), 0);
    });
}
