//! The keys of a managed bridge and of the NICs on it, by what containers and the host see of them.
#![forbid(unsafe_code)]

use serde_json::json;
use stories::{Daemon, story};

/// Runs a script in a container.
fn sh(daemon: &Daemon, name: &str, script: &str) -> stories::Ran {
    daemon.lxc(["exec", name, "--", "sh", "-c", script])
}

const LEASE: &str = "ip link set eth0 up && udhcpc -i eth0 -n -q -t 10";

#[test]
fn dhcp_and_dns_do_what_the_keys_say() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        let keys = [
            "ipv4.address=10.88.0.1/24",
            "ipv4.nat=false",
            "ipv6.address=none",
            "ipv4.dhcp.ranges=10.88.0.10-10.88.0.12",
            "ipv4.dhcp.expiry=2h",
            "ipv4.dhcp.gateway=10.88.0.5",
            "dns.domain=story",
            "bridge.mtu=1400",
            "raw.dnsmasq=address=/raw.test/10.88.0.9",
        ];
        daemon.lxc(["network", "create", "br0"].into_iter().chain(keys)).ok();
        assert!(host.sh("ip link show br0").contains("mtu 1400"));
        daemon.lxc(["launch", "busybox", "c1", "-n", "br0"]).ok();
        sh(&daemon, "c1", LEASE).ok();
        assert!(sh(&daemon, "c1", "ip link show eth0").ok().contains("mtu 1400"));
        let address =
            sh(&daemon, "c1", "ip -4 addr show eth0 | sed -n 's/.*inet \\([0-9.]*\\).*/\\1/p'").ok().trim().to_string();
        let last: u8 =
            address.strip_prefix("10.88.0.").and_then(|last| last.parse().ok()).expect("an address of the bridge");
        assert!((10..=12).contains(&last), "{address}");
        assert!(sh(&daemon, "c1", "ip route").ok().contains("default via 10.88.0.5"));
        let lookup = |name: &str| sh(&daemon, "c1", &format!("busybox nslookup {name} 10.88.0.1")).out;
        assert!(lookup("c1.story").contains(&address), "{}", lookup("c1.story"));
        assert!(lookup("raw.test").contains("10.88.0.9"), "{}", lookup("raw.test"));
        let expires: u64 = host.sh("cut -d' ' -f1 one/networks/br0/dnsmasq.leases").trim().parse().expect("a time");
        let now: u64 = host.sh("date +%s").trim().parse().expect("a time");
        assert!((6000..=7300).contains(&(expires - now)), "{expires} {now}");
        let leases = daemon.lxc(["network", "list-leases", "br0", "-f", "csv"]);
        assert!(leases.ok().contains(&format!("{address},DYNAMIC")), "{}", leases.out);
        // Changed while it is used.
        daemon.lxc(["network", "set", "br0", "dns.mode=none"]).ok();
        assert!(!lookup("c1.story").contains(&address), "{}", lookup("c1.story"));
        daemon.lxc(["network", "set", "br0", "bridge.mtu=1300"]).ok();
        assert!(host.sh("ip link show br0").contains("mtu 1300"));
        let info = daemon.lxc(["network", "info", "br0"]);
        assert!(info.ok().contains("MTU: 1300") && info.out.contains("10.88.0.1/24"), "{}", info.out);
        daemon.lxc(["delete", "-f", "c1"]).ok();
        daemon.lxc(["network", "delete", "br0"]).ok();
    });
}

#[test]
fn ipv6_addresses_are_announced_and_given() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        let keys = ["ipv4.address=none", "ipv6.address=fd42:1:2:3::1/64", "ipv6.nat=true"];
        daemon.lxc(["network", "create", "br0"].into_iter().chain(keys)).ok();
        daemon.lxc(["launch", "busybox", "c1", "-n", "br0"]).ok();
        let address = "ip link set eth0 up; i=0; until ip -6 addr show eth0 | grep 'fd42:1:2:3:.*global'; do usleep 100000; i=$((i+1)); [ $i -lt 300 ] || exit 1; done
                       i=0; until ping -6 -c 1 -W 2 fd42:1:2:3::1; do usleep 100000; i=$((i+1)); [ $i -lt 50 ] || exit 1; done; ip -6 route | grep default";
        let found = sh(&daemon, "c1", address);
        assert!(found.ok().contains("216:3eff:fe") && found.out.contains("default via fe80"), "{}", found.out);
        assert!(host.sh("nft list ruleset").contains("ip6 saddr fd42:1:2:3::/64"));
        let list = daemon.lxc(["list", "-c", "6", "-f", "csv"]);
        assert!(list.ok().starts_with("fd42:1:2:3:216:3eff:fe"), "{}", list.out);
        daemon.lxc(["delete", "-f", "c1"]).ok();
        daemon.lxc(["network", "delete", "br0"]).ok();
    });
}

