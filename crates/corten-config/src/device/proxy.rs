//! Keys of `proxy` devices.

use crate::table::keys;
use crate::value::boolean::Bool;
use crate::value::choice::BindSide;
use crate::value::mode::{FileMode, UnixId};
use crate::value::proxy_address::ProxyAddress;

keys! {
    /// Connections forwarded between host and instance.
    PROXY {
        /// Side that listens: host or instance.
        BIND: BindSide = "bind" { default: "host" };
        /// Target: tcp/udp/unix address.
        CONNECT: ProxyAddress = "connect" { required: true };
        /// Group of it.
        GID: UnixId = "gid" { default: "0" };
        /// Address to listen on, same syntax; ports may be ranges.
        LISTEN: ProxyAddress = "listen" { required: true };
        /// Mode of it.
        MODE: FileMode = "mode" { default: "0644", since: "container_nic_ipvlan_mode" };
        /// DNAT rule instead of a process; needs a static lease.
        NAT: Bool = "nat" { default: "false" };
        /// Prefix the PROXY header.
        PROXY_PROTOCOL: Bool = "proxy_protocol" { default: "false", since: "proxy_haproxy_protocol" };
        /// Gid the forwarder runs as.
        SECURITY_GID: UnixId = "security.gid" { default: "0" };
        /// Uid the forwarder runs as.
        SECURITY_UID: UnixId = "security.uid" { default: "0" };
        /// Owner of the listening unix socket.
        UID: UnixId = "uid" { default: "0" };
    }
}
