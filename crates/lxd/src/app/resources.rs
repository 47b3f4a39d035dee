//! The host's hardware as `GET /1.0/resources` shows it: the inventory in the API's shape.

use corten_api::error::{Context, Result};
use corten_api::resource as api;
use corten_host::inventory::{cpu, memory, network, pci, storage, system, usb};

/// Looks at the host.
///
/// # Errors
/// When the kernel does not show its processors or memory.
pub fn look() -> Result<api::Resources> {
    let (disks, cards, devices, usb) = (storage::read(), network::read(), pci::read(), usb::read());
    Ok(api::Resources {
        cpu: processors(cpu::read().context("Failed to read the processors")?),
        memory: main_memory(memory::read().context("Failed to read the memory")?),
        gpu: api::ResourcesGPU::default(),
        storage: api::ResourcesStorage { total: storage::total(&disks), disks: disks.into_iter().map(disk).collect() },
        network: api::ResourcesNetwork { total: network::total(&cards), cards: cards.into_iter().map(card).collect() },
        pci: api::ResourcesPCI { total: count(&devices), devices: devices.into_iter().map(pci_device).collect() },
        usb: api::ResourcesUSB { total: count(&usb), devices: usb.into_iter().map(usb_device).collect() },
        system: machine(system::read()),
    })
}

fn count<T>(things: &[T]) -> u64 {
    things.len() as u64
}

