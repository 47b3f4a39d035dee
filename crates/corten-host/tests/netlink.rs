//! The netlink socket against the kernel, in a network namespace of each test's own. Needs root.

use std::fs::File;
use std::net::IpAddr;
use std::os::fd::AsFd;

use corten_host::command::Command;
use corten_host::netlink::Socket;
use corten_host::netlink::bridge::PortOption;
use corten_host::netlink::create::{MacvlanMode, Veth};
use corten_host::netlink::route::{PROTO_STATIC, Route};
use corten_host::netlink::state::state_of;

/// Runs the test `name` again in a fresh network and mount namespace, where it does `work`.
fn in_private_network(name: &str, work: impl FnOnce()) {
    if std::env::var_os("CORTEN_PRIVATE").is_some() {
        return work();
    }
    if !rustix::process::geteuid().is_root() {
        println!("SKIPPED {name}: needs root");
        return;
    }
    let exe = std::env::current_exe().expect("the test knows its program");
    let mut again = Command::new("unshare", "util-linux").args(["-n", "-m", "--propagation", "private"]);
    again = again.args(["env", "CORTEN_PRIVATE=1"]).arg(exe).args(["--exact", name, "--nocapture"]);
    again.run().unwrap_or_else(|failure| panic!("{failure}"));
}

/// A network namespace kept by a sleeping process, which ends with it.
struct Namespace(std::process::Child, File);

impl Namespace {
    fn new() -> Namespace {
        let mut child = std::process::Command::new("unshare")
            .args(["-n", "sh", "-c", "echo; exec cat"])
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::piped())
            .spawn()
            .expect("unshare starts");
        let mut ready = [0];
        std::io::Read::read_exact(child.stdout.as_mut().expect("piped"), &mut ready).expect("the namespace is made");
        let file = File::open(format!("/proc/{}/ns/net", child.id())).expect("its namespace opens");
        Namespace(child, file)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        self.0.kill().and_then(|()| self.0.wait()).expect("the process ends");
    }
}

/// A virtual link to play with: one end of a veth pair (not every kernel has dummies).
fn spare(socket: &Socket, name: &str, mtu: Option<u32>) -> Result<(), corten_host::netlink::Error> {
    let peer = format!("{name}-peer");
    socket.create_veth(&Veth { host: name, peer: &peer, peer_namespace: None, mtu, peer_mac: None })?;
    socket.set_up(socket.link(&peer)?.index, true)
}

fn ip(text: &str) -> IpAddr {
    text.parse().expect("an address")
}

#[test]
fn a_veth_pair_reaches_into_another_namespace() {
    in_private_network("a_veth_pair_reaches_into_another_namespace", || {
        let other = Namespace::new();
        let here = Socket::open().expect("a socket");
        here.create_bridge("br0").expect("a bridge");
        let bridge = here.link("br0").expect("the bridge").index;
        here.set_up(bridge, true).expect("bridge up");
        let mac = "00:16:3e:01:02:03".parse().expect("a MAC");
        here.create_veth(&Veth {
            host: "veth0",
            peer: "eth0",
            peer_namespace: Some(other.1.as_fd()),
            mtu: Some(1400),
            peer_mac: Some(mac),
        })
        .expect("a veth pair");
        let host = here.link("veth0").expect("the near end");
        here.set_master(host.index, Some(bridge)).expect("attached");
        here.set_up(host.index, true).expect("up");
        here.add_address(bridge, ip("10.9.8.1"), 24).expect("an IPv4 address");
        here.add_address(bridge, ip("fd42::1"), 64).expect("an IPv6 address");

        let there = Socket::in_namespace(other.1.as_fd()).expect("a socket there");
        let eth0 = there.link("eth0").expect("the far end");
        there.set_up(eth0.index, true).expect("the far end is up");
        there.add_address(eth0.index, ip("10.9.8.7"), 24).expect("an address there");
        there
            .add_route(&Route {
                gateway: Some(ip("10.9.8.1")),
                scope: 0,
                ..Route::through(eth0.index, ip("0.0.0.0"), 0, PROTO_STATIC)
            })
            .expect("a default route");
        let other_end = here.find_link_index(eth0.peer.expect("a veth has another end")).expect("looked up");
        assert_eq!(other_end.map(|link| link.name).as_deref(), Some("veth0"));
        assert_eq!(here.find_link_index(9999).expect("looked up"), None);
        let ping = Command::new("ping", "iputils-ping").args(["-c", "1", "-W", "5", "10.9.8.7"]).run();
        assert!(ping.is_ok(), "{ping:?}");

        let state = state_of(other.1.as_fd()).expect("the state there");
        let eth0 = state.iter().find(|interface| interface.name == "eth0").expect("eth0 is listed");
        assert_eq!((eth0.state, eth0.kind, eth0.mtu), ("up", "broadcast", 1400));
        assert_eq!((eth0.hwaddr.as_str(), eth0.peer), ("00:16:3e:01:02:03", Some(host.index)));
        assert_eq!((eth0.addresses[0].address.as_str(), eth0.addresses[0].netmask.as_str()), ("10.9.8.7", "24"));
        assert!(eth0.counters.packets_received > 0 && eth0.counters.bytes_sent > 0, "{:?}", eth0.counters);
        let lo = state.iter().find(|interface| interface.name == "lo").expect("lo is listed");
        assert_eq!((lo.state, lo.kind, lo.hwaddr.as_str()), ("down", "loopback", ""));
    });
}

