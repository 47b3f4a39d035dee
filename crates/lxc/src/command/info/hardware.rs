//! What `lxc info --resources` says of a server's hardware.

use corten_api::resource::{
    Resources, ResourcesCPUSocket, ResourcesGPUCard, ResourcesMemory, ResourcesNetworkCard, ResourcesNetworkCardPort,
    ResourcesStorageDisk,
};
use corten_config::value::byte_size;

/// Lines at growing depth; two spaces a step.
#[derive(Default)]
struct Lines {
    text: String,
    depth: usize,
    /// The next line begins an item of a list: its dash stands two columns to the left.
    item: bool,
}

impl Lines {
    fn line(&mut self, line: impl AsRef<str>) {
        let dash = std::mem::take(&mut self.item);
        let indent = if dash { format!("{}- ", "  ".repeat(self.depth - 1)) } else { "  ".repeat(self.depth) };
        self.text.push_str(&format!("{indent}{}\n", line.as_ref()));
    }

    /// `what: value`, unless the value is empty.
    fn pair(&mut self, what: &str, value: &str) {
        if !value.is_empty() {
            self.line(format!("{what}: {value}"));
        }
    }

    /// `what: name (detail)`, unless the name is empty.
    fn detail(&mut self, what: &str, name: &str, detail: &str) {
        if !name.is_empty() {
            self.line(format!("{what}: {name} ({detail})"));
        }
    }

    fn below(&mut self, steps: usize, write: impl FnOnce(&mut Lines)) {
        self.depth += steps;
        write(self);
        self.depth -= steps;
    }
}

fn size(bytes: u64) -> String {
    byte_size::binary(i64::try_from(bytes).unwrap_or(i64::MAX), 2)
}

/// The whole text.
pub fn text(resources: &Resources) -> String {
    let mut lines = Lines::default();
    let architecture = &resources.cpu.architecture;
    match resources.cpu.sockets.as_slice() {
        [] => {}
        [only] => {
            lines.line(format!("CPU ({architecture}):"));
            lines.below(1, |lines| socket(lines, only));
        }
        several => {
            lines.line(format!("CPUs ({architecture}):"));
            for one in several {
                lines.below(1, |lines| {
                    lines.line(format!("Socket {}:", one.socket));
                    lines.below(1, |lines| socket(lines, one));
                });
            }
        }
    }
    lines.line("\nMemory:");
    lines.below(1, |lines| memory(lines, &resources.memory));
    section(&mut lines, ("GPU", "GPUs", "Card"), &resources.gpu.cards, gpu);
    section(&mut lines, ("NIC", "NICs", "Card"), &resources.network.cards, nic);
    section(&mut lines, ("Disk", "Disks", "Disk"), &resources.storage.disks, disk);
    lines.text
}

/// One thing under a heading of its own, several numbered under one heading.
fn section<T>(lines: &mut Lines, (one, several, each): (&str, &str, &str), things: &[T], write: fn(&mut Lines, &T)) {
    match things {
        [] => {}
        [only] => {
            lines.line(format!("\n{one}:"));
            lines.below(1, |lines| write(lines, only));
        }
        all => {
            lines.line(format!("\n{several}:"));
            for (number, thing) in all.iter().enumerate() {
                lines.below(1, |lines| {
                    lines.line(format!("{each} {number}:"));
                    lines.below(1, |lines| write(lines, thing));
                });
            }
        }
    }
}

