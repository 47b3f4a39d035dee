//! Putting the root together: a tree as it is, or layers joined by overlayfs.

use std::fmt::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use corten_host::mount::{self, Options};
use rustix::fs::{CWD, Mode, mkdirat};
use rustix::mount::UnmountFlags;

use super::child::{Doing, Outcome, failure};
use crate::spec::{Root, Source};

/// Attaches the root on top of the present one and makes it the working directory.
pub fn build(root: &Root, trees: Vec<OwnedFd>) -> Outcome {
    let new = match &root.source {
        Source::Tree { path } => {
            trees.into_iter().next().ok_or_else(|| failure(format!("opening {}", path.display()), "it did not come"))?
        }
        Source::Overlay { upper, work, .. } => overlay(upper, work, root.readonly, trees)?,
    };
    // Nobody but us lives in this namespace, so the host's root is as good a place as any, and one that is always
    // there and may always be reached.
    mount::attach(&new, CWD, Path::new("/")).doing(|| "attaching the root".into())?;
    rustix::process::fchdir(&new).doing(|| "going to the root".into())
}

/// The layers are attached to a directory of a small file system of our own, since overlayfs takes paths; from there
/// their paths are short, however many there are. It vanishes with the host's root, while the overlay keeps its layers.
fn overlay(upper: &Path, work: &Path, readonly: bool, trees: Vec<OwnedFd>) -> Outcome<OwnedFd> {
    let place =
        mount::new("tmpfs", "corten", &Options::parse(&["mode=700"])).doing(|| "making a place for layers".into())?;
    mount::attach(&place, CWD, Path::new("/")).doing(|| "making a place for layers".into())?;
    let count = trees.len();
    for (index, tree) in trees.into_iter().enumerate() {
        let name = if index + 1 == count { UPPER.to_string() } else { index.to_string() };
        mkdirat(&place, name.as_str(), Mode::from_raw_mode(0o700))
            .doing(|| format!("making a place for layer {name}"))?;
        mount::attach(&tree, place.as_fd(), Path::new(&name)).doing(|| format!("attaching layer {name}"))?;
    }
    rustix::process::fchdir(&place).doing(|| "going to the layers".into())?;
    let mut options = Options::parse(&["userxattr"]);
    let mut set = |key: &str, value: String| options.data.push((key.to_string(), Some(value)));
    set("lowerdir", lower_list(count.saturating_sub(1)));
    for (key, path) in [("upperdir", upper), ("workdir", work)] {
        let name = path.file_name().ok_or_else(|| failure("naming a layer", "it has no name"))?;
        set(key, format!("{UPPER}/{}", name.to_string_lossy()));
    }
    if readonly {
        options.set |= Options::parse(&["ro"]).set;
    }
    let joined = mount::new("overlay", "overlay", &options).doing(|| format!("joining {count} layers by overlayfs"))?;
    // The overlay has mounts of its own of its layers by now. Nothing may lie on the host's root when it is left: what
    // is uppermost there would be taken away in its stead.
    rustix::mount::unmount(".", UnmountFlags::DETACH).doing(|| "clearing the place for layers away".into())?;
    Ok(joined)
}

/// The directory that holds upper and work directory.
const UPPER: &str = "u";

/// `0:1:2`, the uppermost first.
fn lower_list(count: usize) -> String {
    let mut list = String::new();
    for index in 0..count {
        let colon = if index == 0 { "" } else { ":" };
        let _ = write!(list, "{colon}{index}");
    }
    list
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layers_are_named_by_numbers() {
        assert_eq!(lower_list(1), "0");
        assert_eq!(lower_list(3), "0:1:2");
    }
}
