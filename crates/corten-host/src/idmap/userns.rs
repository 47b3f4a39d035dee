//! A user namespace made for an id map, as `mount_setattr` wants it to map a mount's ids.

use std::collections::HashMap;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, PoisonError};

use super::IdMap;
use crate::file;
use crate::syscall::userns;

/// Namespaces made already, by the text of their maps. A host has few maps, and a namespace costs some kilobytes.
static MADE: Mutex<Option<HashMap<String, OwnedFd>>> = Mutex::new(None);

/// How many are kept; isolated containers have one map each, and could be thousands.
const KEPT: usize = 64;

/// A descriptor of a user namespace whose map is `map`. It is made once for each map and remembered.
///
/// # Errors
/// [`file::Error`] when the kernel refuses a new namespace or the map.
pub fn namespace_for(map: &IdMap) -> Result<OwnedFd, file::Error> {
    let (uids, gids) = (map.uid_map(), map.gid_map());
    let key = format!("{uids}/{gids}");
    let mut made = MADE.lock().unwrap_or_else(PoisonError::into_inner);
    let made = made.get_or_insert_default();
    if let Some(namespace) = made.get(&key) {
        return namespace.try_clone().map_err(|source| file::Error::new("duplicating", "a user namespace", source));
    }
    let namespace = make(&uids, &gids)?;
    if made.len() >= KEPT {
        made.clear();
    }
    let copy = namespace.try_clone().map_err(|source| file::Error::new("duplicating", "a user namespace", source))?;
    made.insert(key, copy);
    Ok(namespace)
}

fn make(uids: &str, gids: &str) -> Result<OwnedFd, file::Error> {
    let wrong = |source| file::Error::new("making a user namespace of", "/proc/self/ns/user", source);
    let holder = userns::hold().map_err(wrong)?;
    let proc = std::path::PathBuf::from(format!("/proc/{}", holder.pid));
    file::set(proc.join("uid_map"), uids)?;
    file::set(proc.join("gid_map"), gids)?;
    let path = proc.join("ns/user");
    File::open(&path).map(OwnedFd::from).map_err(|source| file::Error::new("opening", path, source))
}
