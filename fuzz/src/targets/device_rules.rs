//! Devices of an instance: lines `DEVICE KEY=VALUE`, checked alone and together.

use corten_config::Devices;
use corten_config::entity::Guest;

pub fn run(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let mut devices = Devices::new();
    for line in text.lines().take(40) {
        let Some((name, pair)) = line.split_once(' ') else { continue };
        let Some((key, value)) = pair.split_once('=') else { continue };
        devices.entry(name.to_owned()).or_default().insert(key.to_owned(), value.to_owned());
    }
    let _ = corten_config::device::check_all(&devices, Some(Guest::Container), &|_| Ok("bridge".to_owned()));
}
