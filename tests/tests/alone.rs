//! What the paths about clusters answer on a server that is part of none: what LXD's do.
#![forbid(unsafe_code)]

use serde_json::json;
use stories::story;

const NOT_CLUSTERED: &str = "This server is not clustered";
const NO_MEMBERS: &str = "Server is not clustered";
const NO_CERTIFICATE: &str = "Certificate must be base64 encoded PEM certificate: %!w(<nil>)";
const NO_KEY: &str = "Private key must be base64 encoded PEM key: %!w(<nil>)";
const A_CERTIFICATE: &str = r#"{"cluster_certificate":"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n","cluster_certificate_key":"x"}"#;

/// Verb, path, body, code and words.
const ANSWERS: &[(&str, &str, &str, u16, &str)] = &[
    ("PUT", "/1.0/cluster", r#"{"enabled":true}"#, 400, "ServerName is required when enabling clustering"),
    ("PATCH", "/1.0/cluster", "{}", 501, "not implemented"),
    ("POST", "/1.0/cluster", "{}", 501, "not implemented"),
    ("DELETE", "/1.0/cluster", "", 501, "not implemented"),
    ("GET", "/1.0/cluster/certificate", "", 501, "not implemented"),
    ("PUT", "/1.0/cluster/certificate", "{}", 400, NO_CERTIFICATE),
    ("PUT", "/1.0/cluster/certificate", A_CERTIFICATE, 400, NO_KEY),
    ("POST", "/1.0/cluster/certificate", "{}", 501, "not implemented"),
    ("GET", "/1.0/cluster/members", "", 500, NO_MEMBERS),
    ("GET", "/1.0/cluster/members?recursion=1", "", 500, NO_MEMBERS),
    ("POST", "/1.0/cluster/members", r#"{"server_name":"x"}"#, 400, NOT_CLUSTERED),
    ("GET", "/1.0/cluster/members/x", "", 500, NO_MEMBERS),
    ("PUT", "/1.0/cluster/members/x", "{}", 500, NO_MEMBERS),
    ("PATCH", "/1.0/cluster/members/x", "{}", 500, NO_MEMBERS),
    ("POST", "/1.0/cluster/members/x", r#"{"server_name":"y"}"#, 500, "expected to update one row, not 0"),
    ("DELETE", "/1.0/cluster/members/x", "", 500, NO_MEMBERS),
    ("GET", "/1.0/cluster/members/x/state", "", 501, "not implemented"),
    ("POST", "/1.0/cluster/members/x/state", r#"{"action":"evacuate"}"#, 404, "Cluster member not found"),
    ("GET", "/1.0/cluster/groups", "", 400, NOT_CLUSTERED),
    ("POST", "/1.0/cluster/groups", r#"{"name":"g"}"#, 400, NOT_CLUSTERED),
    ("GET", "/1.0/cluster/groups/g", "", 400, NOT_CLUSTERED),
    ("PUT", "/1.0/cluster/groups/g", "{}", 400, NOT_CLUSTERED),
    ("PATCH", "/1.0/cluster/groups/g", "{}", 400, NOT_CLUSTERED),
    ("POST", "/1.0/cluster/groups/g", r#"{"name":"h"}"#, 400, NOT_CLUSTERED),
    ("POST", "/1.0/cluster/groups/default", r#"{"name":"h"}"#, 403, "The \"default\" group cannot be renamed"),
    ("DELETE", "/1.0/cluster/groups/g", "", 500, "Query deleted 0 rows instead of 1"),
    ("DELETE", "/1.0/cluster/groups/default", "", 403, "The 'default' cluster group cannot be deleted"),
];

/// What is about one member, and would be done by that one: verb and path.
const ON_MEMBERS: &[(&str, &str)] = &[
    ("GET", "/1.0"),
    ("PATCH", "/1.0"),
    ("GET", "/1.0/resources"),
    ("GET", "/1.0/storage-pools/default"),
    ("PATCH", "/1.0/storage-pools/default"),
    ("GET", "/1.0/storage-pools/default/resources"),
    ("GET", "/1.0/storage-pools/default/volumes"),
    ("POST", "/1.0/storage-pools/default/volumes/custom"),
    ("PUT", "/1.0/storage-pools/default/volumes/custom/v"),
    ("DELETE", "/1.0/storage-pools/default/volumes/custom/v"),
    ("POST", "/1.0/storage-pools/default/volumes/custom/v/snapshots"),
    ("POST", "/1.0/storage-pools/default/volumes/custom/v/backups"),
    ("GET", "/1.0/networks/nb"),
    ("PUT", "/1.0/networks/nb"),
    ("GET", "/1.0/networks/nb/state"),
    ("POST", "/1.0/networks/nb/forwards"),
];

#[test]
fn what_another_member_was_to_do_is_not_done_here() {
    story(|host| {
        let daemon = host.daemon();
        daemon.with_pool("dir");
        daemon.lxc(["storage", "volume", "create", "default", "v"]).ok();
        daemon.lxc(["network", "create", "nb", "ipv4.address=none", "ipv6.address=none"]).ok();
        for (method, path) in ON_MEMBERS {
            let answer = daemon.ask(method, &format!("{path}?target=other"), "");
            assert_eq!((answer.code, answer.error()), (404, "Cluster member not found"), "{method} {path}");
        }
        assert_eq!(daemon.get("/1.0/storage-pools/default/volumes/custom/v")["name"], "v");
        // This one's own name.
        assert_eq!(daemon.get("/1.0/networks/nb?target=none")["name"], "nb");
    });
}

#[test]
fn a_server_of_its_own_says_so() {
    story(|host| {
        let daemon = host.daemon();
        for (method, path, body, code, words) in ANSWERS {
            let answer = daemon.ask(method, path, body);
            assert_eq!((answer.code, answer.error()), (*code, *words), "{method} {path} {body}");
            assert_eq!(answer.body["error_code"], json!(code), "{method} {path} {body}");
        }
        assert_eq!(daemon.ask("HEAD", "/", "").code, 200);
        let none = json!({"server_name": "", "enabled": false, "member_config": []});
        assert_eq!(daemon.get("/1.0/cluster"), none);
        // What one that joins would have to be told of.
        daemon.with_pool("dir");
        let description = "\"source\" property for storage pool \"default\"";
        let source = json!({"entity": "storage-pool", "name": "default", "key": "source", "value": "", "description": description});
        assert_eq!(daemon.get("/1.0/cluster")["member_config"], json!([source]));
    });
}
