//! A small server's documents, and what LXD makes of them.

use super::*;
use product::Products;

const INDEX: &str = r#"{"index": {
    "images": {"datatype": "image-downloads", "path": "streams/v1/images.json", "products": ["centos:7:amd64"], "format": "products:1.0"},
    "empty": {"datatype": "image-downloads", "path": "streams/v1/none.json", "products": []},
    "ids": {"datatype": "image-ids", "path": "streams/v1/ids.json", "products": ["x"]}}, "format": "index:1.0"}"#;

fn products() -> Products {
    let item = |kind: &str, path: &str, more: &str| {
        format!(r#""{kind}": {{"ftype": "{kind}", "path": "{path}", "sha256": "s-{path}", "size": 10{more}}}"#)
    };
    let version = |tag: &str| {
        let sums = format!(
            r#", "combined_sha256": "{tag}-xz", "combined_squashfs_sha256": "{tag}-sq", "combined_disk-kvm-img_sha256": "{tag}-vm""#
        );
        format!(
            r#"{{"items": {{{}, {}, {}, {}}}}}"#,
            item("lxd.tar.xz", &format!("i/{tag}/lxd.tar.xz"), &sums),
            item("root.tar.xz", &format!("i/{tag}/rootfs.tar.xz"), ""),
            item("squashfs", &format!("i/{tag}/rootfs.squashfs"), ""),
            item("disk-kvm.img", &format!("i/{tag}/disk.qcow2"), ""),
        )
    };
    let product = |architecture: &str, old: &str, new: &str| {
        format!(
            r#"{{"aliases": "centos/7,centos/7/default", "arch": "{architecture}", "os": "Centos", "release": "7",
            "release_title": "7", "variant": "default", "lxd_requirements": {{"secureboot": "false"}},
            "support_eol": "2024-06-30", "versions": {{"20240101_07:08": {}, "20240202_07:08": {}, "bad": {}}}}}"#,
            version(old),
            version(new),
            version("never"),
        )
    };
    let text = format!(
        r#"{{"datatype": "image-downloads", "products": {{"centos:7:amd64": {}, "centos:7:arm64": {}, "centos:7:z80": {}}}}}"#,
        product("amd64", "a1", "a2"),
        product("arm64", "b1", "b2"),
        product("z80", "c1", "c2"),
    );
    Products::parse(text.as_bytes(), "test").unwrap()
}

#[test]
fn the_index_names_the_lists_of_images() {
    assert_eq!(index::image_lists(INDEX.as_bytes()).unwrap(), ["streams/v1/images.json"]);
    assert!(index::image_lists(b"<html>").unwrap_err().message.starts_with("Failed decoding stream JSON"));
}

#[test]
fn aliases_stand_for_the_newest_image_of_the_best_kind_on_this_host() {
    let catalogue = Catalogue::new("https://images.example.org", &[products()], "x86_64");
    for (kind, name, want) in [
        ("container", "centos/7/amd64", "a2-sq"),
        ("container", "centos/7", "a2-sq"),
        ("", "centos/7/default/arm64", "b2-sq"),
        ("virtual-machine", "centos/7", "a2-vm"),
    ] {
        assert_eq!(catalogue.alias(kind, name).unwrap().target, want, "{kind} {name}");
    }
    assert_eq!(catalogue.alias("", "centos/8").unwrap_err().message, "Alias 'centos/8' doesn't exist");
    let everywhere = catalogue.alias_architectures("container", "centos/7").unwrap();
    assert_eq!(
        everywhere.iter().map(|(name, entry)| (name.as_str(), entry.target.as_str())).collect::<Vec<_>>(),
        [("aarch64", "b2-sq"), ("x86_64", "a2-sq")]
    );
    let arm = Catalogue::new("https://images.example.org", &[products()], "aarch64");
    assert_eq!(arm.alias("", "centos/7").unwrap().target, "b2-sq");
}

#[test]
fn images_are_described_as_lxd_does() {
    let catalogue = Catalogue::new("https://images.example.org", &[products()], "x86_64");
    assert_eq!(catalogue.images.len(), 12);
    let image = catalogue.image("a2-sq").unwrap();
    assert_eq!(image.architecture, "x86_64");
    assert_eq!(image.size, 20);
    assert_eq!(image.filename, "lxd.tar.xz");
    assert_eq!(image.created_at.to_string(), "2024-02-02T00:00:00Z");
    assert_eq!(image.expires_at.to_string(), "2024-06-30T00:00:00Z");
    assert_eq!(image.properties["description"], "Centos 7 amd64 (20240202_07:08)");
    assert_eq!(image.properties["requirements.secureboot"], "false");
    assert!(!image.properties.contains_key("label"));
    let names: Vec<&str> = image.aliases.iter().map(|alias| alias.name.as_str()).collect();
    assert_eq!(names, ["centos/7", "centos/7/amd64", "centos/7/default", "centos/7/default/amd64"]);
    assert!(catalogue.image("a1-sq").unwrap().aliases.is_empty());
    let files: Vec<_> =
        catalogue.files("a2-sq").unwrap().iter().map(|file| (file.path.as_str(), &file.holds)).collect();
    assert_eq!(
        files,
        [("i/a2/lxd.tar.xz", &product::Holds::Metadata), ("i/a2/rootfs.squashfs", &product::Holds::Root)]
    );
    assert_eq!(catalogue.image("a").unwrap_err().message, "More than one match for the provided partial fingerprint");
}

#[test]
fn some_servers_leave_out_their_own_name() {
    let text = r#"{"products": {"p": {"aliases": "ubuntu/22.04,22.04", "arch": "amd64", "os": "ubuntu", "release": "jammy",
        "versions": {"20240101": {"items": {"lxd_combined.tar.gz": {"ftype": "lxd_combined.tar.gz", "path": "u.tar.gz", "sha256": "f", "size": 1}}}}}}}"#;
    let products = [Products::parse(text.as_bytes(), "t").unwrap()];
    let catalogue = Catalogue::new("https://cloud-images.ubuntu.com/releases", &products, "x86_64");
    let names: Vec<&str> = catalogue.aliases().iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["22.04", "22.04/amd64"]);
    assert_eq!(catalogue.image("f").unwrap().properties["type"], "tar.gz");
}

#[test]
fn sizes_that_no_disk_has_are_only_large() {
    let text = r#"{"products": {"p": {"aliases": "a", "arch": "amd64", "os": "o", "versions": {"20240101": {"items": {
        "lxd.tar.xz": {"ftype": "lxd.tar.xz", "path": "m", "sha256": "f", "size": 9223372036854775807, "combined_squashfs_sha256": "g"},
        "squashfs": {"ftype": "squashfs", "path": "r", "sha256": "r", "size": 1}}}}}}}"#;
    let products = Products::parse(text.as_bytes(), "t").unwrap();
    assert_eq!(Catalogue::new("", &[products], "x86_64").image("g").unwrap().size, i64::MAX);
}
