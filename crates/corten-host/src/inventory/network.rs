//! Network cards and their ports.

use std::collections::BTreeMap;
use std::path::Path;

use super::pci::Names;
use super::sysfs::{
    driver, hex_id, link_name, names, number, number_if_set, pci_address, text, text_or_empty, usb_address,
};

/// One card. Fields are empty where the card has no such thing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of LXD's API")]
pub struct Card {
    pub driver: String,
    pub driver_version: String,
    pub ports: Vec<Port>,
    pub sriov: Option<Sriov>,
    pub numa_node: u64,
    pub pci_address: String,
    pub vendor: String,
    pub vendor_id: String,
    pub product: String,
    pub product_id: String,
    pub usb_address: String,
}

/// One interface of a card.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of LXD's API")]
pub struct Port {
    pub id: String,
    pub address: String,
    pub port: u64,
    pub protocol: String,
    pub link_detected: bool,
    /// Mbit/s, 0 where unknown.
    pub link_speed: u64,
    /// `full`, `half` or empty.
    pub link_duplex: String,
}

/// Cards that a card can be divided into.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of LXD's API")]
pub struct Sriov {
    pub current_vfs: u64,
    pub maximum_vfs: u64,
    pub vfs: Vec<Card>,
}

/// The cards of this host.
pub fn read() -> Vec<Card> {
    of(Path::new("/sys"), &Names::read())
}

/// How many cards there are, those that cards are divided into included.
pub fn total(cards: &[Card]) -> u64 {
    let below = |card: &Card| card.sriov.as_ref().map_or(0, |sriov| sriov.vfs.len());
    cards.iter().map(|card| 1 + below(card) as u64).sum()
}

/// The cards below `sys`: those with an interface in class/net, then those on the PCI bus without one.
pub fn of(sys: &Path, database: &Names) -> Vec<Card> {
    let mut cards: Vec<Card> = Vec::new();
    let mut divided: BTreeMap<String, Vec<Card>> = BTreeMap::new();
    let interfaces =
        names(sys.join("class/net")).into_iter().map(|name| sys.join("class/net").join(name).join("device"));
    let bus = sys.join("bus/pci/devices");
    // Class 2 is that of network controllers.
    let is_card = |name: &String| text(bus.join(name).join("class")).is_some_and(|class| class.starts_with("0x02"));
    let others = names(&bus).into_iter().filter(is_card).map(|name| bus.join(name));
    let mut known: Vec<String> = Vec::new();
    for device in interfaces.chain(others).filter(|device| device.exists()) {
        let address = pci_address(&device).unwrap_or_default();
        if !address.is_empty() && known.contains(&address) {
            continue;
        }
        known.push(address.clone());
        let card = card(&device, address, database);
        match link_name(device.join("physfn")) {
            Some(parent) => divided.entry(parent).or_default().push(card),
            None => cards.push(card),
        }
    }
    for card in &mut cards {
        if let Some(sriov) = &mut card.sriov {
            sriov.vfs = divided.remove(&card.pci_address).unwrap_or_default();
        }
    }
    cards
}

fn card(device: &Path, pci_address: String, database: &Names) -> Card {
    let (driver, driver_version) = driver(device).unwrap_or_default();
    let (vendor_id, product_id) = (hex_id(device.join("vendor")), hex_id(device.join("device")));
    let (vendor, product) = database.find(&vendor_id, &product_id);
    let sriov = number(device.join("sriov_numvfs")).map(|current_vfs| Sriov {
        current_vfs,
        maximum_vfs: number(device.join("sriov_totalvfs")).unwrap_or(0),
        vfs: Vec::new(),
    });
    Card {
        driver,
        driver_version,
        ports: names(device.join("net")).into_iter().map(|id| port(&device.join("net").join(&id), id)).collect(),
        sriov,
        numa_node: number_if_set(device.join("numa_node")).unwrap_or(0),
        pci_address,
        vendor,
        vendor_id,
        product,
        product_id,
        usb_address: usb_address(device).unwrap_or_default(),
    }
}

fn port(path: &Path, id: String) -> Port {
    let protocol = match number(path.join("type")) {
        Some(1) => "ethernet",
        Some(19) => "ATM",
        Some(32) => "infiniband",
        _ => "unknown",
    };
    // Of an interface that is down these cannot be read.
    let duplex = text_or_empty(path.join("duplex"));
    Port {
        id,
        address: text_or_empty(path.join("address")),
        port: number(path.join("dev_port")).unwrap_or(0),
        protocol: protocol.to_string(),
        link_detected: number(path.join("carrier")) == Some(1),
        link_speed: number_if_set(path.join("speed")).unwrap_or(0),
        link_duplex: if matches!(duplex.as_str(), "full" | "half") { duplex } else { String::new() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::symlink;

    #[test]
    fn cards_have_ports_and_parts() {
        let sys = std::env::temp_dir().join(format!("corten-network-{}", std::process::id()));
        let pci = sys.join("devices/pci0");
        for (path, content) in [
            ("bus/pci/devices/.keep", ""),
            ("class/net/.keep", ""),
            ("class/net/lo/type", "772"),
            ("bus/pci/.keep", ""),
        ] {
            fs::create_dir_all(sys.join(path).parent().expect("has one")).expect("temporary directory");
            fs::write(sys.join(path), content).expect("writable");
        }
        for (address, id, extra) in
            [("0000:00:01.0", "eth0", "sriov_numvfs"), ("0000:00:01.1", "eth1", "x"), ("0000:00:02.0", "", "x")]
        {
            let device = pci.join(address);
            fs::create_dir_all(&device).expect("temporary directory");
            fs::write(device.join("class"), "0x020000").expect("writable");
            fs::write(device.join("vendor"), "0x1af4").expect("writable");
            fs::write(device.join(extra), "1").expect("writable");
            symlink(sys.join("bus/pci"), device.join("subsystem")).expect("new link");
            symlink(&device, sys.join("bus/pci/devices").join(address)).expect("new link");
            if !id.is_empty() {
                fs::create_dir_all(device.join("net").join(id)).expect("temporary directory");
                fs::write(device.join("net").join(id).join("type"), "1").expect("writable");
                fs::write(device.join("net").join(id).join("speed"), "-1").expect("writable");
                fs::create_dir_all(sys.join("class/net").join(id)).expect("temporary directory");
                symlink(&device, sys.join("class/net").join(id).join("device")).expect("new link");
            }
        }
        symlink(pci.join("0000:00:01.0"), pci.join("0000:00:01.1/physfn")).expect("new link");
        let cards = of(&sys, &Names::default());
        fs::remove_dir_all(&sys).expect("removable");
        assert_eq!((cards.len(), total(&cards)), (2, 3));
        let port = Port { id: "eth0".into(), protocol: "ethernet".into(), ..Port::default() };
        assert_eq!(cards[0].ports, [port]);
        assert_eq!(cards[0].sriov.as_ref().map(|one| one.vfs[0].pci_address.as_str()), Some("0000:00:01.1"));
        assert_eq!((cards[1].pci_address.as_str(), cards[1].vendor_id.as_str()), ("0000:00:02.0", "1af4"));
    }
}
