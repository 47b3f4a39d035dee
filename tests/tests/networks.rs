//! Interfaces: of a bridge that the administrator made, of a managed one, and of the other kinds.
#![forbid(unsafe_code)]

use serde_json::json;
use stories::story;

#[test]
fn a_nic_is_plugged_into_a_running_container_and_gets_a_lease() {
    story(|host| {
        host.bridge_with_dhcp();
        let daemon = host.daemon_on("dir");
        daemon.lxc(["launch", "busybox", "apollo"]).ok();
        let nic = ["name=eth0", "nictype=bridged", "parent=virbr0"];
        let added = daemon.lxc(["config", "device", "add", "apollo", "eth0", "nic"].into_iter().chain(nic));
        assert_eq!(added.ok(), "Device eth0 added to apollo\n");
        let exec = |script: &str| daemon.lxc(["exec", "apollo", "--", "sh", "-c", script]);
        let link = exec("ip link show eth0").ok().to_string();
        assert!(link.contains("00:16:3e:"), "{link}");
        exec("ip link set eth0 up && udhcpc -i eth0 -n -q -t 10").ok();
        exec("ping -c 1 -W 2 10.77.0.1").ok();
        let list = daemon.lxc(["list", "-c", "4", "-f", "csv"]);
        assert!(list.ok().contains("10.77.0."), "{}", list.out);
        let info = daemon.lxc(["info", "apollo"]);
        assert!(info.ok().contains("Host interface: veth") && info.out.contains("Bytes received"), "{}", info.out);
        // It comes back with the container, and goes when it is taken out.
        daemon.lxc(["stop", "apollo", "--force"]).ok();
        daemon.lxc(["start", "apollo"]).ok();
        exec("ip link show eth0").ok();
        daemon.lxc(["config", "device", "remove", "apollo", "eth0"]).ok();
        assert_ne!(exec("ip link show eth0").status, 0);
        assert!(!host.sh("ip link show master virbr0").contains("veth"));
        host.end_dhcp();
    });
}

#[test]
fn a_managed_bridge_gives_addresses_and_names() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        let keys = ["ipv4.address=10.88.0.1/24", "ipv4.nat=true", "ipv6.address=none"];
        let made = daemon.lxc(["network", "create", "lxdbr0"].into_iter().chain(keys));
        assert_eq!(made.ok(), "Network lxdbr0 created\n");
        daemon.lxc(["profile", "device", "add", "default", "eth0", "nic", "network=lxdbr0", "name=eth0"]).ok();
        daemon.lxc(["init", "busybox", "c1"]).ok();
        daemon.lxc(["config", "device", "override", "c1", "eth0", "ipv4.address=10.88.0.77"]).ok();
        daemon.lxc(["start", "c1"]).ok();
        let exec = |script: &str| daemon.lxc(["exec", "c1", "--", "sh", "-c", script]);
        exec("ip link set eth0 up && udhcpc -i eth0 -n -q -t 10").ok();
        assert!(exec("ip addr show eth0").ok().contains("10.88.0.77/24"), "the static lease is given");
        exec("ping -c 1 -W 2 10.88.0.1").ok();
        let leases = daemon.lxc(["network", "list-leases", "lxdbr0", "-f", "csv"]);
        assert!(leases.ok().contains("10.88.0.77") && leases.out.contains("STATIC"), "{}", leases.out);
        assert!(host.sh("nft list ruleset").contains("masquerade"), "addresses are translated");
        let used = daemon.get("/1.0/networks/lxdbr0");
        assert_eq!(used["used_by"][0], "/1.0/instances/c1");
        assert!(daemon.lxc(["network", "delete", "lxdbr0"]).refused().contains("The network is currently in use"));
        let show = daemon.lxc(["network", "show", "lxdbr0"]);
        assert!(show.ok().contains("ipv4.address: 10.88.0.1/24"), "{}", show.out);
        daemon.lxc(["delete", "-f", "c1"]).ok();
        daemon.lxc(["profile", "device", "remove", "default", "eth0"]).ok();
        daemon.lxc(["network", "delete", "lxdbr0"]).ok();
        assert!(!host.sh("ip link").contains("lxdbr0"));
    });
}

