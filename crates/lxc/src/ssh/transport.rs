//! Packets over a stream: bounded, padded, and protected once there are keys (RFC 4253, section 6).

use std::io;

use bytes::BytesMut;
use ring::rand::{SecureRandom, SystemRandom};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::cipher::{BLOCK, Cipher, TAG};
use super::packet::{Out, broken, message};

/// What we call ourselves.
pub const VERSION: &str = "SSH-2.0-corten";

/// The longest packet that is read, in bytes; the protocol asks for 35,000.
const LONGEST: usize = 64 * 1024;

/// The longest line in which a client says what it is (RFC 4253, section 4.2).
const LONGEST_LINE: usize = 255;

/// A connection.
pub struct Transport<S> {
    stream: S,
    buffer: BytesMut,
    incoming: Option<Cipher>,
    outgoing: Option<Cipher>,
    received: u32,
    sent: u32,
    /// The first block of the next packet has been decrypted already.
    begun: bool,
    /// What the client calls itself.
    pub client: String,
    /// The hash of the first key exchange.
    pub session: Vec<u8>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Transport<S> {
    /// Says what we are and hears what the client is.
    ///
    /// # Errors
    /// When it does not speak SSH 2.
    pub async fn greet(mut stream: S) -> io::Result<Transport<S>> {
        stream.write_all(format!("{VERSION}\r\n").as_bytes()).await?;
        let mut buffer = BytesMut::new();
        let line = loop {
            if let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                break buffer.split_to(end + 1);
            }
            if buffer.len() > LONGEST_LINE || stream.read_buf(&mut buffer).await? == 0 {
                return Err(broken("the client does not say what it is"));
            }
        };
        let client = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_string();
        if !client.starts_with("SSH-2.0-") && !client.starts_with("SSH-1.99-") {
            return Err(broken("the client does not speak SSH 2"));
        }
        Ok(Transport {
            stream,
            buffer,
            incoming: None,
            outgoing: None,
            received: 0,
            sent: 0,
            begun: false,
            client,
            session: Vec::new(),
        })
    }

    /// Uses a new key for what comes.
    pub fn set_incoming(&mut self, cipher: Cipher) {
        self.incoming = Some(cipher);
    }

    /// Uses a new key for what goes.
    pub fn set_outgoing(&mut self, cipher: Cipher) {
        self.outgoing = Some(cipher);
    }

    /// The next packet's content that means something. May be dropped while it waits, and called again.
    ///
    /// # Errors
    /// When the stream ends or breaks, the client disconnects, or a packet is not what was sent.
    pub async fn receive(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let Some(packet) = self.parse()? else {
                if self.stream.read_buf(&mut self.buffer).await? == 0 {
                    return Err(io::ErrorKind::UnexpectedEof.into());
                }
                continue;
            };
            match packet.first() {
                Some(&message::DISCONNECT) => return Err(io::ErrorKind::UnexpectedEof.into()),
                None | Some(&(message::IGNORE | message::DEBUG | message::UNIMPLEMENTED)) => {}
                Some(_) => return Ok(packet),
            }
        }
    }

    /// Takes a whole packet off the buffer, if there is one.
    fn parse(&mut self) -> io::Result<Option<Vec<u8>>> {
        let first = if self.incoming.is_some() { BLOCK } else { 8 };
        if self.buffer.len() < first {
            return Ok(None);
        }
        if let (Some(cipher), false) = (&mut self.incoming, self.begun) {
            cipher.apply(&mut self.buffer[..BLOCK]);
        }
        self.begun = true;
        let length = u32::from_be_bytes([self.buffer[0], self.buffer[1], self.buffer[2], self.buffer[3]]) as usize;
        let whole = length + 4;
        if !(first..=LONGEST).contains(&whole) || (self.incoming.is_some() && !whole.is_multiple_of(BLOCK)) {
            return Err(broken("a packet of a length that there is not"));
        }
        let tag = if self.incoming.is_some() { TAG } else { 0 };
        if self.buffer.len() < whole + tag {
            return Ok(None);
        }
        let mut packet = self.buffer.split_to(whole);
        if let Some(cipher) = &mut self.incoming {
            cipher.apply(&mut packet[BLOCK..]);
            let tag = self.buffer.split_to(TAG);
            if !cipher.verify(self.received, &packet, &tag) {
                return Err(broken("a packet has been changed on its way"));
            }
        }
        self.received = self.received.wrapping_add(1);
        self.begun = false;
        let padding = usize::from(packet[4]);
        let content = packet.get(5..whole.saturating_sub(padding));
        Ok(Some(content.ok_or_else(|| broken("a packet with too much padding"))?.to_vec()))
    }

    /// Sends a packet.
    ///
    /// # Errors
    /// When the stream breaks.
    pub async fn send(&mut self, content: &Out) -> io::Result<()> {
        // Whole blocks, of which at least four bytes are padding.
        let padding = BLOCK - (content.0.len() + 5) % BLOCK;
        let padding = if padding < 4 { padding + BLOCK } else { padding };
        let length = content.0.len() + 1 + padding;
        let mut packet = Vec::with_capacity(length + 4 + TAG);
        packet.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
        packet.push(u8::try_from(padding).unwrap_or(u8::MAX));
        packet.extend_from_slice(&content.0);
        let mut random = [0; 2 * BLOCK];
        SystemRandom::new().fill(&mut random).map_err(|_| io::Error::other("no random numbers"))?;
        packet.extend_from_slice(&random[..padding]);
        if let Some(cipher) = &mut self.outgoing {
            let tag = cipher.sign(self.sent, &packet);
            cipher.apply(&mut packet);
            packet.extend_from_slice(&tag);
        }
        self.sent = self.sent.wrapping_add(1);
        self.stream.write_all(&packet).await
    }

    /// Says that the last packet means nothing here.
    ///
    /// # Errors
    /// When the stream breaks.
    pub async fn refuse(&mut self) -> io::Result<()> {
        let number = self.received.wrapping_sub(1);
        self.send(&Out::new(message::UNIMPLEMENTED).number(number)).await
    }
}
