//! Disks and their partitions.

use std::collections::BTreeMap;
use std::path::Path;

use super::sysfs::{link_name, names, number, number_if_set, pci_address, text, text_or_empty, usb_address};

/// One disk. Texts are empty where the disk does not say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of LXD's API")]
pub struct Disk {
    pub id: String,
    /// Major and minor number, `8:0`.
    pub device: String,
    pub model: String,
    /// The kernel's subsystem, or more precisely `cdrom`, `usb`, `sata`.
    pub kind: String,
    pub read_only: bool,
    /// Bytes.
    pub size: u64,
    pub removable: bool,
    pub wwn: String,
    pub numa_node: u64,
    pub device_path: String,
    pub block_size: u64,
    pub firmware_version: String,
    /// Turns a minute; 1 for a turning disk that does not say, 0 for one that does not turn.
    pub rpm: u64,
    pub serial: String,
    pub device_id: String,
    pub partitions: Vec<Partition>,
    pub pci_address: String,
    pub usb_address: String,
}

/// One partition of a disk.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of LXD's API")]
pub struct Partition {
    pub id: String,
    pub device: String,
    pub read_only: bool,
    /// Bytes.
    pub size: u64,
    pub partition: u64,
}

/// The disks of this host.
pub fn read() -> Vec<Disk> {
    of(Path::new("/"))
}

/// How many disks and partitions there are.
pub fn total(disks: &[Disk]) -> u64 {
    disks.iter().map(|disk| 1 + disk.partitions.len() as u64).sum()
}

/// The disks of the host whose root is `root`, from sys/class/block, run/udev/data and dev/disk.
pub fn of(root: &Path) -> Vec<Disk> {
    let blocks = root.join("sys/class/block");
    let all = names(&blocks);
    let (by_path, by_id) = (links(&root.join("dev/disk/by-path")), links(&root.join("dev/disk/by-id")));
    let named = |id: &String| {
        let mut disk = disk(root, &blocks.join(id), id, &all)?;
        disk.device_path = by_path.get(id).cloned().unwrap_or_default();
        disk.device_id = by_id.get(id).cloned().unwrap_or_default();
        Some(disk)
    };
    all.iter().filter_map(named).collect()
}

/// The last link in `dir` to each device, by the device's name.
fn links(dir: &Path) -> BTreeMap<String, String> {
    let target = |name: String| Some((link_name(dir.join(&name))?, name));
    names(dir).into_iter().filter_map(target).collect()
}

fn disk(root: &Path, path: &Path, id: &str, all: &[String]) -> Option<Disk> {
    let device = path.join("device");
    // Partitions and disks made of others have no device; one path of several to the same disk has no number.
    let number_pair = device.exists().then(|| text(path.join("dev"))).flatten()?;
    let subsystem = link_name(device.join("subsystem")).unwrap_or_default();
    if subsystem == "rbd" {
        return None;
    }
    let mut disk = Disk {
        id: id.to_string(),
        model: text_or_empty(device.join("model")),
        kind: subsystem,
        read_only: number(path.join("ro")) == Some(1),
        size: number(path.join("size")).unwrap_or(0) * 512,
        removable: number(path.join("removable")) == Some(1),
        wwn: text_or_empty(path.join("wwid")),
        numa_node: number_if_set(device.join("numa_node")).unwrap_or(0),
        block_size: number(path.join("queue/physical_block_size")).unwrap_or(0),
        firmware_version: text_or_empty(device.join("firmware_rev")),
        partitions: partitions(path.parent()?, id, all),
        pci_address: pci_address(&device).unwrap_or_default(),
        usb_address: usb_address(&device).unwrap_or_default(),
        device: number_pair,
        ..Disk::default()
    };
    if id.starts_with("sr") && disk.removable {
        disk.kind = "cdrom".to_string();
        // What most drives say without a disc.
        if disk.size == 0x1f_ffff * 512 {
            disk.size = 0;
        }
    }
    let udev = text_or_empty(root.join("run/udev/data").join(format!("b{}", disk.device)));
    refine(&mut disk, &udev);
    if disk.rpm == 0 {
        disk.rpm = number(path.join("queue/rotational")).unwrap_or(0);
    }
    Some(disk)
}

