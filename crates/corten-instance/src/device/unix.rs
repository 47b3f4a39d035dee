//! `unix-char`, `unix-block` and `none`: a device node inside, or nothing at all.

use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

use corten_api::error::{Context, Error, Result};
use corten_host::undo::Undo;
use corten_runtime::spec::{DeviceNode, DeviceRule, NodeKind};
use rustix::fs::{major, minor};

use super::{Attachment, Call, Device};
use crate::instance::is_false;

/// A device that does nothing; it hides one of a profile.
pub struct None;

impl Device for None {
    fn check(&self, _call: &Call<'_>) -> Result<()> {
        Ok(())
    }

    fn start(&self, _call: &Call<'_>, _undo: &mut Undo) -> Result<Attachment> {
        Ok(Attachment::default())
    }

    fn stop(&self, _call: &Call<'_>) -> Result<()> {
        Ok(())
    }
}

/// A device node of the host, or of given numbers.
pub struct NodeFile {
    /// Character or block.
    pub kind: NodeKind,
}

/// What a node has when nothing else is said: as LXD, readable and writable by owner and group.
const DEFAULT_MODE: u32 = 0o660;

impl NodeFile {
    /// Major and minor number: from the options, else of the host's node at `source` (or `path`).
    fn numbers(&self, call: &Call<'_>) -> Result<(u32, u32)> {
        let number = |option: &str| {
            let text = call.get(option);
            text.parse::<u32>().map_err(|_| Error::invalid(format!("Bad {option} {text} in device {}", call.name)))
        };
        if !call.get("major").is_empty() && !call.get("minor").is_empty() {
            return Ok((number("major")?, number("minor")?));
        }
        let source = if call.get("source").is_empty() { call.get("path") } else { call.get("source") };
        let found = fs::metadata(source)
            .map_err(|_| Error::invalid(format!("The required device path doesn't exist: {source:?}")))?;
        let right = match self.kind {
            NodeKind::Char => found.file_type().is_char_device(),
            NodeKind::Block => found.file_type().is_block_device(),
        };
        if !right {
            let wanted = if self.kind == NodeKind::Char { "character" } else { "block" };
            return Err(Error::invalid(format!("Path specified for device {source:?} is not a {wanted} device")));
        }
        Ok((major(found.rdev()), minor(found.rdev())))
    }

    fn node(&self, call: &Call<'_>) -> Result<DeviceNode> {
        let (major, minor) = self.numbers(call)?;
        let path = if call.get("path").is_empty() { call.get("source") } else { call.get("path") };
        let id = |option: &str| match call.get(option) {
            "" => Ok(0),
            text => text.parse().context(format!("Invalid {option} {text:?} of device {:?}", call.name)),
        };
        let mode = match call.get("mode") {
            "" => DEFAULT_MODE,
            text => u32::from_str_radix(text, 8).context(format!("Invalid mode {text:?} of device {:?}", call.name))?,
        };
        Ok(DeviceNode {
            path: path.trim_start_matches('/').into(),
            kind: self.kind,
            major,
            minor,
            mode,
            uid: id("uid")?,
            gid: id("gid")?,
        })
    }
}

impl Device for NodeFile {
    fn check(&self, call: &Call<'_>) -> Result<()> {
        if call.get("source").is_empty() && call.get("path").is_empty() {
            return Err(Error::invalid("Unix device entry is missing the required \"source\" or \"path\" property"));
        }
        if is_false(call.get("required")) {
            return Ok(());
        }
        self.node(call).map(|_| ())
    }

    fn start(&self, call: &Call<'_>, _undo: &mut Undo) -> Result<Attachment> {
        let node = match self.node(call) {
            Ok(node) => node,
            Err(_) if is_false(call.get("required")) => return Ok(Attachment::default()),
            Err(error) => return Err(error),
        };
        let letter = if self.kind == NodeKind::Char { 'c' } else { 'b' };
        let rule = DeviceRule { allow: true, rule: format!("{letter} {}:{} rwm", node.major, node.minor) };
        Ok(Attachment { nodes: vec![node], device_rules: vec![rule], ..Attachment::default() })
    }

    fn stop(&self, _call: &Call<'_>) -> Result<()> {
        Ok(())
    }
}
