//! Numbers of VLANs and ports, and sizes of frames.

use super::Kind;
use super::go_text::{parse_int, parse_uint, quoted};
use super::list;

/// The number of a VLAN.
#[derive(Clone, Copy, Debug)]
pub struct Vlan;

impl Kind for Vlan {
    type Value = u16;
    const WORD: &'static str = "integer";

    fn parse(&self, text: &str) -> Result<u16, String> {
        match parse_int("Atoi", text) {
            Ok(number) => {
                let id = u16::try_from(number).ok().filter(|id| *id <= 4094);
                id.ok_or_else(|| format!("Out of VLAN ID range (0-4094) {}", quoted(text)))
            }
            Err(_) => Err(format!("Invalid VLAN ID {}", quoted(text))),
        }
    }

    fn accepts(&self) -> String {
        "0 to 4094".to_owned()
    }
}

/// Numbers and ranges of VLANs.
#[derive(Clone, Copy, Debug)]
pub struct VlanList;

impl Kind for VlanList {
    type Value = Vec<u16>;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<Vec<u16>, String> {
        // Each once: ranges that are named again and again would only fill memory.
        let (mut ids, mut known) = (Vec::new(), [false; 4095]);
        for item in list::items(text) {
            ids.extend(range(item)?.filter(|id| !std::mem::replace(&mut known[usize::from(*id)], true)));
        }
        Ok(ids)
    }

    fn accepts(&self) -> String {
        "a comma separated list of VLAN numbers and ranges".to_owned()
    }
}

fn range(item: &str) -> Result<std::ops::RangeInclusive<u16>, String> {
    if let Ok(id) = Vlan.parse(item) {
        return Ok(id..=id);
    }
    let parts: Vec<&str> = item.split('-').collect();
    let [start, end] = parts.as_slice() else {
        return Err(format!("Invalid VLAN range input: {item}"));
    };
    match (Vlan.parse(start), Vlan.parse(end)) {
        (Ok(start), Ok(end)) if start <= end => Ok(start..=end),
        (Ok(start), Ok(end)) => Err(format!("Invalid VLAN range boundary. start:{start} is higher than end:{end}")),
        _ => Err(format!("Invalid VLAN range boundary. start:{start}, end:{end}")),
    }
}

/// The greatest frame of an interface, in bytes.
#[derive(Clone, Copy, Debug)]
pub struct Mtu;

impl Kind for Mtu {
    type Value = u32;
    const WORD: &'static str = "integer";

    fn parse(&self, text: &str) -> Result<u32, String> {
        match parse_uint(text).map(u32::try_from) {
            Ok(Ok(mtu)) if (1280..=16384).contains(&mtu) => Ok(mtu),
            Ok(Ok(_)) => Err(format!("Out of MTU range (1280-16384) {}", quoted(text))),
            _ => Err(format!("Invalid MTU {}", quoted(text))),
        }
    }

    fn accepts(&self) -> String {
        "1280 to 16384".to_owned()
    }
}

/// The UDP port of a tunnel; LXD's check lets 65536 pass, which no port is.
#[derive(Clone, Copy, Debug)]
pub struct TunnelPort;

impl Kind for TunnelPort {
    type Value = u16;
    const WORD: &'static str = "integer";

    fn parse(&self, text: &str) -> Result<u16, String> {
        let number = parse_int("ParseInt", text).map_err(|_| format!("Invalid value for an integer: {text}"))?;
        u16::try_from(number).ok().filter(|port| *port > 0).ok_or_else(|| format!("Invalid port number: {text}"))
    }

    fn accepts(&self) -> String {
        "1 to 65535".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vlans() {
        assert_eq!(Vlan.parse("4094"), Ok(4094));
        assert_eq!(Vlan.parse("4095"), Err("Out of VLAN ID range (0-4094) \"4095\"".to_owned()));
        assert_eq!(Vlan.parse("x"), Err("Invalid VLAN ID \"x\"".to_owned()));
        assert_eq!(VlanList.parse("1, 5-7,"), Ok(vec![1, 5, 6, 7]));
        assert_eq!(VlanList.parse(&"0-4094,".repeat(1000)).map(|ids| ids.len()), Ok(4095));
        let cases = [
            ("7-5", "Invalid VLAN range boundary. start:7 is higher than end:5"),
            ("1-x", "Invalid VLAN range boundary. start:1, end:x"),
            ("x", "Invalid VLAN range input: x"),
        ];
        for (text, expected) in cases {
            assert_eq!(VlanList.parse(text), Err(expected.to_owned()));
        }
    }

    #[test]
    fn frames_and_ports() {
        assert_eq!(Mtu.parse("1500"), Ok(1500));
        assert_eq!(Mtu.parse("1279"), Err("Out of MTU range (1280-16384) \"1279\"".to_owned()));
        assert_eq!(Mtu.parse("big"), Err("Invalid MTU \"big\"".to_owned()));
        assert_eq!(TunnelPort.parse("0"), Err("Invalid port number: 0".to_owned()));
    }
}