fn partitions(blocks: &Path, disk: &str, all: &[String]) -> Vec<Partition> {
    let partition = |id: &String| {
        let path = blocks.join(id);
        Some(Partition {
            id: id.clone(),
            device: text(path.join("dev"))?,
            read_only: number(path.join("ro")) == Some(1),
            size: number(path.join("size"))? * 512,
            partition: number(path.join("partition"))?,
        })
    };
    all.iter().filter(|id| id.starts_with(disk) && *id != disk).filter_map(partition).collect()
}

/// What udev has found out about a disk: lines `E:KEY=value`.
fn refine(disk: &mut Disk, udev: &str) {
    let get = |key: &str| {
        let mut pairs = udev.lines().filter_map(|line| line.strip_prefix("E:")?.split_once('='));
        pairs.find(|(name, _)| *name == key).map(|(_, value)| value.trim()).filter(|value| !value.is_empty())
    };
    if get("ID_CDROM") == Some("1") {
        disk.kind = "cdrom".to_string();
    } else if get("ID_USB_DRIVER") == Some("usb-storage") {
        disk.kind = "usb".to_string();
    } else if get("ID_ATA_SATA") == Some("1") {
        disk.kind = "sata".to_string();
    }
    if let (Some(revision), true) = (get("ID_REVISION"), disk.firmware_version.is_empty()) {
        disk.firmware_version = revision.to_string();
    }
    if let Some(serial) = get("ID_SERIAL_SHORT") {
        disk.serial = serial.to_string();
    }
    let model = get("ID_MODEL_ENC").map(|text| decode(text).trim().to_string());
    if let Some(model) = model.or_else(|| get("ID_MODEL").map(str::to_string)) {
        disk.model = model;
    }
    if let Some(rpm) = get("ID_ATA_ROTATION_RATE_RPM").and_then(|text| text.parse().ok()) {
        disk.rpm = rpm;
    }
}

/// Takes back udev's `\x20`.
fn decode(text: &str) -> String {
    let mut parts = text.split("\\x");
    let mut decoded = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        match part.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                decoded.push(byte);
                decoded.extend_from_slice(&part.as_bytes()[2..]);
            }
            None => {
                decoded.extend_from_slice(b"\\x");
                decoded.extend_from_slice(part.as_bytes());
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn disks_have_partitions_and_what_udev_knows() {
        let root = std::env::temp_dir().join(format!("corten-storage-{}", std::process::id()));
        for (path, content) in [
            ("sys/class/block/sda/dev", "8:0"),
            ("sys/class/block/sda/size", "2048"),
            ("sys/class/block/sda/ro", "0"),
            ("sys/class/block/sda/queue/rotational", "1"),
            ("sys/class/block/sda/queue/physical_block_size", "4096"),
            ("sys/class/block/sda/device/model", "short"),
            ("sys/class/block/sda1/dev", "8:1"),
            ("sys/class/block/sda1/size", "1024"),
            ("sys/class/block/sda1/partition", "1"),
            ("sys/class/block/loop0/dev", "7:0"),
            (
                "run/udev/data/b8:0",
                "S:disk\nE:ID_MODEL_ENC=A\\x20long\\x20one\\x20\nE:ID_ATA_SATA=1\nE:ID_SERIAL_SHORT=S1\n",
            ),
            ("dev/sda", ""),
            ("dev/disk/by-id/.keep", ""),
        ] {
            let path = root.join(path);
            fs::create_dir_all(path.parent().expect("has one")).expect("temporary directory");
            fs::write(path, content).expect("writable");
        }
        symlink("../../sda", root.join("dev/disk/by-id/ata-one")).expect("new link");
        let disks = of(&root);
        fs::remove_dir_all(&root).expect("removable");
        assert_eq!((disks.len(), total(&disks)), (1, 2));
        let disk = &disks[0];
        assert_eq!((disk.model.as_str(), disk.kind.as_str(), disk.serial.as_str()), ("A long one", "sata", "S1"));
        assert_eq!((disk.size, disk.block_size, disk.rpm, disk.device_id.as_str()), (1 << 20, 4096, 1, "ata-one"));
        let partition =
            Partition { id: "sda1".into(), device: "8:1".into(), read_only: false, size: 1 << 19, partition: 1 };
        assert_eq!(disk.partitions, [partition]);
    }

    #[test]
    fn escapes_of_udev() {
        assert_eq!(decode("a\\x20b\\x2fc"), "a b/c");
        assert_eq!(decode("\\xzz\\x"), "\\xzz\\x");
    }
}
