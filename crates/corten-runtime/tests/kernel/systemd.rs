//! A whole Debian with systemd as its init.

use std::io::Write;
use std::path::PathBuf;
use std::process::Command;

use corten_runtime::Exit;
use corten_runtime::spec::{Create, Mount, Source};

use crate::harness::{Scratch, sh};

/// A Debian root: the one that `CORTEN_DEBIAN_ROOT` names, or one made by mmdebstrap, once for all runs.
fn debian() -> Option<PathBuf> {
    if let Some(path) = std::env::var_os("CORTEN_DEBIAN_ROOT") {
        return Some(path.into());
    }
    let root = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("debian-12");
    if root.join("sbin/init").exists() {
        return Some(root);
    }
    let packages = "--include=systemd,systemd-sysv,dbus,iproute2,passwd";
    let made = Command::new("mmdebstrap").args(["--variant=minbase", packages, "bookworm"]).arg(&root).output();
    match made {
        Ok(output) if output.status.success() => Some(root),
        Ok(output) => panic!("mmdebstrap: {}", String::from_utf8_lossy(&output.stderr)),
        Err(_) => {
            let _ = writeln!(std::io::stderr(), "skipped: this test needs mmdebstrap or CORTEN_DEBIAN_ROOT");
            None
        }
    }
}

#[test]
fn systemd_comes_up_without_a_failed_unit_and_goes_down_when_asked() {
    let Some(root) = debian() else { return };
    let Some(scratch) = Scratch::new() else { return };
    for dir in ["upper", "work"] {
        std::fs::create_dir(scratch.dir.join(dir)).expect("a directory");
    }
    let mut spec = scratch.spec();
    spec.root.source =
        Source::Overlay { lower: vec![root], upper: scratch.dir.join("upper"), work: scratch.dir.join("work") };
    spec.mounts =
        TAKEN_FOR_GRANTED.iter().map(|path| Mount { optional: true, ..Mount::bind(path, path, Create::Dir) }).collect();
    for (signal, end) in [(SIGRTMIN + 3, Exit::Halted), (SIGINT, Exit::Rebooted)] {
        let (container, watch) = scratch.start(&spec);
        // systemd makes its socket before it runs anything; until then systemctl has nobody to ask.
        let ready = "while ! test -S /run/systemd/private; do sleep 0.05; done; systemctl is-system-running --wait";
        let said = sh(&container, &format!("PATH=/usr/bin:/bin; {ready}; systemctl --failed --no-legend --plain"));
        assert_eq!(
            said.out,
            "running\n",
            "{said:?}\n{}",
            String::from_utf8_lossy(&container.console_log().unwrap_or_default())
        );
        container.signal(signal).expect("signalled");
        assert_eq!(watch.wait().expect("ended"), end);
    }
}

/// systemd tries to mount file systems in these places, and fails without the power to, unless something is there.
const TAKEN_FOR_GRANTED: &[&str] = &["/sys/kernel/config", "/sys/kernel/debug", "/sys/kernel/tracing"];

/// systemd(1): halt the system. The C library keeps two signals before the first one of real time for itself.
const SIGRTMIN: i32 = 34;
/// systemd(1): as ctrl+alt+del, which reboots.
const SIGINT: i32 = 2;
