//! Images: taken in from files and servers, whole or not at all, and given back as they came.
#![forbid(unsafe_code)]

use std::io::Write;
use std::os::unix::net::UnixStream;

use serde_json::json;
use stories::{Daemon, Host, ImageServer, image, story};

/// What packs the busybox tree in every format that LXD reads: the file's ending and the command.
const FORMATS: [(&str, &str); 7] = [
    ("tar", "cat"),
    ("tar.gz", "gzip -n"),
    ("tar.xz", "xz -0"),
    ("tar.zst", "zstd -q"),
    ("tar.bz2", "bzip2"),
    ("tar.lzma", "xz -0 --format=lzma"),
    ("squashfs", ""),
];

/// Makes `image.ENDING` in every format, `meta.tar.xz`, `root.tar.gz` and `root.squashfs` in the story's folder.
fn pack(host: &Host) {
    image::busybox_tree(&host.folder().join("tree"));
    host.sh("tar -C tree --numeric-owner -cf image metadata.yaml rootfs");
    for (ending, command) in FORMATS {
        match command {
            "" => host.sh("mksquashfs tree image.squashfs -quiet -no-progress"),
            command => host.sh(&format!("{command} < image > image.{ending}")),
        };
    }
    host.sh("tar -C tree -cJf meta.tar.xz metadata.yaml; tar -C tree/rootfs --numeric-owner -czf root.tar.gz .");
    host.sh("mksquashfs tree/rootfs root.squashfs -quiet -no-progress");
}

fn sum(host: &Host, files: &str) -> String {
    host.sh(&format!("cat {files} | sha256sum")).split_whitespace().next().expect("a hash").to_string()
}

