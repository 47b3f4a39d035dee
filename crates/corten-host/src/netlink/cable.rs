//! A cable from the host into a guest's namespace, made in its place from the start.
//!
//! Moving a link into another namespace makes the kernel wait until nobody looks at the old one any more (about 18 ms
//! were measured on a busy machine, against half a millisecond for making the guest's end where it belongs).

use std::os::fd::BorrowedFd;
use std::path::PathBuf;

use rustix::io::Errno;
use serde::{Deserialize, Serialize};

use super::create::Veth;
use super::mac::Mac;
use super::{Error, Result, Socket};

/// A veth pair that is to be made; plain data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cable {
    /// Name of the host's end.
    pub host: String,
    /// The bridge that the host's end is a port of; none: it stands alone.
    #[serde(default)]
    pub bridge: Option<String>,
    /// Largest packet in bytes, of both ends.
    #[serde(default)]
    pub mtu: Option<u32>,
    /// Hardware address of the guest's end.
    #[serde(default)]
    pub hwaddr: Option<Mac>,
}

impl Socket {
    /// Makes the cable: the host's end in the socket's namespace, switched on; the guest's in `netns`, called `name`
    /// and switched off. To be called in a thread of the socket's namespace.
    ///
    /// # Errors
    /// When a name is taken on either side, or the bridge is none. Nothing is left then.
    pub fn lay_cable(&self, cable: &Cable, netns: BorrowedFd<'_>, name: &str) -> Result<()> {
        self.create_veth(&Veth {
            host: &cable.host,
            peer: name,
            peer_namespace: Some(netns),
            mtu: cable.mtu,
            peer_mac: cable.hwaddr,
        })?;
        self.plug_in(cable).inspect_err(|_| {
            // The first failure is the one to tell; a link that cannot be deleted either shows up by its name.
            let _ = self.delete_link_if_there(&cable.host);
        })
    }

    /// Makes the host's end a port of its bridge and switches it on.
    ///
    /// # Errors
    /// When it or the bridge is gone, or the bridge is none.
    pub fn plug_in(&self, cable: &Cable) -> Result<()> {
        let host = self.link(&cable.host)?.index;
        if let Some(bridge) = &cable.bridge {
            // A bridge's port needs no address of its own, and listens to no router.
            for (key, value) in [("disable_ipv6", "1"), ("accept_ra", "0")] {
                set_ipv6(&cable.host, key, value)?;
            }
            self.set_master(host, Some(self.link(bridge)?.index))?;
        }
        self.set_up(host, true)
    }
}

/// Sets a link's IPv6 settings, where the kernel has IPv6.
fn set_ipv6(link: &str, key: &str, value: &str) -> Result<()> {
    let path = PathBuf::from("/proc/sys/net/ipv6/conf").join(link).join(key);
    match std::fs::write(&path, value) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            let errno = Errno::from_io_error(&error).unwrap_or(Errno::IO);
            Err(Error::new(format!("writing {value:?} to {}", path.display()), errno))
        }
        _ => Ok(()),
    }
}
