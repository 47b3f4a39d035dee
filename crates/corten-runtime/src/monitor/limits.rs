//! Resource limits of processes (getrlimit(2)): the container's, and the monitor's own.

use rustix::process::{Pid, Resource, Rlimit as Limit, getrlimit, prlimit, setrlimit};

use super::child::{Doing, Outcome, failure};
use crate::spec::Rlimit;

/// The constants' names in small letters without `RLIMIT_`.
const RESOURCES: &[(&str, Resource)] = &[
    ("as", Resource::As),
    ("core", Resource::Core),
    ("cpu", Resource::Cpu),
    ("data", Resource::Data),
    ("fsize", Resource::Fsize),
    ("locks", Resource::Locks),
    ("memlock", Resource::Memlock),
    ("msgqueue", Resource::Msgqueue),
    ("nice", Resource::Nice),
    ("nofile", Resource::Nofile),
    ("nproc", Resource::Nproc),
    ("rss", Resource::Rss),
    ("rtprio", Resource::Rtprio),
    ("rttime", Resource::Rttime),
    ("sigpending", Resource::Sigpending),
    ("stack", Resource::Stack),
];

/// Sets limits of a process (`None`: the calling one), which needs `CAP_SYS_RESOURCE` on the host to raise them.
pub fn apply(pid: Option<Pid>, limits: &[Rlimit]) -> Outcome {
    for Rlimit { resource: name, soft, hard } in limits {
        let doing = || format!("setting the resource limit {name}");
        let Some((_, resource)) = RESOURCES.iter().find(|(known, _)| known == name) else {
            let known: Vec<&str> = RESOURCES.iter().map(|(name, _)| *name).collect();
            return Err(failure(doing(), format!("there is none of that name; there are {}", known.join(", "))));
        };
        prlimit(pid, *resource, Limit { current: *soft, maximum: *hard }).doing(doing)?;
    }
    Ok(())
}

/// Lets the monitor have as many descriptors as it may: each session takes some. Gives the limit that was, for
/// [`restore`] in the processes of the container, since a program may take a high limit for a wish to use `poll`.
pub fn raise_own() -> Limit {
    let was = getrlimit(Resource::Nofile);
    // Where this is refused there is still the old one.
    let _ = setrlimit(Resource::Nofile, Limit { current: was.maximum, maximum: was.maximum });
    was
}

/// Takes [`raise_own`] back, in a child.
pub fn restore(was: &Limit) {
    // It lowers the soft limit only, which is never refused.
    let _ = setrlimit(Resource::Nofile, *was);
}