fn processors(cpu: cpu::Cpu) -> api::ResourcesCPU {
    let thread = |one: cpu::Thread| api::ResourcesCPUThread {
        id: i64::from(one.id),
        numa_node: one.numa_node,
        thread: one.thread,
        online: one.online,
        isolated: one.isolated,
    };
    let core = |one: cpu::Core| api::ResourcesCPUCore {
        core: one.core,
        die: one.die,
        threads: one.threads.into_iter().map(thread).collect(),
        frequency: one.frequency,
    };
    let cache = |one: cpu::Cache| api::ResourcesCPUCache { level: one.level, r#type: one.kind, size: one.size };
    let socket = |one: cpu::Socket| api::ResourcesCPUSocket {
        name: one.name,
        vendor: one.vendor,
        socket: one.socket,
        cache: one.cache.into_iter().map(cache).collect(),
        cores: one.cores.into_iter().map(core).collect(),
        frequency: one.frequency,
        frequency_minimum: one.frequency_minimum,
        frequency_turbo: one.frequency_turbo,
    };
    api::ResourcesCPU {
        architecture: cpu.architecture,
        sockets: cpu.sockets.into_iter().map(socket).collect(),
        total: cpu.total,
    }
}

fn main_memory(memory: memory::Memory) -> api::ResourcesMemory {
    let node = |one: memory::Node| api::ResourcesMemoryNode {
        numa_node: one.numa_node,
        hugepages_used: one.hugepages_used,
        hugepages_total: one.hugepages_total,
        used: one.used,
        total: one.total,
    };
    api::ResourcesMemory {
        nodes: memory.nodes.into_iter().map(node).collect(),
        hugepages_total: memory.hugepages_total,
        hugepages_used: memory.hugepages_used,
        hugepages_size: memory.hugepages_size,
        used: memory.used,
        total: memory.total,
    }
}

fn disk(disk: storage::Disk) -> api::ResourcesStorageDisk {
    let partition = |one: storage::Partition| api::ResourcesStorageDiskPartition {
        id: one.id,
        device: one.device,
        read_only: one.read_only,
        size: one.size,
        partition: one.partition,
    };
    api::ResourcesStorageDisk {
        id: disk.id,
        device: disk.device,
        model: disk.model,
        r#type: disk.kind,
        read_only: disk.read_only,
        size: disk.size,
        removable: disk.removable,
        wwn: disk.wwn,
        numa_node: disk.numa_node,
        device_path: disk.device_path,
        block_size: disk.block_size,
        firmware_version: disk.firmware_version,
        rpm: disk.rpm,
        serial: disk.serial,
        device_id: disk.device_id,
        partitions: disk.partitions.into_iter().map(partition).collect(),
        pci_address: disk.pci_address,
        usb_address: disk.usb_address,
    }
}

fn card(card: network::Card) -> api::ResourcesNetworkCard {
    let port = |one: network::Port| api::ResourcesNetworkCardPort {
        id: one.id,
        address: one.address,
        port: one.port,
        protocol: one.protocol,
        link_detected: one.link_detected,
        link_speed: one.link_speed,
        link_duplex: one.link_duplex,
        ..api::ResourcesNetworkCardPort::default()
    };
    let sriov = |one: network::Sriov| api::ResourcesNetworkCardSRIOV {
        current_vfs: one.current_vfs,
        maximum_vfs: one.maximum_vfs,
        vfs: one.vfs.into_iter().map(self::card).collect(),
    };
    api::ResourcesNetworkCard {
        driver: card.driver,
        driver_version: card.driver_version,
        ports: card.ports.into_iter().map(port).collect(),
        sriov: card.sriov.map(sriov),
        numa_node: card.numa_node,
        pci_address: card.pci_address,
        vendor: card.vendor,
        vendor_id: card.vendor_id,
        product: card.product,
        product_id: card.product_id,
        firmware_version: String::new(),
        usb_address: card.usb_address,
    }
}

fn pci_device(device: pci::PciDevice) -> api::ResourcesPCIDevice {
    api::ResourcesPCIDevice {
        driver: device.driver,
        driver_version: device.driver_version,
        numa_node: device.numa_node,
        pci_address: device.pci_address,
        vendor: device.vendor,
        vendor_id: device.vendor_id,
        product: device.product,
        product_id: device.product_id,
        iommu_group: device.iommu_group,
        vpd: api::ResourcesPCIVPD::default(),
    }
}

fn usb_device(device: usb::UsbDevice) -> api::ResourcesUSBDevice {
    let interface = |one: usb::Interface| api::ResourcesUSBDeviceInterface {
        class_id: one.class_id,
        driver: one.driver,
        driver_version: one.driver_version,
        number: one.number,
        subclass_id: one.subclass_id,
        ..api::ResourcesUSBDeviceInterface::default()
    };
    api::ResourcesUSBDevice {
        bus_address: device.bus_address,
        device_address: device.device_address,
        interfaces: device.interfaces.into_iter().map(interface).collect(),
        vendor: device.vendor,
        vendor_id: device.vendor_id,
        product: device.product,
        product_id: device.product_id,
        speed: device.speed,
    }
}

fn machine(system: system::System) -> api::ResourcesSystem {
    let parts = system.parts;
    let firmware = |one: &system::Parts| api::ResourcesSystemFirmware {
        vendor: one.firmware_vendor.clone(),
        date: one.firmware_date.clone(),
        version: one.firmware_version.clone(),
    };
    let chassis = |one: &system::Parts| api::ResourcesSystemChassis {
        vendor: one.chassis_vendor.clone(),
        r#type: one.chassis_type.clone(),
        serial: one.chassis_serial.clone(),
        version: one.chassis_version.clone(),
    };
    let board = |one: &system::Parts| api::ResourcesSystemMotherboard {
        vendor: one.motherboard_vendor.clone(),
        product: one.motherboard_product.clone(),
        serial: one.motherboard_serial.clone(),
        version: one.motherboard_version.clone(),
    };
    api::ResourcesSystem {
        uuid: system.uuid,
        vendor: system.vendor,
        product: system.product,
        family: system.family,
        version: system.version,
        sku: system.sku,
        serial: system.serial,
        r#type: system.kind,
        firmware: parts.as_ref().map(firmware),
        chassis: parts.as_ref().map(chassis),
        motherboard: parts.as_ref().map(board),
    }
}
