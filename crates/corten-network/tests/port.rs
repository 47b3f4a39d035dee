//! NICs of every kind on a host of the test's own, each with its steps taken back, and with what a guest sees of it.
//! Needs root, dnsmasq and nft.

use corten_host::netlink::Socket;
use corten_host::netlink::create::Veth;
use corten_host::undo::every_step_unwinds;
use corten_network::config::Config;
use corten_network::network::Network;
use corten_network::port::{Nic, Port, added, attach, detach, move_link, prepare, update};
use private_network::{Guest, Scratch, config, in_private_network, out, traces};

#[path = "support/private_network.rs"]
mod private_network;

const MAC: &str = "00:16:3e:00:00:07";

fn nic<'a>(config: &'a Config, volatile: &'a Config, network: Option<&'a dyn Network>) -> Nic<'a> {
    Nic { project: "default", instance: "c1", device: "eth0", config, volatile, network }
}

/// Gives the guest its link, by a cable where that can be, else by a move; returns the port and what `volatile` is afterwards.
fn plug(device: &Config, network: Option<&dyn Network>, guest: &Guest) -> (Port, Config) {
    let mut volatile = config(&[("hwaddr", MAC)]);
    let (port, undo) = prepare(&nic(device, &volatile, network)).unwrap_or_else(|error| panic!("{error}"));
    move_link::give(&port, guest.netns()).unwrap_or_else(|error| panic!("{error}"));
    undo.keep();
    volatile.extend(port.remember.clone());
    (port, volatile)
}

/// A bridge that the administrator made, with an address.
fn foreign_bridge(name: &str, address: &str) {
    out("ip", &["link", "add", name, "type", "bridge"]);
    out("ip", &["addr", "add", address, "dev", name]);
    out("ip", &["link", "set", name, "up"]);
}

/// Something like a card of the host: one end of a cable, the other being the world outside.
fn card(name: &str) {
    let (socket, outside) = (Socket::open().expect("socket"), format!("{name}-out"));
    let veth = Veth { host: name, peer: &outside, peer_namespace: None, mtu: Some(1500), peer_mac: None };
    socket.create_veth(&veth).expect("a cable");
    socket.set_up(socket.link(&outside).expect("outside").index, true).expect("up");
}

#[test]
fn steps_of_every_kind_unwind() {
    in_private_network("steps_of_every_kind_unwind", || {
        let scratch = Scratch::new("unwind");
        let network = scratch.bridge("lxdbr0", &[("ipv4.address", "10.77.0.1/24"), ("ipv6.address", "none")]);
        network.up(&[]).expect("up");
        foreign_bridge("virbr0", "192.168.122.1/24");
        card("card0");
        let before = traces();
        let card_before = Socket::open().and_then(|socket| socket.link("card0")).expect("card").hwaddr();
        for (device, managed) in [
            (
                [("network", "lxdbr0"), ("security.ipv4_filtering", "true"), ("ipv4.routes", "192.0.2.0/24")]
                    .as_slice(),
                true,
            ),
            (&[("network", "lxdbr0"), ("security.port_isolation", "true"), ("limits.ingress", "10Mbit")], true),
            (&[("nictype", "bridged"), ("parent", "virbr0"), ("security.mac_filtering", "true")], false),
            (&[("nictype", "p2p"), ("ipv4.routes", "192.0.2.0/24"), ("mtu", "1400")], false),
            (&[("nictype", "macvlan"), ("parent", "card0"), ("mtu", "1400")], false),
            (&[("nictype", "physical"), ("parent", "card0"), ("hwaddr", "00:16:3e:00:00:09"), ("mtu", "1400")], false),
        ] {
            let (device, volatile) = (config(&[&[("name", "eth0")], device].concat()), config(&[("hwaddr", MAC)]));
            let of = managed.then_some(network.as_ref());
            let clean = |step: usize| {
                assert_eq!(traces(), before, "{device:?} after step {step}");
                let card = Socket::open().and_then(|socket| socket.link("card0")).expect("card");
                assert_eq!((card.hwaddr(), card.mtu), (card_before.clone(), 1500), "{device:?} after step {step}");
            };
            let (_, undo) = every_step_unwinds(|| attach(&nic(&device, &volatile, of)), clean);
            drop(undo);
            clean(usize::MAX);
        }
        network.delete().expect("gone");
    });
}