#[test]
fn links_are_changed_moved_and_deleted() {
    in_private_network("links_are_changed_moved_and_deleted", || {
        let other = Namespace::new();
        let here = Socket::open().expect("a socket");
        spare(&here, "d0", Some(1400)).expect("a link");
        assert!(spare(&here, "d0", None).expect_err("the name is taken").is_existing());
        let link = here.link("d0").expect("it is there");
        assert_eq!((link.mtu, link.kind.as_deref(), link.is_up()), (1400, Some("veth"), false));
        here.set_mac(link.index, "00:16:3e:0a:0b:0c".parse().expect("a MAC")).expect("a new address");
        here.set_mtu(link.index, 1300).expect("a new MTU");
        here.rename_link(link.index, "d1").expect("a new name");
        here.set_up(link.index, true).expect("up");
        let link = here.link("d1").expect("it has its new name");
        assert_eq!((link.hwaddr().as_str(), link.mtu, link.is_up()), ("00:16:3e:0a:0b:0c", 1300, true));
        here.create_macvlan("mac0", link.index, MacvlanMode::Bridge).expect("a macvlan");
        let macvlan = here.link("mac0").expect("it is there");
        here.move_to_netns(macvlan.index, other.1.as_fd(), "eth7").expect("moved");
        assert_eq!(here.find_link("mac0").expect("looked up"), None);
        let there = Socket::in_namespace(other.1.as_fd()).expect("a socket there");
        let moved = there.link("eth7").expect("it arrived");
        assert_eq!((moved.kind.as_deref(), moved.peer), (Some("macvlan"), Some(link.index)));
        here.delete_link(link.index).expect("deleted");
        assert!(here.delete_link(link.index).expect_err("it is gone").is_missing());
        assert!(!here.delete_link_if_there("d1").expect("gone is fine"));
        assert_eq!(there.find_link("eth7").expect("looked up"), None);
    });
}

fn check_port_vlans(here: &Socket, port: u32) {
    here.delete_port_vlan(port, 1).expect("default VLAN gone");
    here.add_port_vlan(port, 20, true).expect("untagged VLAN");
    here.add_port_vlan(port, 30, false).expect("tagged VLAN");
    let vlans = Command::new("bridge", "iproute2").args(["vlan", "show", "dev", "d0"]).run().expect("shown");
    let vlans: Vec<_> = String::from_utf8_lossy(&vlans).split_whitespace().map(String::from).collect();
    assert!(vlans.ends_with(&["d0", "20", "PVID", "Egress", "Untagged", "30"].map(String::from)), "{vlans:?}");
}

