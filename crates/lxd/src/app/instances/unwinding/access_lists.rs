//! Access lists of a network: taken on, changed and given up, with each step failing once.

use std::collections::BTreeMap;
use std::process::Command;

use corten_api::network::{NetworkPut, NetworksPost};
use corten_api::network_acl::{NetworkACLPut, NetworkACLRule};
use corten_host::undo::{every_step_unwinds, fail_step};

use super::world::in_world;
use crate::app::network_acls as acls;
use crate::app::networks::{change, create, row};

/// The access rules in force on the bridge.
fn in_force() -> String {
    let said = Command::new("nft").args(["list", "chain", "inet", "lxd", "acl.unwindbr2"]).output();
    String::from_utf8(said.expect("nft is installed").stdout).expect("text")
}

fn keys(lists: &str) -> BTreeMap<String, String> {
    let keys = [
        ("ipv4.address", "10.84.0.1/24"),
        ("ipv4.dhcp", "false"),
        ("dns.mode", "none"),
        ("ipv6.address", "none"),
        ("security.acls", lists),
    ];
    keys.into_iter().map(|(key, value)| (key.to_string(), value.to_string())).collect()
}

#[test]
fn changes_of_access_lists_unwind() {
    in_world("acls", "dir", |world| {
        let app = &world.app;
        let scope = app.project("default").expect("the project");
        acls::create(app, "default", "web", &NetworkACLPut::default()).expect("a list");
        let post = NetworksPost { name: "unwindbr2".into(), config: keys("web"), ..NetworksPost::default() };
        every_step_unwinds(
            || create::create(app, &scope, &post),
            |step| {
                assert!(row(app, "default", "unwindbr2").is_err(), "after step {step}");
                assert_eq!(in_force(), "", "after step {step}");
            },
        );
        let (listed, rules) = (|| acls::list(app, "default").expect("the database answers"), in_force());
        assert!(rules.contains("reject"), "{rules}");
        let rule = NetworkACLRule {
            action: "allow".into(),
            state: "enabled".into(),
            protocol: "tcp".into(),
            ..NetworkACLRule::default()
        };
        let put = NetworkACLPut { egress: vec![rule], ..NetworkACLPut::default() };
        let before = listed();
        every_step_unwinds(
            || acls::update(app, "default", "web", &put),
            |step| {
                assert_eq!(listed(), before, "after step {step}");
                assert_eq!(in_force(), rules, "after step {step}");
            },
        );
        let rules = in_force();
        assert!(rules.contains("tcp accept"), "{rules}");
        let put = NetworkPut { config: keys(""), ..NetworkPut::default() };
        // A network goes back by steps of its own, so that a failed change has more of them than one that works.
        for step in 0.. {
            fail_step(Some(step));
            let changed = change::update(app, "default", "unwindbr2", &put, false);
            fail_step(None);
            if changed.is_ok() {
                break;
            }
            let config = row(app, "default", "unwindbr2").expect("it is there").config;
            assert_eq!(config.get("security.acls").map(String::as_str), Some("web"), "after step {step}");
            assert_eq!(in_force(), rules, "after step {step}");
        }
        assert_eq!(in_force(), "");
        change::delete(app, "default", "unwindbr2").expect("it can go");
        acls::delete(app, "default", "web").expect("it can go");
    });
}
