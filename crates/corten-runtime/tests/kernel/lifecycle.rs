//! How containers end, and what a later daemon finds.

use std::path::Path;
use std::time::Duration;

use corten_runtime::handle::{cleanup_dead, last_exit};
use corten_runtime::{Container, Error, Exit, State};

use crate::harness::{MONITOR, Scratch, sh};

#[test]
fn the_end_is_told_as_it_was() {
    let Some(scratch) = Scratch::new() else { return };
    for (script, wanted) in [
        ("exit 7", Exit::Exited(7)),
        ("trap 'exit 0' PWR; while :; do sleep 0.1; done", Exit::Exited(0)),
        ("poweroff -f", Exit::Halted),
        ("reboot -f", Exit::Rebooted),
    ] {
        let container = corten_runtime::start(Path::new(MONITOR), &scratch.script(script)).expect("started");
        let told = match container.watch() {
            Ok(watch) => {
                if script.starts_with("trap") {
                    // The signal could come before the trap is set.
                    std::thread::sleep(Duration::from_millis(100));
                    container.signal(30).expect("signalled");
                }
                watch.wait().expect("ended")
            }
            Err(_) => last_exit(&scratch.run_dir()).expect("readable").expect("told"),
        };
        assert_eq!(told, wanted, "{script}");
        assert_eq!(last_exit(&scratch.run_dir()).expect("readable"), Some(wanted), "{script}");
        assert!(Container::find(&scratch.run_dir()).expect("looked").is_none());
        assert!(scratch.leftovers().is_empty(), "{:?}", scratch.leftovers());
    }
}

#[test]
fn busybox_init_shuts_down_cleanly_when_it_is_asked_to() {
    let Some(scratch) = Scratch::new() else { return };
    let (container, watch) = scratch.start(&scratch.spec());
    // Wait until init has set its signal handlers: it runs its first action after that.
    let mut tries = 0;
    while sh(&container, "grep -q 'SigCgt:.*[1-9a-f]' /proc/1/status || exit 1").status != 0 && tries < 100 {
        tries += 1;
    }
    container.signal(12).expect("SIGUSR2 asks busybox' init to power off");
    assert_eq!(watch.wait().expect("ended"), Exit::Halted);
}

#[test]
fn kill_ends_all_of_it_even_when_it_is_frozen() {
    let Some(scratch) = Scratch::new() else { return };
    let (container, watch) = scratch.start(&scratch.script("trap '' TERM; while :; do sleep 1; done"));
    assert_eq!(container.state().expect("a state"), State::Running);
    container.freeze().expect("frozen");
    assert_eq!(container.state().expect("a state"), State::Frozen);
    assert!(watch.wait_for(Duration::from_millis(10)).expect("watched").is_none());
    container.thaw().expect("thawed");
    assert_eq!(container.state().expect("a state"), State::Running);
    assert_eq!(sh(&container, "echo alive").out, "alive\n");
    container.freeze().expect("frozen");
    container.kill().expect("killed");
    assert_eq!(watch.wait().expect("ended"), Exit::Killed(9));
    assert!(matches!(container.state(), Err(Error::Gone)));
    assert!(matches!(container.watch(), Err(Error::Gone)));
    container.kill().expect("killing what is gone is no error");
}

#[test]
fn what_is_held_goes_on_when_its_holder_is_gone() {
    let Some(scratch) = Scratch::new() else { return };
    let (container, watch) = scratch.start(&scratch.spec());
    let hold = container.hold().expect("held");
    assert_eq!(container.state().expect("a state"), State::Frozen);
    container.release(hold).expect("released");
    assert_eq!(container.state().expect("a state"), State::Running);
    // As if the daemon were killed here.
    drop(container.hold().expect("held"));
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while container.state().expect("a state") == State::Frozen {
        assert!(std::time::Instant::now() < deadline, "nobody lets it go on");
        std::thread::yield_now();
    }
    assert_eq!(sh(&container, "echo alive").out, "alive\n");
    container.kill().expect("killed");
    watch.wait().expect("ended");
}

