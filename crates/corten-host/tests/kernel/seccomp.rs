//! A compiled policy on a thread of its own.

use corten_host::seccomp::{Policy, compile};
use corten_host::syscall::seccomp::install;

use crate::is_root;

#[test]
fn the_kernel_takes_a_policy_and_follows_it() {
    if !is_root("the_kernel_takes_a_policy_and_follows_it") {
        return;
    }
    let own = std::process::id();
    let policy: Policy = format!("2\ndenylist\n[all]\ngetpriority errno 77 [1,{own},==]\n").parse().expect("a policy");
    let program = compile(&policy).expect("it compiles");
    let ask = |pid: u32| {
        let pid = rustix::process::Pid::from_raw(pid.cast_signed());
        rustix::process::getpriority_process(pid).map_err(|errno| errno.raw_os_error())
    };
    let inside = move || {
        assert!(install(&program, false).expect("the kernel takes it").is_none());
        (ask(0).is_ok(), ask(own))
    };
    assert_eq!(std::thread::spawn(inside).join().expect("no panic"), (true, Err(77)));
    assert!(ask(own).is_ok(), "other threads are as before");
    let listening: Policy = "2\ndenylist\n[all]\nswapon notify\n".parse().expect("a policy");
    let program = compile(&listening).expect("it compiles");
    let inside = move || install(&program, true).expect("the kernel takes it").is_some();
    assert!(std::thread::spawn(inside).join().expect("no panic"));
}

#[test]
fn what_is_no_program_is_refused() {
    if !is_root("what_is_no_program_is_refused") {
        return;
    }
    let refused = std::thread::spawn(|| install(&[0xff; 16], false).is_err());
    assert!(refused.join().expect("no panic"));
}
