//! AES in counter mode with HMAC (RFC 4344, RFC 6668): what protects one direction.

use aes::cipher::{BlockCipherEncrypt, KeyInit};
use aes::{Aes128, Aes256};
use ring::hmac;

/// Bytes in a block of AES.
pub const BLOCK: usize = 16;

/// Bytes of an authentication code.
pub const TAG: usize = 32;

enum Aes {
    Short(Box<Aes128>),
    Long(Box<Aes256>),
}

/// One direction.
pub struct Cipher {
    aes: Aes,
    counter: u128,
    mac: hmac::Key,
}

impl Cipher {
    /// With a key of 16 or 32 bytes; `None` for other lengths.
    pub fn new(key: &[u8], counter: [u8; BLOCK], mac: &[u8]) -> Option<Cipher> {
        let aes = match key.len() {
            16 => Aes::Short(Box::new(Aes128::new_from_slice(key).ok()?)),
            32 => Aes::Long(Box::new(Aes256::new_from_slice(key).ok()?)),
            _ => return None,
        };
        Some(Cipher { aes, counter: u128::from_be_bytes(counter), mac: hmac::Key::new(hmac::HMAC_SHA256, mac) })
    }

    /// Encrypts or decrypts whole blocks in their place.
    pub fn apply(&mut self, data: &mut [u8]) {
        for block in data.chunks_mut(BLOCK) {
            let mut pad = aes::Block::from(self.counter.to_be_bytes());
            match &self.aes {
                Aes::Short(aes) => aes.encrypt_block(&mut pad),
                Aes::Long(aes) => aes.encrypt_block(&mut pad),
            }
            self.counter = self.counter.wrapping_add(1);
            for (byte, pad) in block.iter_mut().zip(pad.iter()) {
                *byte ^= pad;
            }
        }
    }

    /// The code of the packet with this number.
    pub fn sign(&self, number: u32, packet: &[u8]) -> [u8; TAG] {
        let mut context = hmac::Context::with_key(&self.mac);
        context.update(&number.to_be_bytes());
        context.update(packet);
        let mut tag = [0; TAG];
        tag.copy_from_slice(context.sign().as_ref());
        tag
    }

    /// Whether a packet is what was sent.
    pub fn verify(&self, number: u32, packet: &[u8], tag: &[u8]) -> bool {
        let mut signed = number.to_be_bytes().to_vec();
        signed.extend_from_slice(packet);
        hmac::verify(&self.mac, &signed, tag).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first test vectors of RFC 3686 for each length, whose counter block is nonce, IV and 1.
    #[test]
    fn known_vectors() {
        let hex = |text: &str| data_encoding::HEXUPPER.decode(text.replace(' ', "").as_bytes()).expect("hexadecimal");
        let counter = |text: &str| <[u8; BLOCK]>::try_from(hex(text)).expect("a block");
        for (key, first, wanted) in [
            (
                "AE6852F8121067CC4BF7A5765577F39E",
                "00000030000000000000000000000001",
                "E4095D4FB7A7B3792D6175A3261311B8",
            ),
            (
                "776BEFF2851DB06F4C8A0542C8696F6C6A81AF1EEC96B4D37FC1D689E6C1C104",
                "00000060DB5672C97AA8F0B200000001",
                "145AD01DBF824EC7560863DC71E3E0C0",
            ),
        ] {
            let mut text = *b"Single block msg";
            Cipher::new(&hex(key), counter(first), b"").expect("a key").apply(&mut text);
            assert_eq!(text.to_vec(), hex(wanted));
        }
        let cipher = Cipher::new(&[0; 16], [0; BLOCK], b"key").expect("a key");
        let tag = cipher.sign(1, b"packet");
        assert!(cipher.verify(1, b"packet", &tag) && !cipher.verify(2, b"packet", &tag));
        assert!(Cipher::new(&[0; 24], [0; BLOCK], b"").is_none());
    }
}
