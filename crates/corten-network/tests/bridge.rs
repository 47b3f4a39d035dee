//! A managed bridge from its making to its end, with a guest that really gets its lease. Needs root, dnsmasq, nft, busybox.

use corten_host::netlink::Socket;
use corten_host::netlink::route::{PROTO_BOOT, Route};
use corten_host::netlink::state::state_of;
use corten_host::undo::every_step_unwinds;
use corten_network::config::Config;
use corten_network::dnsmasq::hosts::Host;
use corten_network::lease::LeaseNic;
use corten_network::network::Network;
use corten_network::port::{Nic, attach, detach, move_link, removed};
use corten_network::registry::{Kind, fill_defaults};
use private_network::{Guest, Scratch, config, dnsmasqs, in_private_network, out, traces};

#[path = "support/private_network.rs"]
mod private_network;

const MAC: &str = "00:16:3e:00:00:07";
const BOTH: [(&str, &str); 4] =
    [("ipv4.address", "10.77.0.1/24"), ("ipv4.nat", "true"), ("ipv6.address", "fd42:77::1/64"), ("ipv6.nat", "true")];

fn host(instance: &str, v4: Option<&str>) -> Host {
    Host {
        project: "default".into(),
        instance: instance.into(),
        device: "eth0".into(),
        hwaddr: MAC.parse().expect("a MAC"),
        v4: v4.map(|text| text.parse().expect("an address")),
        v6: None,
        keep_v4: false,
        keep_v6: false,
    }
}

fn nic<'a>(config: &'a Config, volatile: &'a Config, network: &'a dyn Network) -> Nic<'a> {
    Nic { project: "default", instance: "c1", device: "eth0", config, volatile, network: Some(network) }
}

#[test]
fn a_guest_gets_its_lease_and_keeps_it_over_a_restart_of_the_daemon() {
    in_private_network("a_guest_gets_its_lease_and_keeps_it_over_a_restart_of_the_daemon", || {
        let scratch = Scratch::new("lease");
        let network = scratch.bridge("lxdbr0", &BOTH);
        network.check_new().expect("nothing is in the way");
        network.up(&[]).expect("it comes up");
        assert_eq!(network.check_new().unwrap_err().to_string(), "Network interface \"lxdbr0\" already exists");
        let guest = Guest::new();
        let (device, mut volatile) = (config(&[("name", "eth0"), ("network", "lxdbr0")]), config(&[("hwaddr", MAC)]));
        let (port, undo) = attach(&nic(&device, &volatile, network.as_ref())).expect("a port");
        move_link::give(&port, guest.netns()).expect("the guest has its link");
        undo.keep();
        volatile.extend(port.remember.clone());

        let address = guest.dhcp("eth0", &scratch.0);
        assert!(address.starts_with("10.77.0."), "{address}");
        assert!(guest.pings("10.77.0.1"));
        let answer = guest.sh("busybox nslookup c1.lxd 10.77.0.1").expect("a name");
        assert!(answer.contains(&address), "{answer}");
        let nics =
            LeaseNic { hostname: "c1".into(), hwaddr: MAC.parse().ok(), v4: None, v6: None, location: "none".into() };
        let leases = network.leases(&[nics], true, "here").expect("leases");
        assert!(leases.iter().any(|lease| lease.address == address && lease.hostname == "c1"), "{leases:?}");
        let rules = out("nft", &["list", "table", "inet", "lxd"]);
        assert!(rules.contains("ip saddr 10.77.0.0/24 ip daddr != 10.77.0.0/24 masquerade"), "{rules}");

        let state = state_of(guest.netns()).expect("the guest's state");
        let eth0 = state.iter().find(|interface| interface.name == "eth0").expect("eth0");
        assert_eq!((eth0.hwaddr.as_str(), eth0.state), (MAC, "up"));
        let seen = network.state().expect("the bridge's state");
        assert_eq!(seen.bridge.expect("bridge part").upper_devices, [port.host_name.clone().expect("a host's end")]);

        let (index, server) = (Socket::open().expect("socket").link("lxdbr0").expect("bridge").index, dnsmasqs());
        assert_eq!(server.len(), 1);
        network.up(&[host("c1", None)]).expect("it is taken over");
        assert_eq!(
            (dnsmasqs(), Socket::open().expect("socket").link("lxdbr0").expect("bridge").index),
            (server.clone(), index)
        );
        assert!(guest.pings("10.77.0.1"));

        let mut changed = network.config().clone();
        changed.insert("ipv4.dhcp.ranges".into(), "10.77.0.200-10.77.0.210".into());
        network.update(&changed, &[host("c1", None)]).expect("it changes");
        assert_ne!(dnsmasqs(), server, "the server has other arguments");
        assert!(guest.pings("10.77.0.1"), "the guest did not notice");

        removed(&nic(&device, &volatile, network.as_ref())).expect("the lease is given back");
        let forgotten =
            || !network.leases(&[], false, "").expect("leases").iter().any(|lease| lease.address == address);
        let patience = std::time::Instant::now() + std::time::Duration::from_secs(5);
        while !forgotten() && std::time::Instant::now() < patience {
            std::thread::yield_now();
        }
        assert!(forgotten());
        detach(&nic(&device, &volatile, network.as_ref()), false).expect("the port goes");
        network.delete().expect("the network goes");
        assert_eq!((traces(), dnsmasqs()), ((vec!["lo".to_string()], vec![]), vec![]));
        assert!(!scratch.0.join("networks/lxdbr0").exists());
    });
}

