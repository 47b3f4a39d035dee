//! The trust password, kept as LXD keeps it: 32 bytes of salt and 64 of scrypt (RFC 7914), in hexadecimal.

use corten_api::error::{Error, Result};
use data_encoding::HEXLOWER_PERMISSIVE as HEX;
use sha2::{Digest, Sha256};

const SALT: usize = 32;
const HASH: usize = 64;
/// scrypt's cost parameters N and r; its p is 1.
const COST: (usize, usize) = (1 << 14, 8);

/// What to remember of a new password.
///
/// # Errors
/// When the kernel gives no random bytes.
pub fn hash(password: &str) -> Result<String> {
    let mut salt = [0; SALT];
    getrandom::fill(&mut salt)
        .map_err(|error| Error::internal(format!("Failed to get random bytes from the kernel: {error}")))?;
    let hash = scrypt(password.as_bytes(), &salt, COST, HASH);
    Ok(HEX.encode(&[&salt[..], &hash].concat()))
}

/// Whether `password` is the one that `remembered` was made of.
pub fn verify(remembered: &str, password: &str) -> bool {
    let Ok(bytes) = HEX.decode(remembered.as_bytes()) else { return false };
    let Some((salt, hash)) = bytes.split_at_checked(SALT).filter(|(_, hash)| hash.len() == HASH) else { return false };
    let made = scrypt(password.as_bytes(), salt, COST, HASH);
    // Every byte is looked at, so that the time taken tells nothing.
    made.iter().zip(hash).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

/// HMAC-SHA-256 (RFC 2104).
fn hmac(key: &[u8], parts: &[&[u8]]) -> [u8; 32] {
    let mut block = [0; 64];
    match key.len() {
        0..=64 => block[..key.len()].copy_from_slice(key),
        _ => block[..32].copy_from_slice(&Sha256::digest(key)),
    }
    let pad = |with: u8| block.map(|byte| byte ^ with);
    let mut inside = Sha256::new_with_prefix(pad(0x36));
    parts.iter().for_each(|part| inside.update(part));
    Sha256::new_with_prefix(pad(0x5c)).chain_update(inside.finalize()).finalize().into()
}

/// PBKDF2 (RFC 8018) with HMAC-SHA-256 and one iteration, which is all that scrypt needs.
fn pbkdf2(password: &[u8], salt: &[u8], length: usize) -> Vec<u8> {
    let blocks = (1_u32..).map(|number| hmac(password, &[salt, &number.to_be_bytes()]));
    blocks.flatten().take(length).collect()
}

/// RFC 7914, 6, with p = 1.
fn scrypt(password: &[u8], salt: &[u8], (n, r): (usize, usize), length: usize) -> Vec<u8> {
    let start = pbkdf2(password, salt, 128 * r);
    let mut block: Vec<u32> =
        start.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect();
    let mut seen = Vec::with_capacity(n * block.len());
    for _ in 0..n {
        seen.extend_from_slice(&block);
        block = mix(&block);
    }
    for _ in 0..n {
        // N is a power of two far below 2^32, so that the low word alone says which block.
        let at = block[block.len() - 16] as usize % n * block.len();
        let other = &seen[at..at + block.len()];
        block.iter_mut().zip(other).for_each(|(word, other)| *word ^= other);
        block = mix(&block);
    }
    let end: Vec<u8> = block.iter().flat_map(|word| word.to_le_bytes()).collect();
    pbkdf2(password, &end, length)
}

/// scryptBlockMix of RFC 7914, 4: even results first, then the odd ones.
fn mix(block: &[u32]) -> Vec<u32> {
    let mut state: [u32; 16] = std::array::from_fn(|word| block[block.len() - 16 + word]);
    let mut mixed = vec![0; block.len()];
    for (number, part) in block.chunks_exact(16).enumerate() {
        state.iter_mut().zip(part).for_each(|(word, other)| *word ^= other);
        salsa(&mut state);
        let place = (number / 2 + number % 2 * (block.len() / 32)) * 16;
        mixed[place..place + 16].copy_from_slice(&state);
    }
    mixed
}

/// Which words a quarter of Salsa20's double round works on: columns, then rows (RFC 7914, 3).
const QUARTERS: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [5, 9, 13, 1],
    [10, 14, 2, 6],
    [15, 3, 7, 11],
    [0, 1, 2, 3],
    [5, 6, 7, 4],
    [10, 11, 8, 9],
    [15, 12, 13, 14],
];

/// The Salsa20/8 core.
fn salsa(state: &mut [u32; 16]) {
    let mut x = *state;
    for _ in 0..4 {
        for [a, b, c, d] in QUARTERS {
            x[b] ^= x[a].wrapping_add(x[d]).rotate_left(7);
            x[c] ^= x[b].wrapping_add(x[a]).rotate_left(9);
            x[d] ^= x[c].wrapping_add(x[b]).rotate_left(13);
            x[a] ^= x[d].wrapping_add(x[c]).rotate_left(18);
        }
    }
    state.iter_mut().zip(x).for_each(|(word, mixed)| *word = word.wrapping_add(mixed));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrypt_gives_what_the_rfc_says() {
        let made = scrypt(b"", b"", (16, 1), 64);
        let wanted = "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442\
                      fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906";
        assert_eq!(HEX.encode(&made), wanted);
        let made = scrypt(b"pleaseletmein", b"SodiumChloride", (16384, 8), 64);
        assert!(HEX.encode(&made).starts_with("7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2"));
    }

    #[test]
    fn only_the_same_password_matches() {
        let kept = hash("sekret").expect("random bytes");
        assert!(verify(&kept, "sekret") && !verify(&kept, "Sekret"));
        assert!(!verify("zz", "sekret") && !verify("00", "sekret") && !verify("", ""));
    }
}
