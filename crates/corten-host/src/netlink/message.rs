//! Netlink messages: a request is written attribute by attribute, an answer is read as an iterator (netlink(7)).

/// Attributes are aligned to four bytes.
const ALIGN: usize = 4;
/// Length of `struct nlmsghdr`: length, type, flags, sequence, port.
pub(super) const HEADER: usize = 16;
/// `NLA_F_NESTED`: the attribute holds attributes.
const NESTED: u16 = 1 << 15;
/// The bits of an attribute's type that are no flags (`NLA_TYPE_MASK`).
const TYPE_MASK: u16 = !(0b11 << 14);

/// A request under construction.
pub(super) struct Request {
    bytes: Vec<u8>,
}

impl Request {
    /// A request of `kind` (`RTM_…`) with `flags` (`NLM_F_…`), beginning with the message family's fixed part.
    pub(super) fn new(kind: u16, flags: u16, fixed: &[u8]) -> Request {
        let mut bytes = Vec::with_capacity(256);
        bytes.extend(0u32.to_ne_bytes());
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend([0; 8]);
        let mut request = Request { bytes };
        request.raw(fixed);
        request
    }

    /// Appends bytes as they are, padded; for the fixed part of a message inside an attribute.
    pub(super) fn raw(&mut self, bytes: &[u8]) -> &mut Request {
        self.bytes.extend(bytes);
        self.bytes.resize(self.bytes.len().next_multiple_of(ALIGN), 0);
        self
    }

    /// Appends one attribute.
    pub(super) fn put(&mut self, kind: u16, value: &[u8]) -> &mut Request {
        // An attribute's length field has 16 bits; ours are names, numbers and addresses.
        let length = u16::try_from(value.len() + 4).expect("attributes are short");
        self.bytes.extend(length.to_ne_bytes());
        self.bytes.extend(kind.to_ne_bytes());
        self.raw(value)
    }

    /// Appends a text attribute, ended by a NUL as the kernel wants names.
    pub(super) fn put_str(&mut self, kind: u16, value: &str) -> &mut Request {
        let mut bytes = value.as_bytes().to_vec();
        bytes.push(0);
        self.put(kind, &bytes)
    }

    /// Appends a 32-bit number in the host's order.
    pub(super) fn put_u32(&mut self, kind: u16, value: u32) -> &mut Request {
        self.put(kind, &value.to_ne_bytes())
    }

    /// Appends a 16-bit number in the host's order.
    pub(super) fn put_u16(&mut self, kind: u16, value: u16) -> &mut Request {
        self.put(kind, &value.to_ne_bytes())
    }

    /// Appends an attribute that holds what `fill` writes.
    pub(super) fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Request)) -> &mut Request {
        let start = self.bytes.len();
        self.bytes.extend(0u16.to_ne_bytes());
        self.bytes.extend((kind | NESTED).to_ne_bytes());
        fill(self);
        let length = u16::try_from(self.bytes.len() - start).expect("attributes are short");
        self.bytes[start..start + 2].copy_from_slice(&length.to_ne_bytes());
        self
    }

    /// The finished message, with its length and `sequence` number filled in.
    pub(super) fn finish(mut self, sequence: u32) -> Vec<u8> {
        let length = u32::try_from(self.bytes.len()).expect("requests are short");
        self.bytes[0..4].copy_from_slice(&length.to_ne_bytes());
        self.bytes[8..12].copy_from_slice(&sequence.to_ne_bytes());
        self.bytes
    }
}

/// One message of an answer.
pub(super) struct Message<'a> {
    /// `RTM_…` or `NLMSG_…`.
    pub(super) kind: u16,
    /// `NLM_F_…`.
    pub(super) flags: u16,
    /// The number of the request that this answers.
    pub(super) sequence: u32,
    /// Fixed part and attributes.
    pub(super) payload: &'a [u8],
}

/// Cuts a datagram into its messages; stops at the first one whose length cannot be.
pub(super) fn messages(mut datagram: &[u8]) -> impl Iterator<Item = Message<'_>> {
    std::iter::from_fn(move || {
        let length = u32_at(datagram, 0)? as usize;
        let payload = datagram.get(HEADER..length)?;
        let message = Message {
            kind: u16_at(datagram, 4)?,
            flags: u16_at(datagram, 6)?,
            sequence: u32_at(datagram, 8)?,
            payload,
        };
        datagram = datagram.get(length.next_multiple_of(ALIGN)..).unwrap_or_default();
        Some(message)
    })
}

/// The attributes in `bytes`, as (type without flags, value); stops at the first one whose length cannot be.
pub(super) fn attributes(mut bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    std::iter::from_fn(move || {
        let length = usize::from(u16_at(bytes, 0)?);
        let kind = u16_at(bytes, 2)? & TYPE_MASK;
        let value = bytes.get(4..length)?;
        bytes = bytes.get(length.next_multiple_of(ALIGN)..).unwrap_or_default();
        Some((kind, value))
    })
}

/// The 16-bit number at `at`, if `bytes` reaches that far.
pub(super) fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2).and_then(|part| part.try_into().ok()).map(u16::from_ne_bytes)
}

/// The 32-bit number at `at`, if `bytes` reaches that far.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4).and_then(|part| part.try_into().ok()).map(u32::from_ne_bytes)
}

/// The 64-bit number at `at`, if `bytes` reaches that far.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    bytes.get(at..at + 8).and_then(|part| part.try_into().ok()).map(u64::from_ne_bytes)
}

/// A text attribute without its NUL.
pub(super) fn text(value: &[u8]) -> String {
    let end = value.iter().position(|byte| *byte == 0).unwrap_or(value.len());
    String::from_utf8_lossy(&value[..end]).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let mut request = Request::new(16, 5, &[7; 16]);
        request.put_str(3, "eth0").nest(18, |info| {
            info.put_u16(1, 0x1234).put_u32(2, 0xdead_beef);
        });
        let bytes = request.finish(42);
        let message = messages(&bytes).next().expect("one message");
        assert_eq!((message.kind, message.flags, message.sequence), (16, 5, 42));
        let read: Vec<_> = attributes(&message.payload[16..]).collect();
        assert_eq!(read[0], (3, b"eth0\0".as_slice()));
        assert_eq!(text(read[0].1), "eth0");
        let inside: Vec<_> = attributes(read[1].1).collect();
        assert_eq!(read[1].0, 18);
        assert_eq!((u16_at(inside[0].1, 0), u32_at(inside[1].1, 0)), (Some(0x1234), Some(0xdead_beef)));
    }

    #[test]
    fn broken_lengths_end_the_reading() {
        assert_eq!(messages(&[3, 0, 0, 0]).count(), 0);
        assert_eq!(messages(&[255; 16]).count(), 0);
        assert_eq!(attributes(&[200, 0, 1, 0]).count(), 0);
        assert_eq!(attributes(&[2, 0, 1, 0]).count(), 0);
    }
}
