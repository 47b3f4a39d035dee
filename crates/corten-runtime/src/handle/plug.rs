//! Changing what a running container sees: mounts and device nodes.
//!
//! A mount is made by the caller as a detached tree, with the container's id map on it if need be, and attached by a
//! child of the monitor inside the container, where every look-up stays in the container's root.

use std::os::fd::{AsFd, OwnedFd};

use super::Container;
use crate::failure::Error;
use crate::monitor::{nodes, sources};
use crate::protocol::Request;
use crate::spec::{Create, DeviceNode, IdMap, Mount};

impl Container {
    /// Mounts something in the running container.
    ///
    /// # Errors
    /// [`Error::Io`] when the source cannot be had, [`Error::Refused`] when it cannot be put there.
    pub fn mount(&self, mount: &Mount) -> Result<(), Error> {
        let userns = if mount.idmapped { Some(self.namespace("user")?) } else { None };
        let tree = sources::tree(mount, userns.as_ref().map(AsFd::as_fd))?;
        self.attach(&tree, &mount.target.to_string_lossy(), mount.create)
    }

    /// Takes the uppermost mount at `target` away.
    ///
    /// # Errors
    /// [`Error::Refused`] when nothing is mounted there.
    pub fn unmount(&self, target: &str) -> Result<(), Error> {
        self.ask(&Request::Unmount { target: target.to_string(), remove: false }, &[]).map(|_| ())
    }

    /// As [`Container::unmount`], and removes the empty file or directory that is then seen.
    ///
    /// # Errors
    /// [`Error::Refused`] when nothing is mounted there, or what is seen then is not empty.
    pub fn unmount_and_remove(&self, target: &str) -> Result<(), Error> {
        self.ask(&Request::Unmount { target: target.to_string(), remove: true }, &[]).map(|_| ())
    }

    /// Makes a device node in the running container, with `map` as its id map. The caller opens the device in the
    /// group's device list.
    ///
    /// # Errors
    /// [`Error::Io`] when the node cannot be made, [`Error::Refused`] when it cannot be put there.
    pub fn add_node(&self, node: &DeviceNode, map: Option<&IdMap>) -> Result<(), Error> {
        let tree = nodes::tree(&self.run_dir, node, map)
            .map_err(Error::io(format!("making the device node {}", node.path.display())))?;
        self.attach(&tree, &node.path.to_string_lossy(), Create::File)
    }

    /// Takes a device node out of the running container.
    ///
    /// # Errors
    /// [`Error::Refused`] when there is none.
    pub fn remove_node(&self, path: &str) -> Result<(), Error> {
        self.ask(&Request::Unmount { target: path.to_string(), remove: true }, &[])?;
        nodes::forget(&self.run_dir, path).map_err(Error::io(format!("removing the node of {path}")))
    }

    /// Makes the monitor bring the interface `name` back to the host as `return_as` when the container ends; `None`
    /// forgets it. For interfaces moved in or out by the caller.
    ///
    /// # Errors
    /// [`Error::Gone`] when the container has ended.
    pub fn return_link(&self, name: &str, return_as: Option<&str>) -> Result<(), Error> {
        let request = Request::ReturnLink { name: name.to_string(), return_as: return_as.map(str::to_string) };
        self.ask(&request, &[]).map(|_| ())
    }

    fn attach(&self, tree: &OwnedFd, target: &str, create: Create) -> Result<(), Error> {
        let request = Request::Mount { target: target.to_string(), create };
        self.ask(&request, &[tree.as_fd()]).map(|_| ())
    }
}
