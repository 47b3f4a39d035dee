//! Tokens and secrets: each lets one stranger in, once, and not for ever.
#![forbid(unsafe_code)]

use std::time::{Duration, Instant};

use corten_api::time::Time;
use serde_json::{Value, json};
use stories::https::{certificate, over_https};
use stories::{Daemon, Host, story};

/// A daemon that strangers can reach.
fn reachable(host: &Host) -> Daemon {
    let daemon = host.daemon();
    daemon.lxc(["config", "set", "core.https_address", "127.0.0.1:8443"]).ok();
    daemon
}

/// A token for a client called `friend`.
fn token(daemon: &Daemon) -> String {
    let added = daemon.lxc(["config", "trust", "add", "--name", "friend", "-q"]);
    added.ok().lines().last().expect("a token").trim().to_string()
}

/// Asks to be trusted with this token.
fn redeem(host: &Host, name: &str, token: &str) -> (u16, Value) {
    let body = json!({"type": "client", "password": token}).to_string();
    over_https(host, name, &format!("-X POST -d '{body}'"), "/1.0/certificates")
}

fn trusted(daemon: &Daemon) -> usize {
    daemon.get("/1.0/certificates").as_array().map_or(0, Vec::len)
}

/// Asks again until it is so: what goes by itself tells nobody outside.
fn until(what: &str, is_so: impl Fn() -> bool) {
    let begun = Instant::now();
    while !is_so() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what} took too long");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn tokens_count_once() {
    story(|host| {
        let daemon = reachable(host);
        for name in ["one", "other", "late"] {
            certificate(host, name);
        }
        let first = token(&daemon);
        let (code, answer) = redeem(host, "one", &first);
        assert_eq!(code, 201, "{answer}");
        let (code, answer) = redeem(host, "other", &first);
        assert_eq!((code, &answer["error"]), (403, &json!("No matching certificate add operation found")));
        assert_eq!(over_https(host, "other", "", "/1.0/instances").0, 403);
        assert_eq!(over_https(host, "one", "", "/1.0/instances").0, 200);
        // One that is cut off.
        let broken = format!("{}A", &token(&daemon)[..20]);
        assert_eq!(redeem(host, "late", &broken).0, 403);
        assert_eq!(over_https(host, "late", "", "/1.0/instances").0, 403);
        assert_eq!(trusted(&daemon), 1);
    });
}

#[test]
fn tokens_live_as_long_as_is_configured() {
    story(|host| {
        let daemon = reachable(host);
        let expiry = |value: &str| daemon.lxc(["config", "set", "core.remote_token_expiry", value]);
        for wrong in ["soon", "1", "1x", "1h", "1.5d", "1d 2d", "1d,2H"] {
            let said = expiry(wrong);
            assert!(said.refused().contains("Invalid expiry expression"), "{wrong}: {}", said.refused());
        }
        for name in ["early", "late"] {
            certificate(host, name);
        }
        // All of LXD's units.
        expiry("30S 1M 2H 3d 4w 5m 6y").ok();
        let (code, answer) = redeem(host, "early", &token(&daemon));
        assert_eq!(code, 201, "{answer}");
        expiry("1S").ok();
        let short = token(&daemon);
        let listed = daemon.get("/1.0/operations?recursion=1");
        let operations = listed["running"].as_array().expect("the token's operation");
        let ends = operations.iter().find_map(|operation| operation["metadata"].get("expiresAt")).expect("a moment");
        let ends: Time = serde_json::from_value(ends.clone()).expect("a time");
        until("a second", || Time::now() > ends);
        let (code, answer) = redeem(host, "late", &short);
        let words = "Failed during search for certificate add token operation: Token has expired";
        assert_eq!((code, &answer["error"]), (500, &json!(words)));
        // It was tried, and is gone.
        let (code, answer) = redeem(host, "late", &short);
        assert_eq!((code, &answer["error"]), (403, &json!("No matching certificate add operation found")));
        assert_eq!(over_https(host, "late", "", "/1.0/instances").0, 403);
        assert_eq!(trusted(&daemon), 1);
        // Without the key they wait as long as it takes.
        expiry("").ok();
        let patient = token(&daemon);
        assert!(!daemon.get("/1.0/operations?recursion=1")["running"].to_string().contains("expiresAt"));
        let (code, answer) = redeem(host, "late", &patient);
        assert_eq!(code, 201, "{answer}");
    });
}

#[test]
fn a_secret_shows_one_image_once() {
    story(|host| {
        let daemon = reachable(host);
        daemon.with_pool("dir");
        daemon.import_busybox("busybox");
        certificate(host, "stranger");
        let print = daemon.get("/1.0/images?recursion=1")[0]["fingerprint"].as_str().expect("text").to_string();
        let made = daemon.lxc(["query", "-X", "POST", &format!("/1.0/images/{print}/secret")]);
        let made: Value = serde_json::from_str(made.ok()).expect("an operation");
        let secret = made["metadata"]["secret"].as_str().expect("a secret").to_string();
        let ask = |secret: &str| over_https(host, "stranger", "", &format!("/1.0/images/{print}?secret={secret}")).0;
        assert_eq!(ask(""), 404);
        assert_eq!(ask("wrong"), 404);
        assert_eq!(ask(&secret), 200);
        until("the end of the secret", || ask(&secret) == 404);
        assert_eq!(over_https(host, "stranger", "", "/1.0/images").1["metadata"], json!([]));
    });
}