#[test]
fn filters_keep_a_guest_to_its_own_addresses() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        let keys = ["ipv4.address=10.88.0.1/24", "ipv4.nat=false", "ipv6.address=none"];
        daemon.lxc(["network", "create", "br0"].into_iter().chain(keys)).ok();
        daemon.lxc(["init", "busybox", "c1", "-n", "br0"]).ok();
        daemon.lxc(["config", "device", "set", "c1", "eth0", "ipv4.address=10.88.0.10"]).ok();
        daemon.lxc(["start", "c1"]).ok();
        sh(&daemon, "c1", LEASE).ok();
        let ping = |before: &str| sh(&daemon, "c1", &format!("{before}; ping -c 1 -W 1 10.88.0.1")).status == 0;
        let other_ip = "ip addr flush dev eth0; ip addr add 10.88.0.99/24 dev eth0";
        let own_ip = "ip addr flush dev eth0; ip addr add 10.88.0.10/24 dev eth0";
        assert!(ping(other_ip) && ping(own_ip), "nothing is filtered unless asked for");
        daemon.lxc(["config", "device", "set", "c1", "eth0", "security.ipv4_filtering=true"]).ok();
        assert!(ping("true"), "its own address passes");
        assert!(!ping(other_ip), "another address does not");
        assert!(ping(own_ip));
        daemon
            .lxc([
                "config",
                "device",
                "set",
                "c1",
                "eth0",
                "security.ipv4_filtering=false",
                "security.mac_filtering=true",
            ])
            .ok();
        assert!(ping("true"));
        assert!(
            !ping("ip link set eth0 down; ip link set eth0 address 00:16:3e:aa:bb:cc up"),
            "nor another hardware address"
        );
        daemon.lxc(["delete", "-f", "c1"]).ok();
        assert!(!host.sh("nft list ruleset").contains("c1"), "the rules go with the container");
        daemon.lxc(["network", "delete", "br0"]).ok();
    });
}

#[test]
fn filters_keep_a_guest_to_its_own_ipv6_addresses() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        let keys = ["ipv4.address=none", "ipv6.address=fd42:1:2:3::1/64", "ipv6.nat=false", "ipv6.dhcp.stateful=true"];
        daemon.lxc(["network", "create", "br0"].into_iter().chain(keys)).ok();
        daemon.lxc(["init", "busybox", "c1", "-n", "br0"]).ok();
        let set = |key: &str| daemon.lxc(["config", "device", "set", "c1", "eth0", key]);
        set("ipv6.address=fd42:1:2:3::10").ok();
        daemon.lxc(["start", "c1"]).ok();
        // Addresses are taken without asking around first, so that they can be used at once.
        let as_address = |address: &str| {
            let script = format!(
                "echo 0 > /proc/sys/net/ipv6/conf/eth0/accept_dad; ip link set eth0 up; ip -6 addr flush dev eth0 scope global; \
                 ip addr add {address}/64 dev eth0; \
                 ping -6 -c 1 -W 1 -I {address} fd42:1:2:3::1"
            );
            sh(&daemon, "c1", &script).status == 0
        };
        let answers = |address: &str| (0..10).any(|_| as_address(address));
        assert!(answers("fd42:1:2:3::99") && answers("fd42:1:2:3::10"), "nothing is filtered unless asked for");
        set("security.ipv6_filtering=true").ok();
        let rules = host.sh("nft list ruleset");
        assert!(rules.contains("c1"), "{rules}");
        assert!(answers("fd42:1:2:3::10"), "its own address passes: {rules}");
        // The bridge would still know who has the spoofed address.
        host.sh("ip -6 neigh flush dev br0");
        assert!(!as_address("fd42:1:2:3::99"), "another address does not");
        assert!(!as_address("fd42:1:2:4::10"), "nor one of another network");
        // Nor may a guest tell its neighbours that it is the router.
        assert!(rules.contains("nd-router-advert"), "{rules}");
        assert!(answers("fd42:1:2:3::10"));
        set("security.ipv6_filtering=false").ok();
        assert!(answers("fd42:1:2:3::99"));
        daemon.lxc(["delete", "-f", "c1"]).ok();
        assert!(!host.sh("nft list ruleset").contains("c1"), "the rules go with the container");
        daemon.lxc(["network", "delete", "br0"]).ok();
    });
}