#[test]
fn containers_keep_their_network_while_the_daemon_is_away() {
    story(|host| {
        let mut daemon = host.daemon_on("dir");
        let keys = ["ipv4.address=10.89.0.1/24", "ipv4.nat=false", "ipv6.address=none"];
        daemon.lxc(["network", "create", "lxdbr1"].into_iter().chain(keys)).ok();
        daemon.lxc(["launch", "busybox", "c1", "--network", "lxdbr1"]).ok();
        let init = daemon.get("/1.0/instances/c1/state")["pid"].to_string();
        let inside = format!("nsenter -t {init} -n -m busybox sh -c");
        host.sh(&format!("{inside} 'ip link set eth0 up && udhcpc -i eth0 -n -q -t 10'"));
        let pid_file = daemon.dir.join("networks/lxdbr1/dnsmasq.pid");
        let before = std::fs::read_to_string(&pid_file).expect("the DHCP server runs");
        daemon.kill();
        host.sh(&format!("{inside} 'ping -c 1 -W 2 10.89.0.1'"));
        daemon.begin();
        assert_eq!(std::fs::read_to_string(&pid_file).expect("it runs"), before, "the DHCP server was taken over");
        daemon.lxc(["exec", "c1", "--", "ping", "-c", "1", "-W", "2", "10.89.0.1"]).ok();
        daemon.lxc(["delete", "-f", "c1"]).ok();
        daemon.lxc(["network", "delete", "lxdbr1"]).ok();
    });
}

#[test]
fn p2p_macvlan_and_physical_interfaces_reach_the_container() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        host.sh("ip link add up0 type veth peer name up1; ip link set up0 up; ip link set up1 up");
        host.sh("ip link add card0 type veth peer name card1; ip link set card1 up");
        daemon.lxc(["init", "busybox", "c1"]).ok();
        let add = |name: &str, keys: &[&str]| {
            daemon.lxc(["config", "device", "add", "c1", name, "nic"].iter().chain(keys)).ok();
        };
        add("cable", &["nictype=p2p", "name=cable", "host_name=far"]);
        add("second", &["nictype=macvlan", "parent=up0", "name=second"]);
        add("card", &["nictype=physical", "parent=card0", "name=card"]);
        daemon.lxc(["start", "c1"]).ok();
        let inside = daemon.lxc(["exec", "c1", "--", "ip", "link"]).ok().to_string();
        for name in ["cable", "second", "card"] {
            assert!(inside.contains(&format!(" {name}@")), "{name} is missing in {inside}");
        }
        let outside = host.sh("ip link");
        assert!(outside.contains("far@") && !outside.contains("card0@"), "{outside}");
        daemon.lxc(["stop", "c1", "--force"]).ok();
        let outside = host.sh("ip link");
        assert!(!outside.contains("far@"), "the cable is gone");
        assert!(outside.contains("card0@"), "the card is back: {outside}");
    });
}

#[test]
fn managed_networks_of_type_macvlan_and_physical_stand_for_an_interface() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        host.sh("ip link add up0 type veth peer name up1; ip link set up0 up; ip link set up1 up");
        host.sh("ip link add card0 type veth peer name card1");
        let network = |words: &[&str]| daemon.lxc(["network"].iter().chain(words));
        assert!(network(&["create", "mv", "--type=macvlan"]).refused().contains("\"parent\": Required value"));
        assert!(network(&["create", "mv", "--type=macvlan", "parent=no0"]).refused().contains("\"no0\" not found"));
        network(&["create", "mv", "--type=macvlan", "parent=up0", "mtu=1400"]).ok();
        network(&["create", "px", "--type=physical", "parent=card0"]).ok();
        let taken = network(&["create", "py", "--type=physical", "parent=card0"]);
        assert!(taken.refused().contains("Parent interface \"card0\" in use by another network"), "{}", taken.err);
        // One key is changed without the others, and the interface says who is on it.
        network(&["set", "mv", "vlan", "5"]).ok();
        network(&["unset", "mv", "vlan"]).ok();
        assert!(network(&["unset", "mv", "parent"]).refused().contains("\"parent\": Required value"));
        assert!(network(&["show", "up0"]).ok().contains("- /1.0/networks/mv\n"));
        assert!(network(&["list-leases", "mv"]).refused().contains("Not implemented"));
        daemon.lxc(["init", "busybox", "c1"]).ok();
        daemon.lxc(["config", "device", "add", "c1", "eth0", "nic", "network=mv"]).ok();
        // Physical ones are for networks on top, not for NICs.
        let refused = daemon.lxc(["config", "device", "add", "c1", "eth1", "nic", "network=px"]);
        assert!(refused.refused().contains("Unrecognised NIC network type"), "{}", refused.err);
        daemon.lxc(["start", "c1"]).ok();
        let inside = daemon.lxc(["exec", "c1", "--", "ip", "link", "show", "eth0"]).ok().to_string();
        assert!(inside.contains("eth0@") && inside.contains("mtu 1400"), "{inside}");
        assert!(network(&["delete", "mv"]).refused().contains("The network is currently in use"));
        daemon.lxc(["delete", "-f", "c1"]).ok();
        network(&["rename", "mv", "mw"]).ok();
        network(&["delete", "mw"]).ok();
        network(&["delete", "px"]).ok();
        host.sh("ip link show card0 && ip link show up0");
    });
}