/// Names in the daemon's directory of images.
fn stored(daemon: &Daemon) -> Vec<String> {
    let entries = std::fs::read_dir(daemon.dir.join("images")).expect("the daemon has it");
    let mut names: Vec<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

#[test]
fn every_format_is_imported_under_its_hash() {
    story(|host| {
        pack(host);
        let daemon = host.daemon();
        for (ending, _) in FORMATS {
            let file = format!("image.{ending}");
            let out = daemon.lxc(["image", "import", &file, "--alias", ending]).ok().to_string();
            let fingerprint = sum(host, &file);
            assert!(out.contains(&format!("Image imported with fingerprint: {fingerprint}")), "{out}");
            let image = daemon.get(&format!("/1.0/images/{fingerprint}"));
            assert_eq!(image["properties"]["os"], "Busybox");
            assert_eq!((&image["type"], &image["architecture"]), (&json!("container"), &json!("x86_64")));
            assert_eq!(image["created_at"], "2023-11-14T22:13:20Z");
            assert_eq!(image["aliases"], json!([{"name": ending, "description": ""}]));
            assert_eq!(image["profiles"], json!(["default"]));
        }
        for root in ["root.tar.gz", "root.squashfs"] {
            daemon.lxc(["image", "import", "meta.tar.xz", root, "--alias", root, "user.key=value"]).ok();
            let image = daemon.get(&format!("/1.0/images/{}", sum(host, &format!("meta.tar.xz {root}"))));
            assert_eq!(image["properties"]["user.key"], "value");
            assert_eq!(image["filename"], root);
        }
        host.sh("mkdir tree/templates");
        daemon.lxc(["image", "import", "tree", "--alias", "directory"]).ok();
        let again = daemon.lxc(["image", "import", "image.tar"]);
        assert!(again.refused().contains("Image with same fingerprint already exists"), "{}", again.err);
    });
}

#[test]
fn containers_are_made_from_every_kind_of_image() {
    story(|host| {
        pack(host);
        let daemon = host.daemon();
        daemon.with_pool("overlay");
        daemon.lxc(["storage", "create", "plain", "dir"]).ok();
        daemon.lxc(["image", "import", "image.tar.zst", "--alias", "unified"]).ok();
        daemon.lxc(["image", "import", "image.squashfs", "--alias", "unified-squashfs"]).ok();
        daemon.lxc(["image", "import", "meta.tar.xz", "root.squashfs", "--alias", "split-squashfs"]).ok();
        daemon.lxc(["image", "import", "meta.tar.xz", "root.tar.gz", "--alias", "split"]).ok();
        for alias in ["unified", "unified-squashfs", "split-squashfs", "split"] {
            for pool in ["default", "plain"] {
                let name = format!("{alias}-{pool}");
                daemon.lxc(["init", alias, &name, "-s", pool]).ok();
                let config = daemon.get(&format!("/1.0/instances/{name}"))["config"].clone();
                assert_eq!(config["image.os"], "Busybox", "{name}");
            }
        }
        let refused = daemon.lxc(["storage", "delete", "plain"]);
        assert!(refused.refused().contains("The storage pool is currently in use"), "{}", refused.err);
    });
}

#[test]
fn files_come_back_as_they_went_in() {
    story(|host| {
        pack(host);
        let daemon = host.daemon();
        daemon.lxc(["image", "import", "image.tar.gz", "--alias", "unified"]).ok();
        daemon.lxc(["image", "import", "meta.tar.xz", "root.squashfs", "--alias", "split"]).ok();
        host.sh("mkdir out");
        daemon.lxc(["image", "export", "unified", "out/"]).ok();
        daemon.lxc(["image", "export", "split", "out/"]).ok();
        let (unified, split) = (sum(host, "image.tar.gz"), sum(host, "meta.tar.xz root.squashfs"));
        host.sh(&format!("cmp image.tar.gz out/{unified}.tar.gz"));
        host.sh(&format!("cmp meta.tar.xz out/meta-{split}.tar.xz; cmp root.squashfs out/{split}.squashfs"));
    });
}

#[test]
fn what_is_no_image_is_refused_and_leaves_nothing() {
    story(|host| {
        pack(host);
        let daemon = host.daemon();
        let cases = [
            ("head -c 20000 /dev/zero > bad", "Unsupported compression"),
            ("tar -C tree -cf bad rootfs", "Metadata tarball is missing metadata.yaml"),
            ("head -c 300 image.tar.gz > bad", "Archive is damaged"),
            ("head -c 300 meta.tar.xz | head -c 200 > bad", "Archive is damaged"),
            (
                "mkdir other; sed s/x86_64/pdp11/ tree/metadata.yaml > other/metadata.yaml; tar -C other -cf bad metadata.yaml",
                "Architecture isn't supported: pdp11",
            ),
            ("echo 'architecture: x86_64' > other/metadata.yaml; tar -C other -cf bad .", "Missing creation date"),
            ("printf 'a: [' > other/metadata.yaml; tar -C other -cf bad .", "Invalid metadata.yaml"),
            (
                "rm other/*; ln -s /etc/passwd other/metadata.yaml; tar -C other -cf bad .",
                "metadata.yaml is not a regular file",
            ),
            ("rm -f bad; mksquashfs other bad -quiet -no-progress", "metadata.yaml is no regular file"),
            (
                "tar -P -C tree --transform 's,^rootfs,../rootfs,' -cf bad rootfs metadata.yaml",
                "leads out of the image",
            ),
            ("tar -C tree -cf bad metadata.yaml", "Invalid instance type"),
            (
                "rm other/*; head -c 2000000 /dev/zero > other/metadata.yaml; tar -C other -czf bad .",
                "metadata.yaml is larger than",
            ),
        ];
        for (make, words) in cases {
            host.sh(make);
            let refused = daemon.lxc(["image", "import", "bad"]);
            // The original says it in its own words, which are not all worth keeping.
            assert!(refused.refused().contains(words), "{make}: {} is not {words}", refused.err);
            assert_eq!(stored(&daemon), Vec::<String>::new(), "{make}");
        }
        assert_eq!(daemon.get("/1.0/images"), json!([]));
        // A leading slash leads nowhere but to the image's root.
        host.sh("tar -P -C tree --transform 's,^rootfs,/rootfs,' -cf absolute rootfs metadata.yaml");
        daemon.lxc(["image", "import", "absolute", "--alias", "absolute"]).ok();
        daemon.with_pool("dir");
        daemon.lxc(["init", "absolute", "c1"]).ok();
        host.sh("test -f one/storage-pools/default/containers/c1/rootfs/etc/inittab; test ! -e /rootfs");
    });
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing() {
    story(|host| {
        let mut daemon = host.daemon();
        for kind in ["application/octet-stream", "multipart/form-data; boundary=x"] {
            let mut stream = UnixStream::connect(daemon.dir.join("unix.socket")).expect("the daemon listens");
            let head = format!(
                "POST /1.0/images HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: 9000000\r\n\r\n"
            );
            stream.write_all(head.as_bytes()).expect("it reads");
            stream.write_all(&vec![b'x'; 3_000_000]).expect("it reads");
            drop(stream);
        }
        // What is not taken care of at once is at the next start.
        daemon.kill();
        std::fs::write(daemon.dir.join("images").join("0".repeat(64)), "leftover").expect("it is ours");
        daemon.begin();
        assert_eq!(stored(&daemon), Vec::<String>::new());
    });
}

#[test]
fn aliases_and_properties_are_changed_and_images_deleted() {
    story(|host| {
        let daemon = host.daemon();
        daemon.import_busybox("one");
        let fingerprint = daemon.get("/1.0/images/aliases/one")["target"].as_str().expect("text").to_string();
        let alias = json!({"name": "a/b", "target": fingerprint[..12], "description": "words"}).to_string();
        daemon.lxc(["query", "-X", "POST", "-d", &alias, "/1.0/images/aliases"]).ok();
        assert_eq!(daemon.get("/1.0/images/aliases/a%2Fb")["description"], "words");
        let taken = daemon.lxc(["image", "alias", "create", "a/b", &fingerprint]);
        assert!(taken.refused().contains("Alias \"a/b\" already exists") || taken.err.contains("already exists"));
        daemon.lxc(["image", "alias", "rename", "a/b", "two"]).ok();
        let listed = daemon.get("/1.0/images/aliases");
        assert_eq!(listed, json!(["/1.0/images/aliases/one", "/1.0/images/aliases/two"]));
        daemon.lxc(["image", "set-property", "two", "color", "red"]).ok();
        assert_eq!(daemon.lxc(["image", "get-property", "one", "color"]).ok(), "red\n");
        daemon.lxc(["image", "unset-property", "one", "color"]).ok();
        daemon.lxc(["image", "alias", "delete", "two"]).ok();
        let edited = "auto_update: false\nproperties:\n  os: Other\npublic: true\nprofiles: []\n";
        daemon.lxc_with(["image", "edit", "one"], edited.as_bytes()).ok();
        let image = daemon.get(&format!("/1.0/images/{fingerprint}"));
        assert_eq!((&image["public"], &image["properties"]), (&json!(true), &json!({"os": "Other"})));
        daemon.lxc(["image", "delete", "one"]).ok();
        assert!(daemon.lxc(["image", "info", &fingerprint]).refused().contains("Image not found"));
        assert_eq!(stored(&daemon), Vec::<String>::new());
        assert_eq!(daemon.get("/1.0/images/aliases"), json!([]));
    });
}

#[test]
fn images_come_from_a_simplestreams_server() {
    story(|host| {
        let server = ImageServer::start(host.folder());
        let published = server.publish("20231114_2213", "first");
        let daemon = host.daemon_trusting(&server);
        daemon.lxc(["remote", "add", "small", server.url(), "--protocol=simplestreams"]).ok();
        daemon.lxc(["image", "copy", "small:busybox", "local:", "--alias", "copied", "--auto-update"]).ok();
        let image = daemon.get(&format!("/1.0/images/{}", published.fingerprint));
        assert_eq!((&image["cached"], &image["auto_update"]), (&json!(false), &json!(true)));
        assert_eq!(image["update_source"]["server"], server.url());
        assert_eq!(image["update_source"]["alias"], "busybox");
        assert_eq!(image["properties"]["os"], "Busybox");
        let newer = server.publish("20240101_0000", "second");
        daemon.lxc(["image", "refresh", "copied"]).ok();
        assert_eq!(daemon.get("/1.0/images/aliases/copied")["target"], newer.fingerprint.as_str());
        let names = [newer.fingerprint.clone(), format!("{}.rootfs", newer.fingerprint)];
        assert_eq!(stored(&daemon), names);
    });
}

#[test]
fn a_container_is_made_straight_from_a_server() {
    story(|host| {
        let server = ImageServer::start(host.folder());
        let published = server.publish("20231114_2213", "first");
        let daemon = host.daemon_trusting(&server);
        daemon.with_pool("dir");
        daemon.lxc(["remote", "add", "small", server.url(), "--protocol=simplestreams"]).ok();
        daemon.lxc(["init", "small:busybox", "c1"]).ok();
        let config = daemon.get("/1.0/instances/c1")["config"].clone();
        assert_eq!(config["volatile.base_image"], published.fingerprint.as_str());
        let image = daemon.get(&format!("/1.0/images/{}", published.fingerprint));
        assert_eq!((&image["cached"], &image["auto_update"]), (&json!(true), &json!(true)));
        // The server is not needed for the second one, beyond its list.
        server.cut(&published.root);
        daemon.lxc(["init", "small:busybox", "c2"]).ok();
    });
}

#[test]
fn a_download_that_is_not_what_was_announced_leaves_nothing() {
    story(|host| {
        let server = ImageServer::start(host.folder());
        let daemon = host.daemon_trusting(&server);
        daemon.with_pool("dir");
        let first = server.publish("20231114_2213", "first");
        daemon.lxc(["remote", "add", "small", server.url(), "--protocol=simplestreams"]).ok();
        for what in ["cut", "corrupt"] {
            for path in [&first.metadata, &first.root] {
                server.publish("20231114_2213", "first");
                if what == "cut" {
                    server.cut(path)
                } else {
                    server.corrupt(path)
                }
                let copied = daemon.lxc(["image", "copy", "small:busybox", "local:"]);
                assert_ne!(copied.status, 0, "{what} {path}: {}", copied.out);
                let made = daemon.lxc(["init", "small:busybox", "c1"]);
                assert_ne!(made.status, 0, "{what} {path}: {}", made.out);
                assert_eq!(stored(&daemon), Vec::<String>::new(), "{what} {path}");
                assert_eq!(daemon.get("/1.0/images"), json!([]), "{what} {path}");
                assert_eq!(daemon.get("/1.0/instances"), json!([]), "{what} {path}");
            }
        }
    });
}

#[test]
fn an_image_that_is_not_public_goes_from_server_to_server() {
    story(|host| {
        let (one, two) = (host.daemon(), host.another_daemon("two"));
        one.import_busybox("busybox");
        one.lxc(["config", "set", "core.https_address", "127.0.0.1:8443"]).ok();
        one.lxc(["config", "set", "core.trust_password", "secret"]).ok();
        two.lxc(["remote", "add", "one", "127.0.0.1:8443", "--accept-certificate", "--password", "secret"]).ok();
        two.lxc(["image", "copy", "one:busybox", "local:", "--alias", "copied"]).ok();
        assert_eq!(stored(&two), stored(&one));
        let image = two.get(&format!("/1.0/images/{}", stored(&one)[0]));
        assert_eq!((&image["public"], &image["properties"]["os"]), (&json!(false), &json!("Busybox")));
    });
}

#[test]
fn images_go_in_push_and_relay_mode_and_public_ones_to_anyone() {
    story(|host| {
        let (one, two) = (host.daemon(), host.another_daemon("two"));
        one.import_busybox("busybox");
        one.lxc(["image", "set-property", "busybox", "user.kind", "small"]).ok();
        for (daemon, address) in [(&one, "127.0.0.1:8443"), (&two, "127.0.0.1:8444")] {
            daemon.lxc(["config", "set", "core.https_address", address]).ok();
            daemon.lxc(["config", "set", "core.trust_password", "secret"]).ok();
        }
        one.lxc(["remote", "add", "two", "127.0.0.1:8444", "--accept-certificate", "--password", "secret"]).ok();
        for mode in ["push", "relay"] {
            one.lxc(["image", "copy", "local:busybox", "two:", "--alias", mode, "--mode", mode]).ok();
            assert_eq!(stored(&two), stored(&one), "{mode}");
            let image = two.get(&format!("/1.0/images/{}", stored(&one)[0]));
            assert_eq!((&image["public"], &image["properties"]["os"]), (&json!(false), &json!("Busybox")), "{mode}");
            assert_eq!(two.get(&format!("/1.0/images/aliases/{mode}"))["target"], stored(&one)[0].as_str());
            two.lxc(["image", "delete", mode]).ok();
            assert_eq!(stored(&two), Vec::<String>::new(), "{mode}");
        }
        // A secret that nobody gave out is worth nothing.
        let body = r#"{"target": "https://127.0.0.1:8444", "secret": "guessed"}"#;
        let path = format!("/1.0/images/{}/export", stored(&one)[0]);
        let guessed = one.lxc(["query", "-X", "POST", "--wait", "-d", body, &path]);
        guessed.refused();
        assert_eq!(stored(&two), Vec::<String>::new());
        // Who is not known sees what is public, and nothing else.
        two.lxc(["remote", "add", "shop", "127.0.0.1:8443", "--accept-certificate", "--public"]).ok();
        assert_eq!(two.lxc(["image", "list", "shop:", "-f", "csv"]).ok(), "");
        two.lxc(["image", "copy", "shop:busybox", "local:"]).refused();
        one.lxc_with(["image", "edit", "busybox"], b"public: true\nproperties: {os: Busybox}\n").ok();
        two.lxc(["image", "copy", "shop:busybox", "local:", "--alias", "bought"]).ok();
        assert_eq!(stored(&two), stored(&one));
    });
}
