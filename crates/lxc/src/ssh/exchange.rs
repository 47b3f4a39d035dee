//! Agreeing on keys: curve25519-sha256 (RFC 8731), proved by the server's ed25519 key (RFC 8709).

use std::io;

use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::KeyPair;
use tokio::io::{AsyncRead, AsyncWrite};

use super::HostKey;
use super::cipher::{BLOCK, Cipher};
use super::packet::{In, Out, broken, message};
use super::transport::{Transport, VERSION};

const EXCHANGES: &[&str] = &["curve25519-sha256", "curve25519-sha256@libssh.org"];
const KEYS: &[&str] = &["ssh-ed25519"];
const CIPHERS: &[&str] = &["aes256-ctr", "aes128-ctr"];
const CODES: &[&str] = &["hmac-sha2-256"];
const COMPRESSION: &[&str] = &["none"];

/// Lists in the order of a KEXINIT; each of the last three is there for both directions, and languages stay empty.
const OFFER: [&[&str]; 10] = [EXCHANGES, KEYS, CIPHERS, CIPHERS, CODES, CODES, COMPRESSION, COMPRESSION, &[], &[]];

fn offer() -> io::Result<Out> {
    let mut cookie = [0; 16];
    SystemRandom::new().fill(&mut cookie).map_err(|_| io::Error::other("no random numbers"))?;
    let mut offer = Out::new(message::KEXINIT);
    offer.0.extend_from_slice(&cookie);
    Ok(OFFER.iter().fold(offer, |offer, names| offer.string(names.join(",").as_bytes())).byte(0).number(0))
}

/// What was agreed on.
struct Agreed {
    /// Bytes of the key for what the client sends, and for what we send.
    key_lengths: [usize; 2],
    /// The client has sent a first packet for an exchange that it guessed wrong.
    skip: bool,
}

fn agree(theirs: &[u8]) -> io::Result<Agreed> {
    let mut rest = In(theirs.get(17..).ok_or_else(|| broken("an offer that is too short"))?);
    let mut chosen = Vec::new();
    let mut guessed = true;
    for (place, ours) in OFFER.iter().enumerate() {
        let names = rest.names()?;
        if place < 2 {
            guessed &= names.first() == ours.first();
        }
        let name = names.into_iter().find(|name| ours.contains(name));
        if name.is_none() && !ours.is_empty() {
            return Err(broken("the client has no algorithm in common with us"));
        }
        chosen.push(name.unwrap_or_default());
    }
    let follows = rest.byte()? != 0;
    let length = |name: &str| if name == "aes256-ctr" { 32 } else { 16 };
    Ok(Agreed { key_lengths: [length(chosen[2]), length(chosen[3])], skip: follows && !guessed })
}

/// Makes new keys. `theirs` is the client's offer when that has been read already.
///
/// # Errors
/// When the connection breaks, or nothing can be agreed on.
pub async fn run<S: AsyncRead + AsyncWrite + Unpin>(
    transport: &mut Transport<S>,
    key: &HostKey,
    theirs: Option<Vec<u8>>,
) -> io::Result<()> {
    let ours = offer()?;
    transport.send(&ours).await?;
    let theirs = match theirs {
        Some(theirs) => theirs,
        None => expect(transport, message::KEXINIT).await?,
    };
    let agreed = agree(&theirs)?;
    if agreed.skip {
        transport.receive().await?;
    }
    let init = expect(transport, message::KEX_ECDH_INIT).await?;
    let client_public = In(&init[1..]).string()?;
    let failed = |_| io::Error::other("no key could be agreed on");
    let random = SystemRandom::new();
    let private = EphemeralPrivateKey::generate(&X25519, &random).map_err(failed)?;
    let public = private.compute_public_key().map_err(failed)?;
    let peer = UnparsedPublicKey::new(&X25519, client_public);
    let secret = agree_ephemeral(private, &peer, |secret| Out::default().integer(secret).0).map_err(failed)?;
    let host_key = Out::default().string(b"ssh-ed25519").string(key.0.public_key().as_ref()).0;
    let mut hashed = Out::default()
        .string(transport.client.as_bytes())
        .string(VERSION.as_bytes())
        .string(&theirs)
        .string(&ours.0)
        .string(&host_key)
        .string(client_public)
        .string(public.as_ref());
    hashed.0.extend_from_slice(&secret);
    let hash = digest(&SHA256, &hashed.0);
    let signature = Out::default().string(b"ssh-ed25519").string(key.0.sign(hash.as_ref()).as_ref()).0;
    let reply = Out::new(message::KEX_ECDH_REPLY).string(&host_key).string(public.as_ref()).string(&signature);
    transport.send(&reply).await?;
    transport.send(&Out::new(message::NEWKEYS)).await?;
    if transport.session.is_empty() {
        transport.session = hash.as_ref().to_vec();
    }
    let session = transport.session.clone();
    let derive = |letter: u8| {
        let mut seed = secret.clone();
        seed.extend_from_slice(hash.as_ref());
        seed.push(letter);
        seed.extend_from_slice(&session);
        digest(&SHA256, &seed)
    };
    let cipher = |iv: u8, key: u8, mac: u8, length: usize| {
        let (mut counter, bytes) = ([0; BLOCK], derive(iv));
        counter.copy_from_slice(&bytes.as_ref()[..BLOCK]);
        let cipher = Cipher::new(&derive(key).as_ref()[..length], counter, derive(mac).as_ref());
        cipher.ok_or_else(|| io::Error::other("a key of a wrong length"))
    };
    transport.set_outgoing(cipher(b'B', b'D', b'F', agreed.key_lengths[1])?);
    expect(transport, message::NEWKEYS).await?;
    transport.set_incoming(cipher(b'A', b'C', b'E', agreed.key_lengths[0])?);
    Ok(())
}

async fn expect<S: AsyncRead + AsyncWrite + Unpin>(transport: &mut Transport<S>, wanted: u8) -> io::Result<Vec<u8>> {
    let packet = transport.receive().await?;
    if packet.first() == Some(&wanted) { Ok(packet) } else { Err(broken("an unexpected packet in a key exchange")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(lists: [&str; 10], follows: u8) -> Vec<u8> {
        let mut offer = Out::new(message::KEXINIT);
        offer.0.extend_from_slice(&[0; 16]);
        lists.iter().fold(offer, |offer, names| offer.string(names.as_bytes())).byte(follows).number(0).0
    }

    #[test]
    fn the_clients_first_that_we_know_is_taken() {
        let exchange = "x,curve25519-sha256";
        let all = |exchange, cipher| {
            [
                exchange,
                "rsa,ssh-ed25519",
                cipher,
                "aes256-ctr",
                "hmac-sha2-256",
                "hmac-sha2-256",
                "none",
                "none",
                "",
                "",
            ]
        };
        let agreed = agree(&offered(all(exchange, "other,aes128-ctr,aes256-ctr"), 1)).expect("agreed");
        assert_eq!((agreed.key_lengths, agreed.skip), ([16, 32], true));
        let agreed = agree(&offered(all(exchange, "aes128-ctr"), 0)).expect("agreed");
        assert!(!agreed.skip);
        assert!(agree(&offered(all("x", "aes128-ctr"), 0)).is_err());
        assert!(agree(&offered(all(exchange, "3des-cbc"), 0)).is_err());
        assert!(agree(&[20; 10]).is_err());
    }
}