fn socket(lines: &mut Lines, socket: &ResourcesCPUSocket) {
    lines.pair("Vendor", &socket.vendor);
    lines.pair("Name", &socket.name);
    if !socket.cache.is_empty() {
        lines.line("Caches:");
        for cache in &socket.cache {
            let size = byte_size::binary(i64::try_from(cache.size).unwrap_or(i64::MAX), 0);
            lines.line(format!("  - Level {} (type: {}): {size}", cache.level, cache.r#type));
        }
    }
    lines.line("Cores:");
    for core in &socket.cores {
        lines.line(format!("  - Core {}", core.core));
        lines.line(format!("    Frequency: {}Mhz", core.frequency));
        lines.line("    Threads:");
        for thread in &core.threads {
            let (number, id, online, node) = (thread.thread, thread.id, thread.online, thread.numa_node);
            lines.line(format!("      - {number} (id: {id}, online: {online}, NUMA node: {node})"));
        }
    }
    match (socket.frequency, socket.frequency_minimum, socket.frequency_turbo) {
        (0, ..) => {}
        (now, least, most) if least > 0 && most > 0 => {
            lines.line(format!("Frequency: {now}Mhz (min: {least}Mhz, max: {most}Mhz)"));
        }
        (now, ..) => lines.line(format!("Frequency: {now}Mhz")),
    }
}

fn amounts(lines: &mut Lines, used: u64, total: u64) {
    lines.line(format!("Free: {}", size(total.saturating_sub(used))));
    lines.line(format!("Used: {}", size(used)));
    lines.line(format!("Total: {}", size(total)));
}

fn huge_pages(lines: &mut Lines, used: u64, total: u64) {
    if total > 0 {
        lines.line("Hugepages:");
        lines.below(1, |lines| amounts(lines, used, total));
    }
}

fn memory(lines: &mut Lines, memory: &ResourcesMemory) {
    huge_pages(lines, memory.hugepages_used, memory.hugepages_total);
    if memory.nodes.len() > 1 {
        lines.line("NUMA nodes:");
        for node in &memory.nodes {
            lines.below(1, |lines| {
                lines.line(format!("Node {}:", node.numa_node));
                lines.below(1, |lines| {
                    huge_pages(lines, node.hugepages_used, node.hugepages_total);
                    amounts(lines, node.used, node.total);
                });
            });
        }
    }
    amounts(lines, memory.used, memory.total);
}

/// What cards of all kinds tell of their maker.
fn maker(lines: &mut Lines, vendor: (&str, &str), product: (&str, &str), pci: &str, driver: (&str, &str)) {
    lines.detail("Vendor", vendor.0, vendor.1);
    lines.detail("Product", product.0, product.1);
    lines.pair("PCI address", pci);
    lines.detail("Driver", driver.0, driver.1);
}

fn functions<T>(lines: &mut Lines, (current, maximum): (u64, u64), all: &[T], write: fn(&mut Lines, &T)) {
    lines.line("SR-IOV information:");
    lines.line(format!("  Current number of VFs: {current}"));
    lines.line(format!("  Maximum number of VFs: {maximum}"));
    if all.is_empty() {
        return;
    }
    lines.line(format!("  VFs: {maximum}"));
    for function in all {
        lines.below(2, |lines| {
            lines.item = true;
            write(lines, function);
        });
    }
}

fn gpu(lines: &mut Lines, card: &ResourcesGPUCard) {
    lines.line(format!("NUMA node: {}", card.numa_node));
    maker(
        lines,
        (&card.vendor, &card.vendor_id),
        (&card.product, &card.product_id),
        &card.pci_address,
        (&card.driver, &card.driver_version),
    );
    if let Some(drm) = &card.drm {
        lines.line("DRM:");
        lines.line(format!("  ID: {}", drm.id));
        lines.detail("  Card", &drm.card_name, &drm.card_device);
        lines.detail("  Control", &drm.control_name, &drm.control_device);
        lines.detail("  Render", &drm.render_name, &drm.render_device);
    }
    if let Some(nvidia) = &card.nvidia {
        lines.line("NVIDIA information:");
        for (what, value) in [
            ("Architecture", &nvidia.architecture),
            ("Brand", &nvidia.brand),
            ("Model", &nvidia.model),
            ("CUDA Version", &nvidia.cuda_version),
            ("NVRM Version", &nvidia.nvrm_version),
            ("UUID", &nvidia.uuid),
        ] {
            lines.line(format!("  {what}: {value}"));
        }
    }
    if let Some(sriov) = &card.sriov {
        functions(lines, (sriov.current_vfs, sriov.maximum_vfs), &sriov.vfs, gpu);
    }
    if !card.mdev.is_empty() {
        lines.line("Mdev profiles:");
    }
    for (name, profile) in &card.mdev {
        lines.line(format!("  - {name} ({} available)", profile.available));
        for line in profile.description.lines() {
            lines.line(format!("      {line}"));
        }
    }
}

fn nic(lines: &mut Lines, card: &ResourcesNetworkCard) {
    lines.line(format!("NUMA node: {}", card.numa_node));
    maker(
        lines,
        (&card.vendor, &card.vendor_id),
        (&card.product, &card.product_id),
        &card.pci_address,
        (&card.driver, &card.driver_version),
    );
    if !card.ports.is_empty() {
        lines.line("Ports:");
    }
    for one in &card.ports {
        lines.below(2, |lines| port(lines, one));
    }
    if let Some(sriov) = &card.sriov {
        functions(lines, (sriov.current_vfs, sriov.maximum_vfs), &sriov.vfs, nic);
    }
}

fn port(lines: &mut Lines, port: &ResourcesNetworkCardPort) {
    lines.item = true;
    lines.line(format!("Port {} ({})", port.port, port.protocol));
    lines.line(format!("ID: {}", port.id));
    lines.pair("Address", &port.address);
    lines.pair("Supported modes", &port.supported_modes.join(", "));
    lines.pair("Supported ports", &port.supported_ports.join(", "));
    lines.pair("Port type", &port.port_type);
    lines.pair("Transceiver type", &port.transceiver_type);
    lines.line(format!("Auto negotiation: {}", port.auto_negotiation));
    lines.line(format!("Link detected: {}", port.link_detected));
    if port.link_speed > 0 {
        lines.line(format!("Link speed: {}Mbit/s ({} duplex)", port.link_speed, port.link_duplex));
    }
    if let Some(infiniband) = &port.infiniband {
        lines.line("Infiniband:");
        lines.detail("  IsSM", &infiniband.issm_name, &infiniband.issm_device);
        lines.detail("  MAD", &infiniband.mad_name, &infiniband.mad_device);
        lines.detail("  Verb", &infiniband.verb_name, &infiniband.verb_device);
    }
}

fn disk(lines: &mut Lines, disk: &ResourcesStorageDisk) {
    lines.line(format!("NUMA node: {}", disk.numa_node));
    lines.line(format!("ID: {}", disk.id));
    lines.line(format!("Device: {}", disk.device));
    lines.pair("Model", &disk.model);
    lines.pair("Type", &disk.r#type);
    lines.line(format!("Size: {}", size(disk.size)));
    lines.pair("WWN", &disk.wwn);
    lines.line(format!("Read-Only: {}", disk.read_only));
    lines.line(format!("Removable: {}", disk.removable));
    if !disk.partitions.is_empty() {
        lines.line("Partitions:");
    }
    for partition in &disk.partitions {
        lines.line(format!("  - Partition {}", partition.partition));
        lines.line(format!("    ID: {}", partition.id));
        lines.line(format!("    Device: {}", partition.device));
        lines.line(format!("    Read-Only: {}", partition.read_only));
        lines.line(format!("    Size: {}", size(partition.size)));
    }
}
