//! Forwards of a network's addresses: made, changed and removed, with each step failing once.

use std::collections::BTreeMap;

use corten_api::network::NetworksPost;
use corten_api::network_forward::{NetworkForwardPut, NetworkForwardsPost};
use corten_host::undo::every_step_unwinds;

use super::world::in_world;
use crate::app::networks::forwards;

#[test]
fn changes_of_forwards_unwind() {
    in_world("forwards", "dir", |world| {
        let keys =
            [("ipv4.address", "10.78.0.1/24"), ("ipv4.dhcp", "false"), ("dns.mode", "none"), ("ipv6.address", "none")];
        let config = keys.into_iter().map(|(key, value)| (key.to_string(), value.to_string())).collect();
        let post = NetworksPost { name: "unwindbr1".into(), config, ..NetworksPost::default() };
        let scope = world.app.project("default").expect("the project");
        crate::app::networks::create::create(&world.app, &scope, &post).expect("a bridge");
        let network = crate::app::networks::row(&world.app, "default", "unwindbr1").expect("it is there");
        let listed = || forwards::list(&world.app, &network).expect("the database answers");
        let target = |address: &str| BTreeMap::from([("target_address".to_string(), address.to_string())]);
        let post = NetworkForwardsPost {
            listen_address: "192.0.2.1".into(),
            config: target("10.78.0.2"),
            ..NetworkForwardsPost::default()
        };
        every_step_unwinds(
            || forwards::create(&world.app, &network, &post),
            |step| assert_eq!(listed(), [], "after step {step}"),
        );
        let before = listed();
        let put = NetworkForwardPut { config: target("10.78.0.3"), ..NetworkForwardPut::default() };
        every_step_unwinds(
            || forwards::update(&world.app, &network, "192.0.2.1", &put),
            |step| assert_eq!(listed(), before, "after step {step}"),
        );
        let before = listed();
        every_step_unwinds(
            || forwards::delete(&world.app, &network, "192.0.2.1"),
            |step| assert_eq!(listed(), before, "after step {step}"),
        );
        crate::app::networks::change::delete(&world.app, "default", "unwindbr1").expect("it can go");
    });
}
