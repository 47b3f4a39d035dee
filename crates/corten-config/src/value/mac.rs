//! Hardware addresses of Ethernet and InfiniBand interfaces.

use std::fmt;

use super::Kind;

/// Six bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mac(pub [u8; 6]);

impl fmt::Display for Mac {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [a, b, c, d, e, f] = self.0;
        write!(out, "{a:02x}:{b:02x}:{c:02x}:{d:02x}:{e:02x}:{f:02x}")
    }
}

/// Reads pairs of hexadecimal digits separated by colons.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let pair = |part: &str| match part.len() == 2 && part.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        true => u8::from_str_radix(part, 16).ok(),
        false => None,
    };
    text.split(':').map(pair).collect()
}

/// The address of an Ethernet interface.
#[derive(Clone, Copy, Debug)]
pub struct MacAddress;

impl Kind for MacAddress {
    type Value = Mac;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<Mac, String> {
        let six = bytes(text).and_then(|bytes| <[u8; 6]>::try_from(bytes).ok());
        six.map(Mac).ok_or_else(|| "Invalid MAC address, must be 6 bytes of hex separated by colons".to_owned())
    }

    fn accepts(&self) -> String {
        "a MAC address such as 00:16:3e:00:00:01".to_owned()
    }
}

/// The address of an InfiniBand interface: 8 or 20 bytes.
#[derive(Clone, Copy, Debug)]
pub struct InfinibandAddress;

impl Kind for InfinibandAddress {
    type Value = Vec<u8>;
    const WORD: &'static str = "string";

    fn parse(&self, text: &str) -> Result<Vec<u8>, String> {
        bytes(text)
            .filter(|bytes| matches!(bytes.len(), 8 | 20))
            .ok_or_else(|| "Invalid value, must be either 8 or 20 bytes of hex separated by colons".to_owned())
    }

    fn accepts(&self) -> String {
        "8 or 20 bytes in hexadecimal, separated by colons".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn refusals() {
        for text in ["00:16:3e:00:00", "00-16-3e-00-00-01", "00:16:3e:00:00:0g", "0016.3e00.0001", "+1:16:3e:00:00:01"]
        {
            let words = "Invalid MAC address, must be 6 bytes of hex separated by colons";
            assert_eq!(MacAddress.parse(text), Err(words.to_owned()), "{text}");
        }
        assert!(InfinibandAddress.parse("4a:c8:f9:1b:aa:57:ef:19").is_ok());
        assert!(InfinibandAddress.parse("00:16:3e:00:00:01").is_err());
    }

    proptest! {
        #[test]
        fn written_and_read_back(address: [u8; 6]) {
            prop_assert_eq!(MacAddress.parse(&Mac(address).to_string()), Ok(Mac(address)));
        }
    }
}
