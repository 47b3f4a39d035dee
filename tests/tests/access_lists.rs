//! Network access lists: what passes between a bridge's guests and others.
#![forbid(unsafe_code)]

use stories::{Host, story};

/// A container with a static address on a bridge that has the access list `web`.
fn guarded(host: &Host, then: impl FnOnce(&mut stories::Daemon)) {
    let mut daemon = host.daemon();
    daemon.with_pool("dir");
    daemon.import_busybox("busybox");
    daemon.lxc(["network", "acl", "create", "web"]).ok();
    let keys = ["ipv4.address=10.83.0.1/24", "ipv4.nat=false", "ipv6.address=none", "security.acls=web"];
    daemon.lxc(["network", "create", "aclbr0"].into_iter().chain(keys)).ok();
    daemon.lxc(["init", "busybox", "c1", "-n", "aclbr0"]).ok();
    daemon.lxc(["start", "c1"]).ok();
    let up = "ip link set eth0 up && udhcpc -i eth0 -n -q -t 10";
    daemon.lxc(["exec", "c1", "--", "sh", "-c", up]).ok();
    then(&mut daemon);
    daemon.lxc(["delete", "-f", "c1"]).ok();
    daemon.lxc(["network", "delete", "aclbr0"]).ok();
    daemon.lxc(["network", "acl", "delete", "web"]).ok();
    assert!(!host.sh("nft list ruleset").contains("aclbr0"), "the rules went with the network");
}

#[test]
fn only_what_a_list_allows_passes() {
    story(|host| {
        guarded(host, |daemon| {
            let pings = |daemon: &stories::Daemon| {
                let said = daemon.lxc(["exec", "c1", "--", "ping", "-c", "1", "-W", "1", "10.83.0.1"]);
                said.status == 0
            };
            let connects = |daemon: &stories::Daemon, port: &str| {
                let said = daemon.lxc(["exec", "c1", "--", "nc", "-w", "2", "10.83.0.1", port]);
                said.status == 0
            };
            let acl = |daemon: &stories::Daemon, words: &[&str]| {
                daemon.lxc(["network", "acl", "rule", "add", "web"].iter().chain(words)).ok();
            };
            // The guest had its lease, and may ask for names, but nothing else, until a rule allows it.
            assert!(!pings(daemon));
            assert!(connects(daemon, "53"), "names are served");
            acl(daemon, &["egress", "action=allow", "protocol=icmp4"]);
            assert!(pings(daemon));
            // What is forbidden counts before what is allowed, and a rule that is off is none.
            acl(daemon, &["egress", "action=drop", "destination=10.83.0.0/24", "protocol=icmp4", "state=disabled"]);
            assert!(pings(daemon));
            acl(daemon, &["egress", "action=drop", "destination=10.83.0.1"]);
            assert!(!pings(daemon));
            daemon.lxc(["network", "acl", "rule", "remove", "web", "egress", "destination=10.83.0.1"]).ok();
            assert!(pings(daemon));
            // From outside, the guest is reached where a rule says so.
            host.sh("! ping -c 1 -W 1 $(cat /proc/net/arp | awk '/aclbr0/{print $1; exit}')");
            daemon.lxc(["network", "set", "aclbr0", "security.acls.default.ingress.action=allow"]).ok();
            host.sh("ping -c 1 -W 2 $(cat /proc/net/arp | awk '/aclbr0/{print $1; exit}')");
            // A new daemon puts the rules in force again.
            daemon.kill();
            host.sh("nft delete table inet lxd");
            daemon.begin();
            assert!(pings(daemon));
            assert!(!connects(daemon, "54"));
            assert!(host.sh("nft list ruleset").contains("jump acl.aclbr0"));
        });
    });
}

#[test]
fn lists_are_refused_as_lxd_refuses_them() {
    story(|host| {
        let daemon = host.daemon();
        let acl = |words: &[&str]| daemon.lxc(["network", "acl"].iter().chain(words));
        acl(&["create", "web"]).ok();
        assert!(acl(&["create", "web"]).refused().contains("The network ACL already exists"));
        assert!(acl(&["create", "@x"]).refused().contains("Name cannot start with reserved character '@'"));
        let rule = ["rule", "add", "web", "ingress", "action=allow", "protocol=tcp", "destination_port=80"];
        acl(&rule).ok();
        assert!(acl(&rule).refused().contains("Duplicate of ingress rule 0"));
        assert!(acl(&["rule", "add", "web", "egress", "action=no"]).refused().contains("Action must be one of"));
        let create = |lists: &str| daemon.lxc(["network", "create", "aclbr1", &format!("security.acls={lists}")]);
        assert!(create("nope").refused().contains("Network ACL \"nope\" does not exist"));
        assert!(create("web,web").refused().contains("Network ACL \"web\" specified multiple times"));
        // A list that others name stays, under its name.
        acl(&["create", "other"]).ok();
        acl(&["rule", "add", "other", "ingress", "action=allow", "source=web"]).ok();
        assert!(acl(&["show", "web"]).ok().contains("- /1.0/network-acls/other"));
        assert!(acl(&["delete", "web"]).refused().contains("Cannot delete an ACL that is in use"));
        assert!(acl(&["rename", "web", "w2"]).refused().contains("Cannot rename an ACL that is in use"));
        // Bridges know addresses only; the list that they had stays in force.
        daemon.lxc(["network", "create", "aclbr1", "ipv4.address=10.82.0.1/24", "security.acls=web"]).ok();
        let set = daemon.lxc(["network", "set", "aclbr1", "security.acls", "other"]);
        assert!(set.refused().contains("Unsupported nftables subject \"web\""), "{}", set.err);
        assert_eq!(daemon.lxc(["network", "get", "aclbr1", "security.acls"]).ok(), "web\n");
        assert!(host.sh("nft -nn list chain inet lxd acl.aclbr1").contains("tcp dport 80 accept"));
        let bad = acl(&["rule", "add", "web", "ingress", "action=allow", "source=@internal"]);
        assert!(bad.refused().contains("Unsupported nftables subject \"@internal\""), "{}", bad.err);
        assert!(!acl(&["show", "web"]).ok().contains("@internal"), "the list is as before");
        assert!(host.sh("nft -nn list chain inet lxd acl.aclbr1").contains("tcp dport 80 accept"));
        daemon.lxc(["network", "delete", "aclbr1"]).ok();
        assert!(acl(&["show-log", "web"]).refused().contains("Only OVN log entries may be retrieved"));
        acl(&["delete", "other"]).ok();
        acl(&["rename", "web", "w2"]).ok();
        acl(&["delete", "w2"]).ok();
    });
}
