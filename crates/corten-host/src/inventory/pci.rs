//! Devices on the PCI bus, with the names that the database of the package `pci.ids` gives them.

use std::path::Path;

use super::sysfs::{driver, hex_id, link_name, names, number_if_set};

/// One device.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the names are those of LXD's API")]
pub struct PciDevice {
    pub driver: String,
    pub driver_version: String,
    pub numa_node: u64,
    pub pci_address: String,
    pub vendor: String,
    pub vendor_id: String,
    pub product: String,
    pub product_id: String,
    pub iommu_group: u64,
}

/// All devices of this host.
pub fn read() -> Vec<PciDevice> {
    of(Path::new("/sys/bus/pci/devices"), &Names::read())
}

/// The devices below `dir` (/sys/bus/pci/devices).
pub fn of(dir: &Path, database: &Names) -> Vec<PciDevice> {
    let device = |pci_address: String| {
        let path = dir.join(&pci_address);
        let (driver, driver_version) = driver(&path).unwrap_or_default();
        let (vendor_id, product_id) = (hex_id(path.join("vendor")), hex_id(path.join("device")));
        let (vendor, product) = database.find(&vendor_id, &product_id);
        PciDevice {
            driver,
            driver_version,
            numa_node: number_if_set(path.join("numa_node")).unwrap_or(0),
            pci_address,
            vendor,
            vendor_id,
            product,
            product_id,
            iommu_group: link_name(path.join("iommu_group")).and_then(|group| group.parse().ok()).unwrap_or(0),
        }
    };
    names(dir).into_iter().map(device).collect()
}

/// The database's text: lines `1af4  Vendor`, below each `\t1000  Product`.
#[derive(Clone, Debug, Default)]
pub struct Names(String);

impl Names {
    /// The host's database; an empty one when it is not installed.
    pub fn read() -> Names {
        let paths = ["/usr/share/misc/pci.ids", "/usr/share/hwdata/pci.ids"];
        // Some names in it are Latin-1.
        let bytes = paths.iter().find_map(|path| std::fs::read(path).ok()).unwrap_or_default();
        Names(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// The names of vendor and product, empty where unknown.
    pub fn find(&self, vendor: &str, product: &str) -> (String, String) {
        let name = |line: &str, id: &str| {
            let name = line.strip_prefix(id).filter(|_| !id.is_empty())?.strip_prefix("  ")?;
            Some(name.trim().to_string())
        };
        let mut lines = self.0.lines().skip_while(|line| name(line, vendor).is_none());
        let Some(found) = lines.next().and_then(|line| name(line, vendor)) else { return Default::default() };
        let below = lines.take_while(|line| line.starts_with('\t') || line.starts_with('#'));
        let product = below.filter_map(|line| line.strip_prefix('\t')).find_map(|line| name(line, product));
        (found, product.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_the_database() {
        let names = Names("# head\n1000  Other\n\t1000  Other's\n1af4  Red Hat\n\t1000  Network\n\t\t1af4 1  sub\n\t1001  Disk\n2000  X\n\t1002  Y\n".into());
        let found = |vendor, product| names.find(vendor, product);
        assert_eq!(found("1af4", "1001"), ("Red Hat".into(), "Disk".into()));
        assert_eq!(found("1af4", "1002"), ("Red Hat".into(), String::new()));
        assert_eq!(found("ffff", "1002"), Default::default());
        assert_eq!(found("", ""), Default::default());
    }
}