#[test]
fn a_nic_on_the_administrators_bridge_is_plugged_and_unplugged() {
    in_private_network("a_nic_on_the_administrators_bridge_is_plugged_and_unplugged", || {
        foreign_bridge("virbr0", "192.168.122.1/24");
        let (guest, before) = (Guest::new(), traces());
        let device = config(&[("name", "eth0"), ("nictype", "bridged"), ("parent", "virbr0")]);
        let (port, volatile) = plug(&device, None, &guest);
        let host_name = port.host_name.expect("a host's end");
        assert!(host_name.starts_with("veth") && host_name.len() == 12, "{host_name}");
        assert_eq!(volatile.get("host_name"), Some(&host_name));
        guest.sh("ip addr add 192.168.122.7/24 dev eth0").expect("an address");
        assert!(guest.pings("192.168.122.1"));
        assert!(guest.sh("cat /proc/net/dev").expect("read").contains("eth0:"));
        assert!(out("ip", &["-o", "link", "show", &host_name]).contains("master virbr0"));
        assert!(!out("ip", &["-o", "addr", "show", &host_name]).contains("fe80"), "no address of the link's own");
        let forgotten = detach(&nic(&device, &volatile, None), false).expect("unplugged");
        assert_eq!(forgotten.get("host_name").map(String::as_str), Some(""));
        assert_eq!(traces(), before);
        assert!(guest.sh("ip link show eth0").is_err());
        detach(&nic(&device, &volatile, None), false).expect("unplugged twice is fine");
        let missing = config(&[("name", "eth0"), ("nictype", "bridged"), ("parent", "br9")]);
        let error = attach(&nic(&missing, &volatile, None)).err().expect("no parent").to_string();
        assert_eq!(error, "Parent device \"br9\" doesn't exist");
    });
}

#[test]
fn filters_keep_a_guest_to_its_address() {
    in_private_network("filters_keep_a_guest_to_its_address", || {
        let scratch = Scratch::new("filter");
        let network = scratch.bridge("lxdbr0", &[("ipv4.address", "10.77.0.1/24"), ("ipv6.address", "none")]);
        network.up(&[]).expect("up");
        let guest = Guest::new();
        let open = config(&[("name", "eth0"), ("network", "lxdbr0")]);
        let shut = config(&[
            ("name", "eth0"),
            ("network", "lxdbr0"),
            ("security.ipv4_filtering", "true"),
            ("security.mac_filtering", "true"),
        ]);
        added(&nic(&shut, &config(&[("hwaddr", MAC)]), Some(network.as_ref()))).expect("known");
        let (_, volatile) = plug(&shut, Some(network.as_ref()), &guest);
        let file = std::fs::read_to_string(scratch.0.join("networks/lxdbr0/dnsmasq.hosts/c1.eth0")).expect("settled");
        assert_eq!(file, format!("{MAC},10.77.0.2,c1\n"), "the first free address is kept for it");
        assert_eq!(guest.dhcp("eth0", &scratch.0), "10.77.0.2");
        assert!(guest.pings("10.77.0.1"));
        let other = "ip addr flush dev eth0; ip addr add 10.77.0.99/24 dev eth0";
        guest.sh(other).expect("another address");
        assert!(!guest.pings("10.77.0.1"), "another address is of no use");
        update(&nic(&open, &volatile, Some(network.as_ref())), &nic(&shut, &volatile, Some(network.as_ref())))
            .expect("opened");
        assert!(guest.pings("10.77.0.1"), "now it is");
        update(&nic(&shut, &volatile, Some(network.as_ref())), &nic(&open, &volatile, Some(network.as_ref())))
            .expect("shut");
        guest.sh("ip addr flush dev eth0; ip addr add 10.77.0.2/24 dev eth0").expect("the right address");
        assert!(guest.pings("10.77.0.1"), "its own address still works");
        guest
            .sh("ip link set eth0 down; ip link set eth0 address 00:16:3e:ff:ff:ff; ip link set eth0 up")
            .expect("another card");
        assert!(!guest.pings("10.77.0.1"), "another card is of no use");
        detach(&nic(&shut, &volatile, Some(network.as_ref())), false).expect("unplugged");
        assert!(!traces().1.iter().any(|chain| chain.contains("c1.eth0")), "{:?}", traces().1);
        network.delete().expect("gone");
    });
}