#[test]
fn a_later_daemon_finds_it() {
    let Some(scratch) = Scratch::new() else { return };
    assert!(Container::find(&scratch.run_dir()).expect("looked").is_none());
    assert!(Container::find(Path::new("/no/such/directory")).expect("looked").is_none());
    let (container, watch) = scratch.start(&scratch.spec());
    let (init, monitor) = (container.init_pid(), container.monitor_pid());
    drop((container, watch));
    let found = Container::find(&scratch.run_dir()).expect("looked").expect("there");
    assert_eq!((found.name(), found.init_pid(), found.monitor_pid()), (scratch.name.as_str(), init, monitor));
    assert!(!found.has_ended());
    assert_eq!(sh(&found, "echo there").out, "there\n");
    assert!(cleanup_dead(&scratch.run_dir()).is_err(), "it is not dead");
    let second = corten_runtime::start(Path::new(MONITOR), &scratch.spec()).expect_err("it runs already");
    assert_eq!(second.to_string(), "opening the monitor's socket: the container is already running");
    assert_eq!(sh(&found, "echo still there").out, "still there\n");
    let title = std::fs::read(format!("/proc/{monitor}/cmdline")).expect("a title");
    assert_eq!(title, format!("[lxc monitor] {}\0", scratch.name).into_bytes());
    let watch = found.watch().expect("a watch");
    found.kill().expect("killed");
    watch.wait().expect("ended");
}

#[test]
fn what_a_dead_monitor_leaves_can_be_cleaned_up() {
    let Some(scratch) = Scratch::new() else { return };
    let (container, watch) = scratch.start(&scratch.spec());
    let monitor = rustix::process::Pid::from_raw(container.monitor_pid()).expect("a pid");
    let pidfd = rustix::process::pidfd_open(monitor, rustix::process::PidfdFlags::empty()).expect("a pidfd");
    rustix::process::pidfd_send_signal(&pidfd, rustix::process::Signal::KILL).expect("killed");
    assert!(matches!(watch.wait(), Err(Error::Gone)));
    assert!(Container::find(&scratch.run_dir()).expect("looked").is_none());
    assert!(cleanup_dead(&scratch.run_dir()).expect("cleaned up"));
    assert!(!cleanup_dead(&scratch.run_dir()).expect("nothing left"));
    assert!(container.has_ended());
    let _ = std::fs::remove_file(scratch.run_dir().join("monitor.sock"));
}

#[test]
fn it_starts_again_and_again() {
    let Some(scratch) = Scratch::new() else { return };
    for _ in 0..5 {
        let (container, watch) = scratch.start(&scratch.spec());
        container.kill().expect("killed");
        assert_eq!(watch.wait().expect("ended"), Exit::Killed(9));
    }
}

#[test]
fn a_monitor_with_nothing_to_do_holds_little_and_still_answers() {
    let Some(scratch) = Scratch::new() else { return };
    let (container, watch) = scratch.start(&scratch.spec());
    let kilobytes = |word: &str| {
        let path = format!("/proc/{}/status", container.monitor_pid());
        let text = std::fs::read_to_string(path).expect("readable");
        let line = text.lines().find(|line| line.starts_with(word)).expect("a line of it");
        line.split_whitespace().nth(1).expect("a number").parse::<u64>().expect("kilobytes")
    };
    // When it has heard nothing for a second it holds less than at its busiest.
    let mut tries = 0;
    while kilobytes("VmRSS:") > kilobytes("VmHWM:") * 2 / 3 {
        tries += 1;
        assert!(tries < 300, "{} kB of {} kB when it is quiet", kilobytes("VmRSS:"), kilobytes("VmHWM:"));
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(sh(&container, "echo here").out, "here\n");
    container.kill().expect("killed");
    assert!(watch.wait().is_ok());
}