#[test]
fn a_bridge_and_its_ports_have_options() {
    in_private_network("a_bridge_and_its_ports_have_options", || {
        let here = Socket::open().expect("a socket");
        here.create_bridge("br0").expect("a bridge");
        spare(&here, "d0", None).expect("a link");
        let (bridge, port) = (here.link("br0").expect("bridge"), here.link("d0").expect("dummy"));
        let state = bridge.bridge.expect("bridge options");
        assert_eq!((state.stp, state.vlan_filtering, state.forward_delay), (false, false, 1500));
        assert!(state.id.starts_with("8000.") && state.id.len() == 17, "{}", state.id);
        let vlans = here.set_vlan_filtering(bridge.index, true).is_ok();
        assert_eq!(here.link("br0").expect("bridge").bridge.expect("options").vlan_filtering, vlans);
        here.set_port_option(port.index, PortOption::Isolated, true).expect_err("it is no port yet");
        here.set_master(port.index, Some(bridge.index)).expect("attached");
        here.set_port_option(port.index, PortOption::Isolated, true).expect("isolated");
        here.set_port_option(port.index, PortOption::Hairpin, true).expect("hairpin");
        let shown = Command::new("bridge", "iproute2").args(["-d", "link", "show", "dev", "d0"]).run().expect("shown");
        let shown = String::from_utf8_lossy(&shown).into_owned();
        assert!(shown.contains("hairpin on") && shown.contains("isolated on"), "{shown}");
        if vlans {
            check_port_vlans(&here, port.index);
        } else {
            println!("SKIPPED the VLANs of ports: this kernel's bridges have none");
            here.add_port_vlan(port.index, 20, true).expect_err("no VLANs here");
        }
        here.set_master(port.index, None).expect("detached");
        assert_eq!(here.link("d0").expect("dummy").master, None);
    });
}

#[test]
fn addresses_and_routes_come_and_go() {
    in_private_network("addresses_and_routes_come_and_go", || {
        let here = Socket::open().expect("a socket");
        spare(&here, "d0", None).expect("a link");
        let link = here.link("d0").expect("it is there").index;
        here.set_up(link, true).expect("up");
        here.add_address(link, ip("10.1.2.3"), 24).expect("an address");
        assert!(here.add_address(link, ip("10.1.2.3"), 24).expect_err("it is there").is_existing());
        let route = Route::through(link, ip("192.0.2.0"), 24, PROTO_STATIC);
        here.add_route(&route).expect("a route");
        here.replace_route(&route).expect("the same route");
        let v6 = Route::through(link, ip("2001:db8::"), 32, PROTO_STATIC);
        here.add_route(&v6).expect("an IPv6 route");
        let routes = here.routes().expect("routes");
        assert!(routes.contains(&route), "{routes:?}");
        assert!(routes.iter().any(|route| route.destination == ip("2001:db8::") && route.prefix == 32), "{routes:?}");
        here.delete_route(&route).expect("gone");
        here.delete_route(&v6).expect("gone");
        assert!(here.delete_route(&route).expect_err("gone already").is_missing());
        here.delete_address(link, ip("10.1.2.3"), 24).expect("gone");
        assert!(!here.addresses().expect("addresses").iter().any(|found| found.address == ip("10.1.2.3")));
    });
}

#[test]
fn rates_are_set_and_cleared() {
    in_private_network("rates_are_set_and_cleared", || {
        let here = Socket::open().expect("a socket");
        spare(&here, "d0", None).expect("a link");
        let link = here.link("d0").expect("it is there").index;
        here.set_rates(link, None, None).expect("nothing to clear");
        here.set_rates(link, Some(10_000_000), None).expect("limited");
        let show = |what: &[&str]| {
            let shown = Command::new("tc", "iproute2").args(what.iter().copied()).args(["dev", "d0"]).run();
            String::from_utf8_lossy(&shown.expect("tc shows")).into_owned()
        };
        assert!(
            show(&["class", "show"]).contains("class htb 1:10 root prio 0 rate 10Mbit ceil 10Mbit"),
            "{}",
            show(&["class", "show"])
        );
        assert!(show(&["qdisc", "show"]).contains("r2q 10 default 0x10"), "{}", show(&["qdisc", "show"]));
        match here.set_rates(link, None, Some(20_000_000)) {
            Ok(()) => {
                let filter = show(&["filter", "show", "parent", "ffff:"]);
                assert!(filter.contains("rate 20Mbit burst 1Mb mtu 64Kb action drop"), "{filter}");
            }
            Err(error) => {
                assert!(error.is_missing(), "{error}");
                println!("SKIPPED the limit on what is received: this kernel has no police action");
            }
        }
        here.set_rates(link, None, None).expect("cleared");
        assert!(!show(&["qdisc", "show"]).contains("htb"), "{}", show(&["qdisc", "show"]));
    });
}
