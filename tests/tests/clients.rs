//! Clients that nobody here wrote: pylxd's own integration tests, an Ansible playbook, Prometheus' lint.
//!
//! `scripts/fetch-foreign-clients` brings them; a story whose client is not there says so.
#![forbid(unsafe_code)]

use std::path::{Path, PathBuf};
use std::process::Command;

use stories::{Daemon, story};

const PROJECT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");
const PYLXD: &str = "target/foreign-clients/pylxd-2.4.2";

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
fn pylxds_own_integration_tests_pass() {
    let Some(pylxd) = there(Path::new(PROJECT).join(PYLXD)) else { return };
    story(|host| {
        let daemon = host.daemon();
        daemon.with_pool("dir");
        // pylxd finds certificates where the client has them by default.
        let config = daemon.home().join(".config/lxc");
        host.sh(&format!(
            "mkdir -p {0}/servercerts; cp one/server.crt {0}/servercerts/127.0.0.1.crt",
            config.display()
        ));
        host.sh(&format!(
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-384 -nodes -days 30 -subj /CN=pylxd \
             -keyout {0}/client.key -out {0}/client.crt 2>/dev/null",
            config.display()
        ));
        daemon.lxc(["config", "set", "core.https_address", "127.0.0.1:8443"]).ok();
        daemon.lxc(["config", "set", "core.trust_password", "password"]).ok();
        let mut pytest = beside(&daemon, pylxd.with_file_name("venv").join("bin/python"));
        pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "integration"]).current_dir(&pylxd);
        let ran = stories::run::run(pytest, b"");
        println!("{}", ran.out.lines().last().unwrap_or_default());
        ran.ok();
    });
}

#[test]
fn a_second_run_of_a_playbook_changes_nothing() {
    let Some(ansible) = there(PathBuf::from("/usr/bin/ansible-playbook")) else { return };
    story(|host| {
        let daemon = host.daemon_on("dir");
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
        let daemon = host.daemon_on("dir");
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