#[test]
fn forwards_are_rules_of_the_firewall() {
    story(|host| {
        let mut daemon = host.daemon();
        daemon.lxc(["network", "create", "fwdbr0", "ipv4.address=10.79.0.1/24", "ipv6.address=none"]).ok();
        let forward = |words: &[&str]| daemon.lxc(["network", "forward"].iter().chain(words));
        forward(&["create", "fwdbr0", "198.51.100.1"]).ok();
        host.sh("! nft list chain inet lxd fwdprert.fwdbr0 2>/dev/null");
        assert!(forward(&["create", "fwdbr0", "198.51.100.1"]).refused().contains("already exists"));
        forward(&["set", "fwdbr0", "198.51.100.1", "target_address=10.79.0.2"]).ok();
        let outside = forward(&["port", "add", "fwdbr0", "198.51.100.1", "tcp", "80", "10.80.0.3"]);
        assert!(outside.refused().contains("Target address is not within the network subnet in port specification 0"));
        forward(&["port", "add", "fwdbr0", "198.51.100.1", "tcp", "80-81", "10.79.0.3", "8080"]).ok();
        let rules = || host.sh("nft -nn list chain inet lxd fwdprert.fwdbr0");
        let wanted = [
            "ip daddr 198.51.100.1 tcp dport 80 dnat ip to 10.79.0.3:8080",
            "ip daddr 198.51.100.1 tcp dport 81 dnat ip to 10.79.0.3:8080",
            "ip daddr 198.51.100.1 dnat ip to 10.79.0.2",
        ];
        let places: Vec<Option<usize>> = wanted.iter().map(|rule| rules().find(rule)).collect();
        assert!(places.is_sorted() && places.iter().all(Option::is_some), "{}", rules());
        let shown = daemon.get("/1.0/networks/fwdbr0/forwards/198.51.100.1");
        assert_eq!((&shown["location"], &shown["ports"][0]["target_port"]), (&"none".into(), &"8080".into()));

        // After a restart of the host they are put in force again.
        daemon.kill();
        host.sh("nft flush ruleset");
        daemon.begin();
        assert!(rules().contains(wanted[0]), "{}", rules());
        daemon.lxc(["network", "forward", "port", "remove", "fwdbr0", "198.51.100.1", "tcp"]).ok();
        assert!(!rules().contains("tcp dport"), "{}", rules());
        daemon.lxc(["network", "delete", "fwdbr0"]).ok();
        host.sh("! nft list chain inet lxd fwdprert.fwdbr0 2>/dev/null");
    });
}

#[test]
fn a_list_of_networks_says_of_each_who_uses_it() {
    story(|host| {
        let daemon = host.daemon();
        daemon.with_pool("dir");
        for name in ["na", "nb"] {
            daemon.lxc(["network", "create", name, "ipv4.address=none", "ipv6.address=none"]).ok();
        }
        daemon.lxc(["network", "create", "above", "--type", "macvlan", "parent=nb"]).ok();
        daemon.lxc(["profile", "create", "p"]).ok();
        daemon.lxc(["profile", "device", "add", "p", "eth0", "nic", "network=na"]).ok();
        daemon.lxc(["init", "--empty", "c1", "-p", "default", "-p", "p"]).ok();
        daemon.lxc(["config", "device", "add", "c1", "eth1", "nic", "nictype=bridged", "parent=nb"]).ok();
        let list = daemon.get("/1.0/networks?recursion=1");
        let users = |name: &str| {
            let one = daemon.get(&format!("/1.0/networks/{name}"));
            let listed = list.as_array().expect("a list").iter().find(|listed| listed["name"] == name);
            assert_eq!(Some(&one), listed, "{name}");
            one["used_by"].clone()
        };
        assert_eq!(users("na"), json!(["/1.0/instances/c1", "/1.0/profiles/p"]));
        assert_eq!(users("nb"), json!(["/1.0/instances/c1", "/1.0/networks/above"]));
        assert_eq!(users("above"), json!([]));
        users("lo");
    });
}