#[test]
fn limits_shape_what_passes() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon.lxc(["network", "create", "br0", "ipv4.address=none", "ipv6.address=none"]).ok();
        daemon.lxc(["launch", "busybox", "c1", "-n", "br0"]).ok();
        let set = |keys: &[&str]| daemon.lxc(["config", "device", "set", "c1", "eth0"].iter().chain(keys));
        set(&["limits.ingress=10Mbit"]).ok();
        let veth = daemon.lxc(["config", "get", "c1", "volatile.eth0.host_name"]).ok().trim().to_string();
        let sent = || host.sh(&format!("tc class show dev {veth}"));
        assert!(sent().contains("rate 10Mbit"), "{}", sent());
        set(&["limits.ingress=5Mbit"]).ok();
        assert!(sent().contains("rate 5Mbit"), "{}", sent());
        // What the guest sends is policed on arrival, which needs an action that not every kernel has.
        let before = daemon.get("/1.0/instances/c1")["devices"].clone();
        let egress = set(&["limits.egress=20Mbit"]);
        if egress.status == 0 {
            let received = host.sh(&format!("tc filter show dev {veth} parent ffff:"));
            assert!(received.contains("rate 20Mbit"), "{received}");
        } else {
            assert!(egress.err.contains("limiting what network interface"), "{}", egress.err);
            assert_eq!(daemon.get("/1.0/instances/c1")["devices"], before);
        }
        set(&["limits.ingress=", "limits.egress="]).ok();
        assert!(!sent().contains("rate"), "{}", sent());
        daemon.lxc(["delete", "-f", "c1"]).ok();
        daemon.lxc(["network", "delete", "br0"]).ok();
    });
}

#[test]
fn interfaces_of_the_host_and_the_firewall_follow_the_keys() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        host.sh("ip link add up0 type veth peer name up1; ip link set up1 up");
        let keys =
            ["ipv4.address=10.88.0.1/24", "ipv4.nat=true", "ipv6.address=none", "bridge.external_interfaces=up0"];
        daemon.lxc(["network", "create", "br0"].into_iter().chain(keys)).ok();
        assert!(host.sh("ip link show master br0").contains("up0@"));
        assert!(host.sh("nft list ruleset").contains("br0"));
        daemon.lxc(["network", "set", "br0", "ipv4.firewall=false"]).ok();
        assert!(!host.sh("nft list ruleset").contains("iifname \"br0\""), "{}", host.sh("nft list ruleset"));
        daemon.lxc(["network", "set", "br0", "ipv4.nat=false"]).ok();
        assert!(!host.sh("nft list ruleset").contains("masquerade"));
        daemon.lxc(["network", "unset", "br0", "bridge.external_interfaces"]).ok();
        assert!(!host.sh("ip link show master br0").contains("up0@"));
        daemon.lxc(["network", "set", "br0", "ipv4.address=10.89.0.1/24"]).ok();
        let shown = host.sh("ip addr show br0");
        assert!(shown.contains("10.89.0.1/24") && !shown.contains("10.88.0.1"), "{shown}");
        daemon.lxc(["network", "delete", "br0"]).ok();
        host.sh("ip link show up0");
    });
}

