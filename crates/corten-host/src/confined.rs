//! Running a program that is fed by somebody else's server: it sees its own files and some trees of the host, and nothing
//! else. It has a mount, a network and a PID namespace of its own, and those capabilities only that files need.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;
use std::process::Stdio;

use rustix::fs::{CWD, Mode, OFlags};
use rustix::mount::UnmountFlags;
use rustix::process::PidfdFlags;
use rustix::thread::{CapabilitySet, LinkNameSpaceType};

use crate::command::{Command, Failed};
use crate::mount::{self, Options};
use crate::seccomp::compile::compile;
use crate::seccomp::policy::{Action, Architecture, Policy, Rule};
use crate::syscall::namespace::unshare_for_program;

/// A detached tree of mounts (see [`mount::clone_tree`]), and the absolute path under which the program sees it.
pub type Tree<'a> = (OwnedFd, &'a Path);

/// Where programs and their libraries are. Links among them are made again.
const PROGRAMS: [&str; 9] = ["usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "nix", "gnu"];

/// What is needed to write files with any owner and attribute.
const CAPABILITIES: [CapabilitySet; 8] = [
    CapabilitySet::CHOWN,
    CapabilitySet::DAC_OVERRIDE,
    CapabilitySet::DAC_READ_SEARCH,
    CapabilitySet::FOWNER,
    CapabilitySet::FSETID,
    CapabilitySet::MKNOD,
    CapabilitySet::SETFCAP,
    // For extended attributes of the name space `trusted`, which rsync keeps. See [`REFUSED`] for the rest of it.
    CapabilitySet::SYS_ADMIN,
];

/// System calls by which such a program could come to see more than it is shown.
const REFUSED: &str = "mount umount umount2 pivot_root chroot move_mount open_tree open_tree_attr fsopen fsconfig fsmount fspick \
    mount_setattr setns unshare name_to_handle_at open_by_handle_at quotactl quotactl_fd swapon swapoff bpf perf_event_open \
    userfaultfd io_uring_setup ptrace process_vm_readv process_vm_writev add_key request_key keyctl kexec_load \
    kexec_file_load init_module finit_module delete_module reboot syslog acct sethostname setdomainname";

/// The compiled filter.
fn filter() -> io::Result<Vec<u8>> {
    let rule = |call: &str| Rule {
        architecture: Architecture::All,
        call: call.to_string(),
        action: Action::Errno(1),
        conditions: Vec::new(),
    };
    let policy = Policy { default: Action::Allow, rules: REFUSED.split_whitespace().map(rule).collect() };
    compile(&policy).map_err(io::Error::other)
}

/// Where a program is found again while it runs: a descriptor for its end, or for a signal.
pub type Begun<'a> = &'a (dyn Fn(OwnedFd) + Sync);

/// Runs `command` to its end with `input` and `output` as its standard streams, seeing `trees` only. Trees are taken in their
/// order: one may be put on a directory of an earlier one. `begun` gets a pidfd as soon as it runs; what the program has
/// started ends with it.
///
/// # Errors
/// [`Failed`].
pub fn run(
    command: &Command,
    trees: Vec<Tree<'_>>,
    (input, output): (OwnedFd, OwnedFd),
    begun: Begun<'_>,
) -> Result<(), Failed> {
    if command.find().is_none() {
        let program = command.argv[0].to_string_lossy().into_owned();
        return Err(Failed::Missing { program, package: command.package });
    }
    let refused = |source: io::Error| Failed::Io { argv: command.line(), source };
    let work = || {
        let home = rustix::fs::open("/proc/thread-self/ns/mnt", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty());
        let home = home.map_err(|errno| refused(errno.into()))?;
        let filter = filter().map_err(refused)?;
        let ran = enter(trees).map_err(refused).and_then(|()| {
            let child = command.start(Stdio::from(input), Stdio::from(output), Some(&filter))?;
            let pid = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
            let pid = pid.ok_or_else(|| refused(io::ErrorKind::InvalidData.into()))?;
            begun(rustix::process::pidfd_open(pid, PidfdFlags::empty()).map_err(|errno| refused(errno.into()))?);
            command.outcome(child).map(drop)
        });
        // The mounts end here and now, and not some time after the thread: who waits for us may unmount what they show.
        let left = rustix::thread::move_into_link_name_space(home.as_fd(), Some(LinkNameSpaceType::Mount));
        ran.and_then(|()| left.map_err(|errno| refused(errno.into())))
    };
    // What the thread gives up it cannot have back, so it ends with this.
    std::thread::scope(|scope| match scope.spawn(work).join() {
        Ok(ran) => ran,
        Err(panic) => std::panic::resume_unwind(panic),
    })
}

/// Makes the calling thread, and what it starts, see `trees` and the programs of the host only.
fn enter(trees: Vec<Tree<'_>>) -> io::Result<()> {
    unshare_for_program()?;
    mount::make_all_private()?;
    let root = mount::new("tmpfs", "tmpfs", &Options::parse(&["nosuid", "nodev", "mode=0755", "size=1m"]))?;
    let mut parts = Vec::new();
    for name in PROGRAMS {
        let path = Path::new("/").join(name);
        match path.symlink_metadata() {
            Ok(found) if found.is_dir() => {
                let tree = mount::clone_tree(&path, true)?;
                mount::make_private(&tree)?;
                mount::change(&tree, &Options { recursive: true, ..Options::parse(&["ro", "nosuid", "nodev"]) })?;
                parts.push((name, tree));
            }
            _ => {}
        }
    }
    let null = mount::clone_tree(Path::new("/dev/null"), false)?;
    let links: Vec<_> =
        PROGRAMS.iter().filter_map(|name| Some((name, std::fs::read_link(format!("/{name}")).ok()?))).collect();
    // Any directory that every host has will do: it is out of sight in a moment.
    mount::attach(&root, CWD, Path::new("/proc"))?;
    rustix::process::chdir("/proc")?;
    for (name, to) in links {
        std::os::unix::fs::symlink(to, name)?;
    }
    for (name, tree) in parts {
        std::fs::create_dir(name)?;
        mount::attach(tree, CWD, Path::new(name))?;
    }
    std::fs::create_dir("dev")?;
    std::fs::write("dev/null", "")?;
    mount::attach(null, CWD, Path::new("dev/null"))?;
    for (tree, path) in trees {
        let path = path.strip_prefix("/").map_err(|_| io::Error::from(io::ErrorKind::InvalidInput))?;
        std::fs::create_dir_all(path)?;
        mount::attach(tree, CWD, path)?;
    }
    rustix::process::pivot_root(".", ".")?;
    rustix::mount::unmount(".", UnmountFlags::DETACH)?;
    rustix::process::chdir("/")?;
    give_up_capabilities()
}

fn give_up_capabilities() -> io::Result<()> {
    let kept = CAPABILITIES.into_iter().fold(CapabilitySet::empty(), |all, one| all | one);
    for number in 0..64 {
        let one = CapabilitySet::from_bits_retain(1 << number);
        if !kept.contains(one) {
            // The kernel knows fewer than there are bits.
            match rustix::thread::remove_capability_from_bounding_set(one) {
                Err(rustix::io::Errno::INVAL) => break,
                done => done?,
            }
        }
    }
    Ok(rustix::thread::set_no_new_privs(true)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;
    use std::sync::Mutex;

    fn told(script: &str, trees: Vec<Tree<'_>>) -> (Result<(), Failed>, String) {
        let null = std::fs::File::open("/dev/null").expect("there").into();
        let (mut from, to) = io::pipe().expect("a pipe");
        let begun = Mutex::new(None);
        let command = Command::new("sh", "dash").args(["-c", script]);
        let ran = run(&command, trees, (null, to.into()), &|pidfd| *begun.lock().expect("ours") = Some(pidfd));
        let mut text = String::new();
        from.read_to_string(&mut text).expect("text");
        (ran, text)
    }

    #[test]
    fn a_program_sees_its_tree_and_nothing_else() {
        if !rustix::process::geteuid().is_root() {
            return println!("skipped: namespaces need root");
        }
        let folder = std::env::temp_dir().join(format!("corten-confined-{}", std::process::id()));
        std::fs::create_dir_all(folder.join("inner")).expect("a directory");
        std::fs::write(folder.join("file"), "content").expect("written");
        let tree = || {
            let tree = mount::clone_tree(&folder, true).expect("a clone");
            mount::make_private(&tree).expect("private");
            (tree, Path::new("/volume"))
        };
        let (ran, text) = told("cat /volume/file; echo; ls /; echo $$; ls /volume; echo x >/volume/new", vec![tree()]);
        ran.expect("it works");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.first(), Some(&"content"));
        assert!(lines.contains(&"volume") && !lines.contains(&"etc") && !lines.contains(&"proc"), "{text}");
        assert!(lines.contains(&"1"), "it is the first of its PID namespace: {text}");
        assert!(folder.join("new").exists());
        let (ran, text) = told("ls /volume/inner", vec![tree(), (tree().0, Path::new("/volume/inner"))]);
        ran.expect("it works");
        assert!(text.contains("file"), "{text}");
        let (ran, text) = told("mount -o remount,dev /volume 2>&1; unshare -m true 2>&1; ls -A /proc", vec![tree()]);
        assert!(ran.is_err() && !text.contains("/proc/self"), "{text}");
        assert!(text.contains("Operation not permitted") || text.contains("permission denied"), "{text}");
        let (ran, _) = told("cat /volume/none", vec![tree()]);
        assert!(ran.expect_err("no such file").to_string().contains("exit status 1"));
        std::fs::remove_dir_all(&folder).expect("nothing is mounted there any more");
    }
}
