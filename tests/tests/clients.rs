//! Clients that nobody here wrote: an Ansible playbook, Prometheus' lint.
//!
//! `scripts/fetch-foreign-clients` brings them; a story whose client is not there says so.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::Command;

use stories::{Daemon, story};

const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// The path, or a line that says why nothing is told.
fn there(path: PathBuf) -> Option<PathBuf> {
    let found = path.exists();
    if !found {
        println!("skipped: {} is not there; scripts/fetch-foreign-clients brings it", path.display());
    }
    found.then_some(path)
}

/// A command in the daemon's environment, with this machine's certificate bundles out of the way.
fn beside(daemon: &Daemon, program: impl AsRef<Path>) -> Command {
    let mut command = daemon.client_command(program.as_ref());
    for bundle in ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"] {
        command.env_remove(bundle);
    }
    command
}

#[test]
fn a_second_run_of_a_playbook_changes_nothing() {
    let Some(ansible) = there(PathBuf::from("/usr/bin/ansible-playbook")) else { return };
    story(|host| {
        let daemon = host.daemon();
        daemon.with_pool("dir");
        daemon.import_busybox("busybox");
        let hosts = host.folder().join("hosts");
        std::fs::write(&hosts, "[all]\nbox ansible_connection=community.general.lxd\n").expect("the folder is ours");
        // Its connection plugin runs the `lxc` of PATH.
        let client = daemon.lxc_command([""; 0]).get_program().to_os_string();
        let folder = Path::new(&client).parent().expect("a program is in a folder");
        let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
        let playbook = Path::new(PROJECT).join("tests/tests/clients/playbook.yml");
        let play = || {
            let mut play = beside(&daemon, &ansible);
            play.arg("-i").arg(&hosts).arg(&playbook).env("ANSIBLE_NOCOLOR", "1").env("PATH", &path);
            stories::run::run(play, b"").ok().to_string()
        };
        assert!(play().contains("changed=4"));
        let again = play();
        assert_eq!(again.matches("changed=0").count(), 2, "{again}");
        daemon.lxc(["delete", "--project", "web", "idle"]).ok();
    });
}

#[test]
fn prometheus_reads_the_metrics() {
    let Some(promtool) = there(PathBuf::from("/usr/bin/promtool")) else { return };
    story(|host| {
        let daemon = host.daemon();
        daemon.with_pool("dir");
        daemon.import_busybox("busybox");
        daemon.lxc(["launch", "busybox", "c1"]).ok();
        let metrics = daemon.lxc(["query", "/1.0/metrics"]).ok().to_string();
        assert!(metrics.contains("lxd_memory_MemFree_bytes{") && metrics.ends_with("# EOF\n"), "{metrics}");
        let mut lint = Command::new(promtool);
        lint.args(["check", "metrics"]);
        let ran = stories::run::run(lint, metrics.as_bytes());
        // LXD's own names, which promtool would have otherwise; nothing else may be wrong.
        let complaints: Vec<&str> = ran.err.lines().filter(|line| !line.contains("camelCase")).collect();
        assert_eq!(
            complaints,
            ["lxd_procs_total non-counter metrics should not have \"_total\" suffix"],
            "{}",
            ran.err
        );
        // Looking at the figures is no use of the volume.
        daemon.lxc(["delete", "--force", "c1"]).ok();
    });
}
