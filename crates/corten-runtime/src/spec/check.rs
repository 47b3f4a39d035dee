//! What a spec must fulfil before anything is done with it.

use std::io;
use std::path::Path;

use super::{Source, Spec};
use crate::failure::StartFailed;
use crate::monitor::steps;

/// Checks all that can be known without touching the host.
///
/// # Errors
/// What is wrong, and what would be right.
pub fn check(spec: &Spec) -> Result<(), StartFailed> {
    steps::reach(spec, steps::CHECK)?;
    problem(spec).map_or(Ok(()), |what| {
        Err(StartFailed::new(steps::CHECK, format!("checking the spec of {:?}", spec.name), &io::Error::other(what)))
    })
}

fn problem(spec: &Spec) -> Option<String> {
    if spec.name.is_empty() || spec.name.contains(['/', '\0', '\n']) {
        return Some(format!("the name {:?} is empty or has a slash in it", spec.name));
    }
    if !spec.run_dir.is_absolute() {
        return Some(format!("the run directory {:?} is not absolute", spec.run_dir));
    }
    for group in [&spec.cgroup.payload, &spec.cgroup.monitor] {
        if !is_below(Path::new(group)) {
            return Some(format!("{group:?} is not the name of a group below the hierarchy's base"));
        }
    }
    if spec.cgroup.payload == spec.cgroup.monitor {
        return Some("payload and monitor have the same group".to_string());
    }
    if spec.init.argv.is_empty() {
        return Some("the first process has no command line".to_string());
    }
    if let Some(map) = &spec.idmap
        && (map.host_uid(0).is_none() || map.host_gid(0).is_none())
    {
        return Some("the id map has no range for id 0".to_string());
    }
    if let Some(mount) = spec.mounts.iter().find(|mount| mount.idmapped && !mount.is_hosts()) {
        return Some(format!("the mount at {} is made inside and cannot map ids", mount.target.display()));
    }
    let words = spec.init.argv.iter().chain(&spec.init.env);
    if let Some(word) = words.into_iter().find(|word| word.contains('\0')) {
        return Some(format!("{word:?} has a zero byte in it"));
    }
    root_problem(&spec.root.source)
}

fn root_problem(source: &Source) -> Option<String> {
    match source {
        Source::Tree { path } if path.is_absolute() => None,
        Source::Tree { path } => Some(format!("the root {} is not absolute", path.display())),
        Source::Overlay { lower, upper, work } => {
            if lower.is_empty() {
                return Some("the overlay has no lower layer".to_string());
            }
            if let Some(path) = lower.iter().chain([upper, work]).find(|path| !path.is_absolute()) {
                return Some(format!("the layer {} is not absolute", path.display()));
            }
            (upper.parent() != work.parent() || upper == work || upper.file_name().is_none())
                .then(|| format!("{} and {} are not in the same directory", upper.display(), work.display()))
        }
    }
}

fn is_below(path: &Path) -> bool {
    use std::path::Component;
    path.components().next().is_some() && path.components().all(|part| matches!(part, Component::Normal(_)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{IdMap, IdRange, Root};

    fn good() -> Spec {
        let source = Source::Tree { path: "/root".into() };
        Spec::new("c1", "/run/c1", Root { source, idmapped: true, readonly: false })
    }

    #[test]
    fn a_wrong_spec_is_told_apart() {
        type Change = fn(&mut Spec);
        let cases: &[(Change, &str)] = &[
            (|spec| spec.name = String::new(), "the name \"\" is empty"),
            (|spec| spec.name = "a/b".into(), "has a slash in it"),
            (|spec| spec.run_dir = "run".into(), "is not absolute"),
            (|spec| spec.cgroup.payload = "../x".into(), "is not the name of a group"),
            (|spec| spec.cgroup.payload = spec.cgroup.monitor.clone(), "the same group"),
            (|spec| spec.init.argv.clear(), "no command line"),
            (|spec| spec.init.env.push("a=\0".into()), "zero byte"),
            (
                |spec| {
                    let range = IdRange { inside: 1, outside: 5, count: 9 };
                    spec.idmap = Some(IdMap { uids: vec![range], gids: vec![range] });
                },
                "no range for id 0",
            ),
            (
                |spec| {
                    let (lower, upper, work) = (vec!["/l".into()], "/a/upper".into(), "/b/work".into());
                    spec.root.source = Source::Overlay { lower, upper, work };
                },
                "not in the same directory",
            ),
        ];
        assert!(check(&good()).is_ok());
        for (change, wanted) in cases {
            let mut spec = good();
            change(&mut spec);
            let failure = check(&spec).expect_err(wanted).to_string();
            assert!(failure.contains(wanted), "{failure} has no {wanted:?}");
        }
    }
}
