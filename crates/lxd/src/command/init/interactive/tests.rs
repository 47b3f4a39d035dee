//! Dialogues as scripts hold them: the whole of what is printed, and what comes out.

use super::*;

/// A host and daemon made up for a test.
struct Made {
    drivers: Vec<String>,
    backing: &'static str,
    pools: Vec<&'static str>,
}

impl Facts for Made {
    fn drivers(&self) -> Vec<String> {
        self.drivers.clone()
    }
    fn backing(&self) -> &'static str {
        self.backing
    }
    fn var(&self) -> String {
        "/var/lib/lxd/".to_string()
    }
    fn gigabytes(&self) -> u64 {
        100
    }
    fn has_pool(&mut self, name: &str) -> bool {
        self.pools.contains(&name)
    }
    fn has_network(&mut self, _: &str) -> bool {
        false
    }
    fn has_interface(&self, name: &str) -> bool {
        name == "virbr0"
    }
    fn is_bridge(&self, name: &str) -> bool {
        name == "virbr0"
    }
    fn is_block_device(&self, path: &str) -> bool {
        path == "/dev/sdx"
    }
    fn cannot_bind(&self, address: &str) -> Option<String> {
        address.ends_with(":80").then(|| "taken".to_string())
    }
    fn lacks_ids(&self) -> bool {
        false
    }
}

fn made(drivers: &[&str]) -> Made {
    Made { drivers: drivers.iter().map(|name| (*name).to_string()).collect(), backing: "dir", pools: vec!["old"] }
}

fn talk(facts: &mut Made, input: &str) -> (Result<InitPreseed>, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let outcome = run(&mut Asker::new(input.as_bytes(), &mut out, &mut err), facts);
    (outcome, String::from_utf8(out).expect("text"), String::from_utf8(err).expect("text"))
}

#[test]
fn returns_alone_take_every_default() {
    let (outcome, out, err) = talk(&mut made(&["dir", "overlay"]), &"\n".repeat(12));
    let wanted = "Would you like to use LXD clustering? (yes/no) [default=no]: \
        Do you want to configure a new storage pool? (yes/no) [default=yes]: \
        Name of the new storage pool [default=default]: \
        Name of the storage backend to use (dir, overlay) [default=overlay]: \
        Would you like to connect to a MAAS server? (yes/no) [default=no]: \
        Would you like to create a new local network bridge? (yes/no) [default=yes]: \
        What should the new bridge be called? [default=lxdbr0]: \
        What IPv4 address should be used? (CIDR subnet notation, “auto” or “none”) [default=auto]: \
        What IPv6 address should be used? (CIDR subnet notation, “auto” or “none”) [default=auto]: \
        Would you like the LXD server to be available over the network? (yes/no) [default=no]: \
        Would you like stale cached images to be updated automatically? (yes/no) [default=yes]: \
        Would you like a YAML \"lxd init\" preseed to be printed? (yes/no) [default=no]: ";
    assert_eq!((out.as_str(), err.as_str()), (wanted, ""));
    let config = outcome.expect("answered");
    assert_eq!(config.storage_pools[0].driver, "overlay");
    assert_eq!(config.profiles[0].devices["eth0"]["network"], "lxdbr0");
    assert_eq!(config.networks[0].config["ipv6.address"], "auto");
}

#[test]
fn the_preseed_is_printed_as_lxd_prints_it() {
    let input = "no\nyes\nold\nnew\ndir\nno\nno\nyes\neth9\nvirbr0\nno\nno\nyes\n";
    let (outcome, out, _) = talk(&mut made(&["dir", "btrfs"]), input);
    outcome.expect("answered");
    assert!(out.contains("The requested storage pool \"old\" already exists. Please choose another name.\n"));
    assert!(out.contains("The requested interface doesn't exist. Please choose another one.\n"));
    let (_, printed) = out.split_once("to be printed? (yes/no) [default=no]: ").expect("asked");
    let wanted = "config:\n  images.auto_update_interval: \"0\"\nnetworks: []\nstorage_pools:\n- config: {}\n  \
        description: \"\"\n  name: new\n  driver: dir\nprofiles:\n- config: {}\n  description: \"\"\n  devices:\n    \
        eth0:\n      name: eth0\n      nictype: bridged\n      parent: virbr0\n      type: nic\n    root:\n      \
        path: /\n      pool: new\n      type: disk\n  name: default\nprojects: []\ncluster: null\n\n";
    assert_eq!(printed, wanted);
}

#[test]
fn a_pool_in_a_file_and_a_server_on_the_network() {
    let input = "yes\n\n\nbtrfs\n\n\n0\n12\nyes\n\n\nnone\nfd42::1/64\nno\nyes\n10.0.0.1\n80\n99999\n8443\npw\npx\npw\npw\n\n\n";
    let (outcome, out, err) = talk(&mut made(&["dir", "btrfs", "overlay"]), input);
    let config = outcome.expect("answered");
    assert!(out.contains("Clustering isn't supported by this server yet") && out.contains("MAAS isn't supported"));
    assert!(out.contains("[default=btrfs]") && out.contains("[default=20GiB]"), "{out}");
    assert_eq!(config.storage_pools[0].config["size"], "12GiB");
    assert_eq!(config.networks[0].config["ipv6.nat"], "false");
    assert_eq!(config.config["core.https_address"], "10.0.0.1:8443");
    assert_eq!(config.config["core.trust_password"], "pw");
    let complaints = "Invalid input: Minimum size is 1GiB\n\nInvalid input: taken\n\nInvalid input: out of range\n\n\
        Invalid input, try again.\n\n";
    assert_eq!(err, complaints);
}

#[test]
fn answers_that_end_early_change_nothing() {
    let (outcome, _, _) = talk(&mut made(&["dir"]), "no\nyes");
    assert_eq!(outcome.expect_err("the end").message, "EOF");
}