#[test]
fn every_step_of_up_unwinds() {
    in_private_network("every_step_of_up_unwinds", || {
        let scratch = Scratch::new("up");
        let network = scratch.bridge("br0", &BOTH);
        every_step_unwinds(
            || network.up(&[]),
            |step| assert_eq!((traces(), dnsmasqs()), ((vec!["lo".to_string()], vec![]), vec![]), "after step {step}"),
        );
        assert_eq!(dnsmasqs().len(), 1);
        network.down().expect("down");
        network.down().expect("down twice is fine");
        assert_eq!((traces(), dnsmasqs()), ((vec!["lo".to_string()], vec![]), vec![]));
    });
}

#[test]
fn a_change_that_cannot_be_leaves_the_network_as_it_was() {
    in_private_network("a_change_that_cannot_be_leaves_the_network_as_it_was", || {
        let scratch = Scratch::new("change");
        let network = scratch.bridge("br0", &BOTH);
        network.up(&[]).expect("up");
        let mut bad = network.config().clone();
        bad.insert("raw.dnsmasq".into(), "no-such-word".into());
        let failure = network.update(&bad, &[]).expect_err("dnsmasq refuses").to_string();
        assert!(
            failure.contains("The DNS and DHCP service exited prematurely") && failure.contains("bad option at line 1"),
            "{failure}"
        );
        assert_eq!(dnsmasqs().len(), 1, "the old server is back");
        let mut moved = network.config().clone();
        moved.insert("ipv4.address".into(), "10.78.0.1/24".into());
        moved.insert("ipv4.routes".into(), "192.0.2.0/24".into());
        moved.insert("ipv6.address".into(), "none".into());
        let socket = Socket::open().expect("socket");
        let link = socket.link("br0").expect("bridge").index;
        let of_instance = Route::through(link, "198.51.100.0".parse().expect("address"), 24, PROTO_BOOT);
        socket.add_route(&of_instance).expect("a NIC's route");
        network.update(&moved, &[]).expect("other addresses");
        let own: Vec<String> = socket
            .addresses()
            .expect("addresses")
            .iter()
            .filter(|own| own.link == link)
            .map(|own| own.address.to_string())
            .collect();
        assert_eq!(own, ["10.78.0.1"]);
        let routes = socket.routes().expect("routes");
        assert!(routes.iter().any(|route| route.destination.to_string() == "192.0.2.0" && route.link == Some(link)));
        assert!(routes.contains(&of_instance), "{routes:?}");
        let moved =
            scratch.bridge("br0", &moved.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect::<Vec<_>>());
        let bare = moved.update(&config(&[("ipv4.address", "none"), ("ipv6.address", "none")]), &[]);
        bare.expect("no addresses, no server");
        assert_eq!((traces().1, dnsmasqs()), (vec![], vec![]));
    });
}

#[test]
fn a_network_is_renamed_with_its_files() {
    in_private_network("a_network_is_renamed_with_its_files", || {
        let scratch = Scratch::new("rename");
        let network = scratch.bridge("br0", &BOTH);
        network.up(&[host("c1", Some("10.77.0.9"))]).expect("up");
        scratch.bridge("br2", &[]).up(&[]).expect("another");
        assert!(network.rename("br2", &[]).expect_err("taken").to_string().contains("already exists"));
        network.rename("br1", &[host("c1", Some("10.77.0.9"))]).expect("renamed");
        assert_eq!(traces().0, ["lo", "br2", "br1"]);
        assert_eq!(dnsmasqs().len(), 1);
        let file =
            std::fs::read_to_string(scratch.0.join("networks/br1/dnsmasq.hosts/c1.eth0")).expect("the host's file");
        assert_eq!(file, format!("{MAC},10.77.0.9,c1\n"));
        assert!(!scratch.0.join("networks/br0").exists());
        scratch.bridge("br1", &BOTH).delete().expect("deleted");
    });
}

