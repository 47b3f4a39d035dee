//! What is to be mounted, as detached trees: opened on the host's side, where paths mean the host's files.
//!
//! Parent and child walk the same list, [`plan`], so that a tree needs no name on its way.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use corten_host::mount::{self, Options};

use super::{locked, nodes, steps};
use crate::failure::{Error, StartFailed, mapping};
use crate::spec::{DeviceNode, Mount, Source, Spec};

/// Nodes of the host that every `/dev` has.
pub const STANDARD_NODES: &[&str] = &["null", "zero", "full", "random", "urandom", "tty"];

/// One thing that the parent opens and the child puts somewhere.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// The root, or a layer of it.
    Root(&'a Path),
    /// One of [`STANDARD_NODES`], bound since a user namespace may not make nodes.
    StandardNode(&'static str),
    /// A bind mount.
    Bind(&'a Mount),
    /// A device node.
    Node(&'a DeviceNode),
}

/// What `spec` wants opened, in the order in which the child takes it.
pub fn plan(spec: &Spec) -> Vec<Wanted<'_>> {
    let mut wanted = Vec::new();
    match &spec.root.source {
        Source::Tree { path } => wanted.push(Wanted::Root(path)),
        Source::Overlay { lower, upper, .. } => {
            wanted.extend(lower.iter().map(|path| Wanted::Root(path)));
            // Upper and work directory have to be on the same mount: it is the directory that both are in.
            wanted.extend(upper.parent().map(Wanted::Root));
        }
    }
    if spec.idmap.is_some() {
        wanted.extend(STANDARD_NODES.iter().copied().map(Wanted::StandardNode));
    }
    wanted.extend(spec.mounts.iter().filter(|mount| mount.is_hosts()).map(Wanted::Bind));
    wanted.extend(spec.nodes.iter().map(Wanted::Node));
    wanted
}

/// Opens all that is planned; what is optional and cannot be had is `None`.
pub fn open(spec: &Spec, userns: Option<BorrowedFd<'_>>) -> Result<Vec<Option<OwnedFd>>, StartFailed> {
    plan(spec).into_iter().map(|wanted| open_one(spec, wanted, userns)).collect()
}

fn open_one(spec: &Spec, wanted: Wanted<'_>, userns: Option<BorrowedFd<'_>>) -> Result<Option<OwnedFd>, StartFailed> {
    match wanted {
        Wanted::Root(path) => root(spec, path, userns).map(Some),
        Wanted::StandardNode(name) => {
            let path = Path::new("/dev").join(name);
            let failed = |error| StartFailed::new(steps::SOURCES, format!("opening {}", path.display()), &error);
            private_tree(&path, false).map(Some).map_err(failed)
        }
        Wanted::Bind(mount) => match tree(mount, userns).and_then(|tree| locked(mount, tree, userns)) {
            Ok(tree) => Ok(Some(tree)),
            Err(_) if mount.optional => Ok(None),
            Err(Error::Start(failure)) => Err(failure),
            Err(error) => Err(failure(steps::SOURCES, &error)),
        },
        Wanted::Node(node) => nodes::tree(&spec.run_dir, node, spec.idmap.as_ref()).map(Some).map_err(|error| {
            StartFailed::new(steps::SOURCES, format!("making the device node {}", node.path.display()), &error)
        }),
    }
}

fn root(spec: &Spec, path: &Path, userns: Option<BorrowedFd<'_>>) -> Result<OwnedFd, StartFailed> {
    let tree = private_tree(path, true)
        .map_err(|error| StartFailed::new(steps::SOURCES, format!("opening the root {}", path.display()), &error))?;
    if spec.root.idmapped
        && let Some(userns) = userns
    {
        steps::reach(spec, steps::IDMAP)?;
        map_ids(&tree, userns, path)?;
    }
    if spec.root.readonly && matches!(spec.root.source, Source::Tree { .. }) {
        mount::change(&tree, &Options::parse(&["ro"])).map_err(|error| {
            StartFailed::new(steps::SOURCES, format!("making the root {} read-only", path.display()), &error)
        })?;
    }
    Ok(tree)
}

fn private_tree(path: &Path, recursive: bool) -> std::io::Result<OwnedFd> {
    let tree = mount::clone_tree(path, recursive)?;
    mount::make_private(&tree)?;
    Ok(tree)
}

fn map_ids(tree: &OwnedFd, userns: BorrowedFd<'_>, path: &Path) -> Result<(), StartFailed> {
    mount::map_ids(tree, userns, true).map_err(|error| StartFailed::new(steps::IDMAP, mapping(path), &error))
}

/// The detached tree of a mount, with its options and id map; for a running container a file system is made here too,
/// on the host's side.
///
/// # Errors
/// [`Error::Start`] with the step [`steps::IDMAP`] when the file system cannot map ids, else [`Error::Io`].
pub fn tree(mount: &Mount, userns: Option<BorrowedFd<'_>>) -> Result<OwnedFd, Error> {
    let options = Options::parse(&mount.options);
    if let Some(fstype) = &mount.fstype {
        let doing = format!("mounting {fstype} for {}", mount.target.display());
        let tree = mount::new(fstype, &mount.source.to_string_lossy(), &options).map_err(Error::io(doing))?;
        if mount.idmapped
            && let Some(userns) = userns
        {
            map_ids(&tree, userns, &mount.source)?;
        }
        return Ok(tree);
    }
    let cloned = match &mount.within {
        Some(folder) => mount::clone_tree_within(folder, &mount.source, options.recursive),
        None => mount::clone_tree(&mount.source, options.recursive),
    };
    let tree = cloned.map_err(Error::io(format!("opening {}", mount.source.display())))?;
    if mount.idmapped
        && let Some(userns) = userns
    {
        map_ids(&tree, userns.as_fd(), &mount.source)?;
    }
    // Nothing that the container mounts below may reach the host, unless it was asked for.
    if options.propagation == 0 {
        mount::make_private(&tree)
            .map_err(Error::io(format!("making the mount of {} private", mount.source.display())))?;
    }
    mount::change(&tree, &options).map_err(Error::io(format!(
        "setting the mount options {:?} of {}",
        mount.options,
        mount.source.display()
    )))?;
    Ok(tree)
}

/// The tree with its attributes locked, where that is asked for and there is a root who could change them.
fn locked(mount: &Mount, tree: OwnedFd, userns: Option<BorrowedFd<'_>>) -> Result<OwnedFd, Error> {
    match userns {
        Some(userns) if mount.locked => {
            locked::lock(&tree, userns).map_err(Error::io(format!("locking the mount of {}", mount.target.display())))
        }
        _ => Ok(tree),
    }
}

/// A failure on the daemon's side of things as one of a start.
fn failure(step: &str, error: &Error) -> StartFailed {
    match error {
        Error::Io { doing, source } => StartFailed::new(step, doing.clone(), source),
        other => StartFailed::new(step, "opening a mount", &std::io::Error::other(other.to_string())),
    }
}

/// Where something goes inside: without a leading slash, without `..`; links on the way are the container's own affair,
/// since it is looked up below its root.
pub fn target(path: &Path) -> PathBuf {
    use std::path::Component;
    std::iter::once(Component::RootDir)
        .chain(path.components().filter(|part| matches!(part, Component::Normal(_))))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_never_leaves_the_root() {
        for (path, wanted) in
            [("dev/fuse", "/dev/fuse"), ("/mnt/", "/mnt"), ("../../etc", "/etc"), ("", "/"), ("a/./b/../c", "/a/b/c")]
        {
            assert_eq!(target(Path::new(path)), Path::new(wanted), "{path}");
        }
    }
}
