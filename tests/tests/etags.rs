//! Who changes what somebody else has changed meanwhile is told so: of everything that can be edited.
#![forbid(unsafe_code)]

use serde_json::json;
use stories::https::certificate;
use stories::{Daemon, Host, story};

/// Everything that can be edited, and what another one changes of it meanwhile: a field and its new value.
const THINGS: &[(&str, &str, &str)] = &[
    ("/1.0", "config", r#"{"user.other":"1"}"#),
    ("/1.0/storage-pools/default", "config", r#"{"user.other":"1"}"#),
    ("/1.0/storage-pools/default/volumes/custom/v", "config", r#"{"user.other":"1"}"#),
    ("/1.0/storage-pools/default/volumes/custom/v/snapshots/s", "description", r#""other""#),
    ("/1.0/networks/nb", "config", r#"{"user.other":"1"}"#),
    ("/1.0/networks/nb/forwards/10.99.0.5", "description", r#""other""#),
    ("/1.0/network-acls/acl", "config", r#"{"user.other":"1"}"#),
    ("/1.0/profiles/p", "config", r#"{"user.other":"1"}"#),
    ("/1.0/projects/other", "config", r#"{"user.other":"1"}"#),
    ("/1.0/certificates/CERTIFICATE", "name", r#""other""#),
    ("/1.0/images/IMAGE", "properties", r#"{"other":"1"}"#),
    ("/1.0/images/aliases/busybox", "description", r#""other""#),
    ("/1.0/instances/c1", "config", r#"{"user.other":"1"}"#),
    ("/1.0/instances/c1/snapshots/s0", "expires_at", r#""2100-01-01T00:00:00Z""#),
    ("/1.0/instances/c1/metadata", "properties", r#"{"other":"1"}"#),
];

/// A daemon with one of each.
fn with_everything(host: &Host) -> Daemon {
    let daemon = host.daemon();
    daemon.with_pool("dir");
    daemon.import_busybox("busybox");
    daemon.lxc(["init", "busybox", "c1"]).ok();
    daemon.lxc(["snapshot", "c1", "s0"]).ok();
    daemon.lxc(["storage", "volume", "create", "default", "v"]).ok();
    daemon.lxc(["storage", "volume", "snapshot", "default", "v", "s"]).ok();
    daemon.lxc(["network", "create", "nb", "ipv4.address=10.77.0.1/24", "ipv6.address=none", "ipv4.nat=false"]).ok();
    daemon.lxc(["network", "forward", "create", "nb", "10.99.0.5"]).ok();
    daemon.lxc(["network", "acl", "create", "acl"]).ok();
    daemon.lxc(["profile", "create", "p"]).ok();
    daemon.lxc(["project", "create", "other"]).ok();
    certificate(host, "friend");
    daemon.lxc(["config", "trust", "add", "friend.crt"]).ok();
    daemon
}

#[test]
fn nothing_is_overwritten_unseen() {
    story(|host| {
        let daemon = with_everything(host);
        let image = daemon.get("/1.0/images?recursion=1")[0]["fingerprint"].as_str().expect("text").to_string();
        let friend = daemon.get("/1.0/certificates?recursion=1")[0]["fingerprint"].as_str().expect("text").to_string();
        for (path, field, other) in THINGS {
            let path = &path.replace("IMAGE", &image).replace("CERTIFICATE", &friend);
            let shown = daemon.ask("GET", path, "");
            assert!(shown.etag.len() > 60, "{path} has no ETag: {:?}", shown.etag);
            let body = shown.body["metadata"].to_string();
            // Whoever has seen it may change it, also a second time when nothing was changed.
            for method in ["PUT", "PATCH"] {
                let fresh = daemon.ask_if(method, path, &shown.etag, &body);
                assert!(fresh.code == 200 || fresh.code == 202, "{method} {path}: {fresh:?}");
                settle(&daemon, &fresh.body);
            }
            // Another one changes it.
            let mut changed = daemon.ask("GET", path, "").body["metadata"].clone();
            let value: serde_json::Value = serde_json::from_str(other).expect("JSON");
            match (changed[field].as_object_mut(), value.as_object()) {
                (Some(old), Some(new)) => old.extend(new.clone()),
                _ => changed[field] = value,
            }
            let meanwhile = daemon.ask("PUT", path, &changed.to_string());
            assert!(meanwhile.code == 200 || meanwhile.code == 202, "{path}: {meanwhile:?}");
            settle(&daemon, &meanwhile.body);
            let now = daemon.ask("GET", path, "");
            assert_ne!(now.etag, shown.etag, "{path}");
            for method in ["PUT", "PATCH"] {
                let stale = daemon.ask_if(method, path, &shown.etag, &body);
                assert_eq!(stale.code, 412, "{method} {path}: {stale:?}");
                let words = format!("ETag doesn't match: {} vs {}", now.etag, shown.etag).replace('"', "");
                assert_eq!(stale.error(), words, "{method} {path}");
            }
            assert_eq!(daemon.ask("GET", path, "").body["metadata"], now.body["metadata"], "{path}");
        }
    });
}

/// Waits for the operation that a change has begun.
fn settle(daemon: &Daemon, answer: &serde_json::Value) {
    if let Some(operation) = answer["operation"].as_str().filter(|path| !path.is_empty()) {
        let ended = daemon.ask("GET", &format!("{operation}/wait"), "");
        assert_eq!(ended.body["metadata"]["status_code"], json!(200), "{ended:?}");
    }
}