#[test]
fn what_a_bridge_cannot_have_is_refused() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon
            .lxc(["network", "create", "br0", "ipv4.address=10.88.0.1/24", "ipv4.nat=false", "ipv6.address=none"])
            .ok();
        let before = (daemon.get("/1.0/networks"), host.sh("ip -o link | cut -d: -f2 | cut -d@ -f1"));
        let create: [(&[&str], &str); 15] = [
            (&["br0"], "The network already exists"),
            (&["a/b"], "Network interface contains invalid characters"),
            (&["averyveryverylongname"], "Network interface is too long (maximum 15 characters)"),
            (&["b1", "foo=bar"], "Invalid option for network \"b1\" option \"foo\""),
            (&["b1", "ipv4.address=foo"], "Invalid value for network \"b1\" option \"ipv4.address\""),
            (&["b1", "ipv6.address=10.0.0.1/24"], "Invalid value for network \"b1\" option \"ipv6.address\""),
            (&["b1", "ipv4.dhcp=maybe"], "Invalid value for a boolean \"maybe\""),
            (&["b1", "bridge.mtu=abc"], "bridge.mtu"),
            (&["b1", "dns.mode=foo"], "dns.mode"),
            (&["b1", "bridge.hwaddr=foo"], "bridge.hwaddr"),
            (&["b1", "bridge.mode=fan"], ""),
            (&["b1", "bridge.driver=openvswitch"], ""),
            (&["b1", "bridge.driver=foo"], "bridge.driver"),
            (&["b1", "--type=foo"], ""),
            (&["b1", "--type=ovn"], ""),
        ];
        for (arguments, words) in create {
            let refused = daemon.lxc(["network", "create"].iter().chain(arguments));
            assert!(refused.refused().contains(words), "{arguments:?}: {} is not {words}", refused.err);
            let now = (daemon.get("/1.0/networks"), host.sh("ip -o link | cut -d: -f2 | cut -d@ -f1"));
            assert_eq!(now, before, "{arguments:?}");
        }
        let others: [(&[&str], &str); 9] = [
            (&["network", "show", "nope"], "Network not found"),
            (&["network", "delete", "nope"], "Failed loading network: Network not found"),
            (&["network", "list-leases", "nope"], "Failed loading network: Network not found"),
            (&["network", "info", "nope"], "Network interface \"nope\" not found"),
            (&["network", "set", "br0", "foo=bar"], "Invalid option for network \"br0\" option \"foo\""),
            (&["network", "unset", "br0", "foo"], "Invalid option for network \"br0\" option \"foo\""),
            (&["network", "set", "br0", "ipv4.address=bad"], "ipv4.address"),
            (&["network", "attach", "nope", "c1"], "not found"),
            (&["network", "detach", "br0", "nope"], "not found"),
        ];
        for (arguments, words) in others {
            let refused = daemon.lxc(arguments);
            assert!(refused.refused().contains(words), "{arguments:?}: {} is not {words}", refused.err);
        }
        daemon.lxc(["network", "delete", "br0"]).ok();
    });
}

#[test]
fn networks_are_attached_detached_edited_and_renamed() {
    story(|host| {
        let daemon = host.daemon_on("dir");
        daemon
            .lxc(["network", "create", "br0", "ipv4.address=10.88.0.1/24", "ipv4.nat=false", "ipv6.address=none"])
            .ok();
        daemon.lxc(["init", "busybox", "c1"]).ok();
        let devices = || daemon.get("/1.0/instances/c1")["devices"].clone();
        daemon.lxc(["network", "attach", "br0", "c1", "lan", "eth5"]).ok();
        assert_eq!(devices(), json!({"lan": {"name": "eth5", "network": "br0", "type": "nic"}}));
        let used = daemon.get("/1.0/networks/br0")["used_by"].clone();
        assert_eq!(used, json!(["/1.0/instances/c1"]));
        let again = daemon.lxc(["network", "attach", "br0", "c1", "wan"]);
        assert!(again.refused().contains("Instance DNS name \"c1\" already used on network"), "{}", again.err);
        daemon.lxc(["network", "detach", "br0", "c1", "lan"]).ok();
        assert_eq!(devices(), json!({}));
        daemon.lxc(["network", "attach-profile", "br0", "default", "eth0"]).ok();
        assert_eq!(daemon.get("/1.0/profiles/default")["devices"]["eth0"]["parent"], "br0");
        let used = daemon.lxc(["network", "rename", "br0", "br1"]);
        assert!(used.refused().contains("in use"), "{}", used.err);
        daemon.lxc(["network", "detach-profile", "br0", "default"]).ok();
        daemon
            .lxc_with(
                ["network", "edit", "br0"],
                b"description: words\nconfig:\n  ipv4.address: 10.90.0.1/24\n  ipv6.address: none\n",
            )
            .ok();
        let shown = daemon.get("/1.0/networks/br0");
        assert_eq!(
            (&shown["description"], &shown["config"]["ipv4.address"]),
            (&json!("words"), &json!("10.90.0.1/24"))
        );
        assert!(host.sh("ip addr show br0").contains("10.90.0.1/24"));
        daemon.lxc(["network", "rename", "br0", "br1"]).ok();
        assert!(host.sh("ip addr show br1").contains("10.90.0.1/24"));
        daemon.lxc(["network", "delete", "br1"]).ok();
        assert_eq!(host.sh("ls one/networks"), "");
    });
}
