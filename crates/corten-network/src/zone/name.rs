//! Names of DNS: made of what users and guests wrote, and of addresses.

use std::fmt::Write as _;
use std::net::IpAddr;

use bytes::Bytes;
use domain::base::Name;
use domain::base::name::{NameBuilder, ToLabelIter};

/// A whole name.
pub type Dname = Name<Bytes>;

/// The name of a text such as `lxd.example.net`, with or without a dot at its end. Nothing in it means anything but itself.
///
/// # Errors
/// When a part is missing or longer than 63 bytes, or the whole longer than 255.
pub fn dname(text: &str) -> Result<Dname, String> {
    let wrong = |why: &str| format!("{text:?} is not a name of DNS: {why}");
    let mut name = NameBuilder::new_bytes();
    for label in text.strip_suffix('.').unwrap_or(text).split('.') {
        match label.len() {
            0 => return Err(wrong("a part between dots is missing")),
            1..=63 => name.append_label(label.as_bytes()).map_err(|_| wrong("it is longer than 255 bytes"))?,
            _ => return Err(wrong("a part is longer than 63 bytes")),
        }
    }
    name.into_name().map_err(|_| wrong("it is longer than 255 bytes"))
}

/// The name of something in a zone.
///
/// # Errors
/// As [`dname`].
pub fn below(text: &str, zone: &Dname) -> Result<Dname, String> {
    dname(&format!("{text}.{}", self::text(zone)))
}

/// A name's text without the dot at its end; what is not UTF-8 in it is replaced.
pub fn text(name: &impl ToLabelIter) -> String {
    let labels = name.iter_labels().filter(|label| !label.is_root());
    labels.map(|label| String::from_utf8_lossy(label.as_slice()).into_owned()).collect::<Vec<_>>().join(".")
}

/// Whether hosts may be called so: what guests say of themselves must not become a wildcard or the like.
pub fn is_of_host(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    !text.is_empty() && text.bytes().all(fits)
}

/// The name under which an address is looked up.
pub fn reverse(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}{}", super::REVERSE_V4)
        }
        IpAddr::V6(v6) => {
            let mut text = String::new();
            for byte in v6.octets().iter().rev() {
                let _ = write!(text, "{:x}.{:x}.", byte & 15, byte >> 4);
            }
            text.trim_end_matches('.').to_string() + super::REVERSE_V6
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_become_names_and_texts_again() {
        for good in ["lxd.example.net", "a b.c", "lxd.example.net/withslash", "*", "2.0.192.in-addr.arpa", "@(;$\"\\"] {
            assert_eq!(dname(good).map(|name| text(&name)), Ok(good.into()));
        }
        assert_eq!(dname("ns.example.net.").map(|name| text(&name)), Ok("ns.example.net".into()));
        let long = "x".repeat(64);
        let longer = ["x".repeat(60).as_str(); 5].join(".");
        for bad in ["", ".", "a..b", ".a", "a..", &long, &longer] {
            assert!(dname(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn addresses_are_turned_round() {
        for (address, name) in [
            ("192.0.2.42", "42.2.0.192.in-addr.arpa"),
            ("fd42:4242:4242:1010::1", "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.1.0.1.2.4.2.4.2.4.2.4.2.4.d.f.ip6.arpa"),
        ] {
            assert_eq!(reverse(address.parse().expect("an address")), name);
        }
    }

    #[test]
    fn what_no_host_is_called_is_seen() {
        for (text, is_one) in
            [("c1", true), ("br_0.gw", true), ("*", false), ("", false), ("a b", false), ("x\n", false), ("é", false)]
        {
            assert_eq!(is_of_host(text), is_one, "{text:?}");
        }
    }
}
