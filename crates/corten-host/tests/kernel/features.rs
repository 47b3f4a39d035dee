//! Features that are found by trying, and device nodes that are made.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use corten_host::device_node::{self, DeviceNode, Made};
use corten_host::kernel_features::{KernelFeatures, can_map_ids};

use crate::{is_root, unique};

#[test]
fn the_kernels_features_are_found_and_nothing_is_left() {
    if !is_root("the_kernels_features_are_found_and_nothing_is_left") {
        return;
    }
    let mounts = || corten_host::proc::mounts::list(None).expect("readable").len();
    let before = mounts();
    let features = KernelFeatures::probe(&std::env::temp_dir());
    println!("{features:?}");
    assert_eq!(features.environment().len(), 7);
    assert!(!can_map_ids(Path::new("/proc")), "proc cannot map ids");
    assert!(!can_map_ids(Path::new("/no/such")));
    assert_eq!(mounts(), before);
}

#[test]
fn a_device_node_is_made_with_its_owner() {
    if !is_root("a_device_node_is_made_with_its_owner") {
        return;
    }
    let dir = std::env::temp_dir().join(unique("node"));
    std::fs::create_dir(&dir).expect("a new directory");
    let path = dir.join("null");
    let node = DeviceNode { block: false, major: 1, minor: 3, mode: 0o666, uid: 1000, gid: 1001 };
    for _ in 0..2 {
        match device_node::create(&path, &node).expect("made") {
            Made::Node => assert_eq!(device_node::inspect(&path).expect("a node"), node),
            Made::Target => assert!(std::fs::metadata(&path).expect("there").is_file()),
        }
    }
    let missing = device_node::create(&dir.join("no/null"), &node).unwrap_err();
    assert!(missing.to_string().contains("no/null"), "{missing}");
    assert_eq!(std::fs::metadata(&dir).expect("there").nlink(), 2);
    std::fs::remove_dir_all(&dir).expect("removable");
}