#[test]
fn isolated_ports_reach_the_host_but_not_each_other() {
    in_private_network("isolated_ports_reach_the_host_but_not_each_other", || {
        foreign_bridge("br0", "10.7.0.1/24");
        let device =
            config(&[("name", "eth0"), ("nictype", "bridged"), ("parent", "br0"), ("security.port_isolation", "true")]);
        let (first, second) = (Guest::new(), Guest::new());
        plug(&device, None, &first);
        let mut volatile = config(&[("hwaddr", "00:16:3e:00:00:08")]);
        let (port, undo) = attach(&nic(&device, &volatile, None)).expect("a port");
        move_link::give(&port, second.netns()).expect("moved");
        volatile.extend(port.remember);
        undo.keep();
        for (guest, address) in [(&first, "10.7.0.2/24"), (&second, "10.7.0.3/24")] {
            guest.sh(&format!("ip addr add {address} dev eth0")).expect("an address");
        }
        assert!(first.pings("10.7.0.1") && second.pings("10.7.0.1"));
        assert!(!first.pings("10.7.0.3"));
    });
}

#[test]
fn a_cable_to_the_host_has_routes() {
    in_private_network("a_cable_to_the_host_has_routes", || {
        let (guest, before) = (Guest::new(), traces());
        let device =
            config(&[("name", "eth0"), ("nictype", "p2p"), ("host_name", "tohost"), ("ipv4.routes", "10.8.0.7/32")]);
        let (_, volatile) = plug(&device, None, &guest);
        out("ip", &["addr", "add", "10.9.0.1/32", "dev", "tohost"]);
        guest.sh("ip addr add 10.8.0.7/32 dev eth0; ip route add 10.9.0.1 dev eth0").expect("an address");
        assert!(guest.pings("10.9.0.1"));
        let changed =
            config(&[("name", "eth0"), ("nictype", "p2p"), ("host_name", "tohost"), ("ipv4.routes", "10.8.1.0/24")]);
        update(&nic(&changed, &volatile, None), &nic(&device, &volatile, None)).expect("other routes");
        let routes = out("ip", &["route"]);
        assert!(routes.contains("10.8.1.0/24 dev tohost") && !routes.contains("10.8.0.7"), "{routes}");
        detach(&nic(&changed, &volatile, None), false).expect("unplugged");
        assert_eq!(traces(), before);
    });
}

#[test]
fn cards_are_shared_or_lent() {
    in_private_network("cards_are_shared_or_lent", || {
        card("card0");
        out("ip", &["link", "set", "card0", "up"]);
        out("ip", &["addr", "add", "10.5.0.1/24", "dev", "card0-out"]);
        let guest = Guest::new();
        let shared = config(&[("name", "eth0"), ("nictype", "macvlan"), ("parent", "card0")]);
        let (port, volatile) = plug(&shared, None, &guest);
        assert!(port.link.starts_with("mac") && !port.take_back);
        guest.sh("ip addr add 10.5.0.7/24 dev eth0").expect("an address");
        assert!(guest.pings("10.5.0.1"));
        move_link::take_back(guest.netns(), "eth0", &port.link).expect("back");
        detach(&nic(&shared, &volatile, None), false).expect("unplugged");
        assert_eq!(traces().0, ["lo", "card0-out", "card0"]);

        let before = Socket::open().and_then(|socket| socket.link("card0")).expect("card");
        let lent = config(&[
            ("name", "eth0"),
            ("nictype", "physical"),
            ("parent", "card0"),
            ("hwaddr", "00:16:3e:00:00:09"),
            ("mtu", "1400"),
        ]);
        let (port, volatile) = plug(&lent, None, &guest);
        assert_eq!((port.link.as_str(), port.take_back), ("card0", true));
        assert!(guest.sh("ip link show eth0").expect("shown").contains("mtu 1400"));
        guest.sh("ip addr add 10.5.0.8/24 dev eth0").expect("an address");
        assert!(guest.pings("10.5.0.1"));
        move_link::take_back(guest.netns(), "eth0", "card0").expect("back");
        move_link::take_back(guest.netns(), "eth0", "card0").expect("back twice is fine");
        detach(&nic(&lent, &volatile, None), false).expect("unplugged");
        let after = Socket::open().and_then(|socket| socket.link("card0")).expect("card");
        assert_eq!((after.hwaddr(), after.mtu), (before.hwaddr(), before.mtu));
    });
}