#[test]
fn a_network_in_use_beyond_the_router_is_not_chosen() {
    in_private_network("a_network_in_use_beyond_the_router_is_not_chosen", || {
        let fill = || {
            let mut keys = config(&[("ipv6.address", "none")]);
            fill_defaults(Kind::Bridge, &mut keys).map(|()| keys).map_err(|error| error.to_string())
        };
        assert_eq!(fill().expect("nobody to ask")["ipv4.nat"], "true");
        let router = Guest::new();
        let device = config(&[("name", "eth0"), ("nictype", "p2p"), ("host_name", "uplink")]);
        let none = Config::new();
        let nic =
            Nic { project: "default", instance: "r", device: "eth0", config: &device, volatile: &none, network: None };
        let (port, undo) = attach(&nic).expect("a cable");
        undo.keep();
        move_link::give(&port, router.netns()).expect("given");
        out("ip", &["addr", "add", "192.0.2.2/24", "dev", "uplink"]);
        out("ip", &["route", "add", "default", "via", "192.0.2.1"]);
        router.sh("ip addr add 192.0.2.1/24 dev eth0").expect("an address");
        assert!(fill().is_ok(), "the router knows nobody there");
        router.sh("ip route add local 10.0.0.0/8 dev lo").expect("somebody everywhere");
        assert_eq!(
            fill().expect_err("all is in use"),
            "Failed to automatically find an unused IPv4 subnet, manual configuration required"
        );
    });
}

#[test]
fn a_missing_program_is_named_with_its_package() {
    in_private_network("a_missing_program_is_named_with_its_package", || {
        let scratch = Scratch::new("missing");
        let bin = scratch.0.join("bin");
        std::fs::create_dir(&bin).expect("made");
        let path = std::env::var("PATH").expect("a PATH");
        let find = |program: &str| {
            std::env::split_paths(&path).map(|dir| dir.join(program)).find(|path| path.is_file()).expect("there")
        };
        let only = |programs: &[&str]| {
            for entry in std::fs::read_dir(&bin).expect("listed").flatten() {
                std::fs::remove_file(entry.path()).expect("removed");
            }
            for program in programs {
                std::os::unix::fs::symlink(find(program), bin.join(program)).expect("linked");
            }
            corten_host::command::Command::new(bin.join("x").to_str().expect("text"), "").find()
        };
        for (programs, package) in [(["nft"].as_slice(), "dnsmasq-base"), (&["dnsmasq"], "nftables")] {
            only(programs);
            let script =
                format!("PATH={} exec \"$0\" --exact up_without_programs --nocapture --ignored", bin.display());
            let exe = std::env::current_exe().expect("own program");
            let output = std::process::Command::new("/bin/sh")
                .args(["-c", &script, exe.to_str().expect("text")])
                .env("CORTEN_SCRATCH", &scratch.0)
                .output()
                .expect("it runs");
            let text = String::from_utf8_lossy(&output.stdout).into_owned();
            assert!(text.contains(&format!("on Debian it comes with the package \"{package}\"")), "{text}");
            assert_eq!((traces().0, dnsmasqs()), (vec!["lo".to_string()], vec![]));
        }
        let plain = scratch.bridge("br0", &[("ipv4.address", "none"), ("ipv6.address", "none")]);
        plain.up(&[]).expect("a bridge without addresses needs neither");
    });
}

#[test]
#[ignore = "run by the test above with a PATH that lacks programs"]
fn up_without_programs() {
    let Some(dir) = std::env::var_os("CORTEN_SCRATCH") else { return };
    let place = corten_network::network::Place {
        dir: std::path::PathBuf::from(dir).join("networks/br0"),
        mac_seed: "test".into(),
        debug: false,
    };
    let keys: Config = config(&BOTH);
    let network = corten_network::registry::open(corten_network::registry::Kind::Bridge, "br0", &keys, place);
    println!("{}", network.up(&[]).expect_err("a program is missing"));
}
