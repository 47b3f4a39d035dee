//! Names of hardware: vendor and product ids, PCI addresses, network interfaces.

use super::Kind;

/// Four lower-case hexadecimal digits that name a vendor or product.
#[derive(Clone, Copy, Debug)]
pub struct DeviceId;

impl Kind for DeviceId {
    type Value = String;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<String, String> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        match text.len() == 4 && text.bytes().all(is_digit) {
            true => Ok(text.to_owned()),
            false => Err("Invalid value, must be four lower case hex characters".to_owned()),
        }
    }

    fn accepts(&self) -> String {
        "four lower-case hexadecimal digits".to_owned()
    }
}

/// A PCI address, `0000:01:00.0` or without its domain.
#[derive(Clone, Copy, Debug)]
pub struct PciAddress;

impl Kind for PciAddress {
    /// In lower case and with the domain.
    type Value = String;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<String, String> {
        let full = if text.len() == 7 { format!("0000:{text}") } else { text.to_owned() };
        let shape = |(at, byte): (usize, u8)| match at {
            4 | 7 => byte == b':',
            10 => byte == b'.',
            _ => byte.is_ascii_hexdigit(),
        };
        match full.len() == 12 && full.bytes().enumerate().all(shape) {
            true => Ok(full.to_ascii_lowercase()),
            false => Err("Invalid PCI address".to_owned()),
        }
    }

    fn accepts(&self) -> String {
        "a PCI address such as 0000:01:00.0".to_owned()
    }
}

/// The name of a network interface.
#[derive(Clone, Copy, Debug)]
pub struct InterfaceName;

impl Kind for InterfaceName {
    type Value = String;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<String, String> {
        let taken = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        match text.len() {
            0..2 => Err("Network interface is too short (minimum 2 characters)".to_owned()),
            2..=15 if text.bytes().all(taken) => Ok(text.to_owned()),
            2..=15 => Err("Network interface contains invalid characters".to_owned()),
            _ => Err("Network interface is too long (maximum 15 characters)".to_owned()),
        }
    }

    fn accepts(&self) -> String {
        "2 to 15 letters, digits, hyphens, underscores or full stops".to_owned()
    }
}

/// The name of a network interface, as one of a list that reports it by itself.
#[derive(Clone, Copy, Debug)]
pub struct InterfaceNames;

impl Kind for InterfaceNames {
    type Value = Vec<String>;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<Vec<String>, String> {
        let name = |entry: &str| {
            let quoted = super::go_text::quoted(entry);
            InterfaceName.parse(entry).map_err(|why| format!("Invalid interface name {quoted}: {why}"))
        };
        text.split(',').map(|entry| name(entry.trim())).collect()
    }

    fn accepts(&self) -> String {
        "a comma separated list of interfaces".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids() {
        assert!(DeviceId.parse("10de").is_ok());
        for bad in ["10DE", "10d", "10deb", "wxyz"] {
            assert!(DeviceId.parse(bad).is_err(), "{bad}");
        }
        assert_eq!(PciAddress.parse("01:00.0"), Ok("0000:01:00.0".to_owned()));
        assert_eq!(PciAddress.parse("0000:AF:00.1"), Ok("0000:af:00.1".to_owned()));
        assert_eq!(PciAddress.parse("1:00.0"), Err("Invalid PCI address".to_owned()));
    }

    #[test]
    fn interfaces() {
        assert!(InterfaceName.parse("eth0.100").is_ok());
        let cases = [
            ("e", "Network interface is too short (minimum 2 characters)"),
            ("abcdefghijklmnop", "Network interface is too long (maximum 15 characters)"),
            ("eth 0", "Network interface contains invalid characters"),
        ];
        for (text, expected) in cases {
            assert_eq!(InterfaceName.parse(text), Err(expected.to_owned()));
        }
        let words = "Invalid interface name \"e\": Network interface is too short (minimum 2 characters)";
        assert_eq!(InterfaceNames.parse("eth0, e"), Err(words.to_owned()));
    }
}
