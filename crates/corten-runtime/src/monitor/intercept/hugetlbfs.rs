//! hugetlbfs for a container: its root folder is the caller's, and owners that the caller names are those inside.

use std::ffi::{CStr, CString};

use rustix::io::Errno;

use super::caller::Status;
use crate::spec::IdMap;

/// Whether it is this file system.
pub fn is(kind: &CStr) -> bool {
    kind == c"hugetlbfs"
}

/// The options as the host sees them.
///
/// # Errors
/// `EINVAL` for an owner who is none inside.
pub fn options(map: &IdMap, caller: &Status, data: &CStr) -> Result<CString, Errno> {
    let (mut user, mut group) = (caller.uid, caller.gid);
    let mut words = Vec::new();
    let id = |text: &str| text.parse().map_err(|_| Errno::INVAL);
    for word in data.to_str().map_err(|_| Errno::INVAL)?.split(',').filter(|word| !word.is_empty()) {
        match word.split_once('=') {
            Some(("uid", inside)) => user = map.host_uid(id(inside)?).ok_or(Errno::INVAL)?,
            Some(("gid", inside)) => group = map.host_gid(id(inside)?).ok_or(Errno::INVAL)?,
            _ => words.push(word.to_string()),
        }
    }
    words.extend([format!("uid={user}"), format!("gid={group}")]);
    CString::new(words.join(",")).map_err(|_| Errno::INVAL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owners_are_those_inside() {
        let map = IdMap::simple(1_000_000, 65536);
        let caller = Status { uid: 1_000_005, gid: 1_000_006, ..Status::default() };
        let options = |data: &CStr| options(&map, &caller, data).map(|words| words.into_string().expect("text"));
        assert_eq!(options(c"").as_deref(), Ok("uid=1000005,gid=1000006"));
        let named = options(c"size=4M,uid=7,mode=700,gid=8");
        assert_eq!(named.as_deref(), Ok("size=4M,mode=700,uid=1000007,gid=1000008"));
        for wrong in [c"uid=x", c"uid=65536", c"gid=-1", c"gid=4294967295"] {
            assert_eq!(options(wrong), Err(Errno::INVAL), "{wrong:?}");
        }
    }
}
