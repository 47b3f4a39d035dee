//! Channels (RFC 4254): each that asks for the subsystem `sftp` gets a connection of its own.

use std::collections::HashMap;
use std::future::Future;
use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::sync::{Semaphore, mpsc};

use super::packet::{In, Out, broken, message};
use super::transport::Transport;
use super::{HostKey, exchange};

/// How many bytes a client may send before we have passed them on.
const WINDOW: u32 = 2 << 20;

/// Bytes of data in one packet.
const PIECE: u32 = 32 * 1024;

/// How many channels one client may have.
const MOST: usize = 16;

/// What happens beside the client's packets.
enum Happening {
    /// Bytes for the client.
    Data(u32, Vec<u8>),
    /// As many bytes of the client's have been passed on.
    Passed(u32, u32),
    /// The connection has ended, or could not be opened.
    Ended(u32),
}

/// What is known of a channel.
struct Channel {
    /// Its number at the client's.
    theirs: u32,
    /// How many bytes the client will take.
    window: Arc<Semaphore>,
    /// The largest piece that it takes.
    piece: u32,
    /// Its bytes go here, once it is connected.
    to: Option<mpsc::UnboundedSender<Vec<u8>>>,
    /// What it may still send.
    left: u32,
    closed: bool,
}

/// Serves channels until the client goes.
///
/// # Errors
/// When the connection breaks, or the client breaks the rules.
pub async fn run<S, T, F>(
    transport: &mut Transport<S>,
    key: &HostKey,
    connect: Arc<impl Fn() -> F + Send + Sync + 'static>,
) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    F: Future<Output = io::Result<T>> + Send + 'static,
{
    let (happens, mut happenings) = mpsc::channel(8);
    let mut channels = HashMap::new();
    loop {
        tokio::select! {
            packet = transport.receive() => {
                let packet = match packet {
                    Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(()),
                    packet => packet?,
                };
                if packet[0] == message::KEXINIT {
                    exchange::run(transport, key, Some(packet)).await?;
                } else if let Some(number) = hear(transport, &mut channels, &packet).await? {
                    start(&mut channels, number, connect.clone(), happens.clone());
                }
            }
            Some(happening) = happenings.recv() => tell(transport, &mut channels, happening).await?,
        }
    }
}

/// Deals with a packet of the client; gives the channel that is to be connected now.
async fn hear<S: AsyncRead + AsyncWrite + Unpin>(
    transport: &mut Transport<S>,
    channels: &mut HashMap<u32, Channel>,
    packet: &[u8],
) -> io::Result<Option<u32>> {
    let mut rest = In(&packet[1..]);
    if packet[0] == message::GLOBAL_REQUEST {
        rest.string()?;
        if rest.byte()? != 0 {
            transport.send(&Out::new(message::REQUEST_FAILURE)).await?;
        }
        return Ok(None);
    }
    if packet[0] == message::CHANNEL_OPEN {
        return open(transport, channels, rest).await.map(|()| None);
    }
    if !(message::CHANNEL_WINDOW_ADJUST..=message::CHANNEL_REQUEST).contains(&packet[0]) {
        transport.refuse().await?;
        return Ok(None);
    }
    let number = rest.number()?;
    let channel = channels.get_mut(&number).ok_or_else(|| broken("a packet for a channel that is not open"))?;
    match packet[0] {
        message::CHANNEL_WINDOW_ADJUST => {
            let more = rest.number()? as usize;
            // More than it could hold would be a panic of the semaphore's.
            if more <= Semaphore::MAX_PERMITS - channel.window.available_permits() {
                channel.window.add_permits(more);
            }
        }
        message::CHANNEL_DATA => {
            let data = rest.string()?;
            let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
            channel.left = channel.left.checked_sub(length).ok_or_else(|| broken("more data than was permitted"))?;
            if let Some(to) = &channel.to {
                let _ = to.send(data.to_vec());
            }
        }
        message::CHANNEL_EOF => channel.to = None,
        message::CHANNEL_CLOSE => {
            let (theirs, closed) = (channel.theirs, channel.closed);
            channels.remove(&number);
            if !closed {
                transport.send(&Out::new(message::CHANNEL_CLOSE).number(theirs)).await?;
            }
        }
        message::CHANNEL_REQUEST => {
            let (what, answered) = (rest.string()?, rest.byte()? != 0);
            let taken = what == b"subsystem" && rest.string()? == b"sftp" && channel.to.is_none();
            if answered {
                let answer = if taken { message::CHANNEL_SUCCESS } else { message::CHANNEL_FAILURE };
                let theirs = channel.theirs;
                transport.send(&Out::new(answer).number(theirs)).await?;
            }
            return Ok(taken.then_some(number));
        }
        _ => {}
    }
    Ok(None)
}

async fn open<S: AsyncRead + AsyncWrite + Unpin>(
    transport: &mut Transport<S>,
    channels: &mut HashMap<u32, Channel>,
    mut rest: In<'_>,
) -> io::Result<()> {
    /// Reasons of RFC 4254, section 5.1.
    const UNKNOWN_TYPE: u32 = 3;
    const SHORTAGE: u32 = 4;
    let (kind, theirs, window, piece) = (rest.string()?, rest.number()?, rest.number()?, rest.number()?);
    let refused = match kind {
        b"session" if channels.len() < MOST => None,
        b"session" => Some(SHORTAGE),
        _ => Some(UNKNOWN_TYPE),
    };
    if let Some(reason) = refused {
        let failure = Out::new(message::CHANNEL_OPEN_FAILURE).number(theirs).number(reason);
        return transport.send(&failure.string(b"only sessions, and few").string(b"")).await;
    }
    let number = (0..).find(|number| !channels.contains_key(number)).unwrap_or(0);
    let channel = Channel {
        theirs,
        window: Arc::new(Semaphore::new(window as usize)),
        piece: piece.clamp(1, PIECE),
        to: None,
        left: WINDOW,
        closed: false,
    };
    channels.insert(number, channel);
    let confirmed = Out::new(message::CHANNEL_OPEN_CONFIRMATION).number(theirs).number(number);
    transport.send(&confirmed.number(WINDOW).number(PIECE)).await
}

/// Connects a channel: bytes go both ways, each on a task of its own, so that none waits for the other.
fn start<T, F>(
    channels: &mut HashMap<u32, Channel>,
    number: u32,
    connect: Arc<impl Fn() -> F + Send + Sync + 'static>,
    happens: mpsc::Sender<Happening>,
) where
    T: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    F: Future<Output = io::Result<T>> + Send + 'static,
{
    let Some(channel) = channels.get_mut(&number) else { return };
    let (to, mut bytes) = mpsc::unbounded_channel::<Vec<u8>>();
    channel.to = Some(to);
    let (window, piece) = (channel.window.clone(), channel.piece);
    tokio::spawn(async move {
        let Ok(stream) = connect().await else {
            let _ = happens.send(Happening::Ended(number)).await;
            return;
        };
        let (mut from, mut into) = tokio::io::split(stream);
        let passed = happens.clone();
        let writer = tokio::spawn(async move {
            while let Some(data) = bytes.recv().await {
                let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
                if into.write_all(&data).await.is_err() || passed.send(Happening::Passed(number, length)).await.is_err()
                {
                    return;
                }
            }
            let _ = into.shutdown().await;
        });
        let mut buffer = vec![0; piece as usize];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            // A client that takes no more for ever ends with its connection.
            let Ok(permits) = window.acquire_many(u32::try_from(count).unwrap_or(0)).await else { break };
            permits.forget();
            if happens.send(Happening::Data(number, buffer[..count].to_vec())).await.is_err() {
                break;
            }
        }
        writer.abort();
        let _ = happens.send(Happening::Ended(number)).await;
    });
}

/// Tells the client what has happened.
async fn tell<S: AsyncRead + AsyncWrite + Unpin>(
    transport: &mut Transport<S>,
    channels: &mut HashMap<u32, Channel>,
    happening: Happening,
) -> io::Result<()> {
    let (Happening::Data(number, _) | Happening::Passed(number, _) | Happening::Ended(number)) = happening;
    // What comes from a channel that the client has closed already is for nobody.
    let Some(channel) = channels.get_mut(&number).filter(|channel| !channel.closed) else { return Ok(()) };
    let theirs = channel.theirs;
    match happening {
        Happening::Data(_, data) => transport.send(&Out::new(message::CHANNEL_DATA).number(theirs).string(&data)).await,
        Happening::Passed(_, count) => {
            channel.left += count;
            transport.send(&Out::new(message::CHANNEL_WINDOW_ADJUST).number(theirs).number(count)).await
        }
        Happening::Ended(_) => {
            channel.closed = true;
            transport.send(&Out::new(message::CHANNEL_EOF).number(theirs)).await?;
            transport.send(&Out::new(message::CHANNEL_CLOSE).number(theirs)).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A small generator (xorshift), so that a failure is the same each time.
    struct Bytes(u64);

    impl Bytes {
        fn next(&mut self) -> u8 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0.to_be_bytes()[3]
        }
    }

    #[tokio::test]
    async fn whatever_a_client_says_is_answered_or_refused() {
        let (ours, mut theirs) = tokio::io::duplex(8 << 20);
        theirs.write_all(b"SSH-2.0-test\r\n").await.expect("written");
        let mut transport = Transport::greet(ours).await.expect("greeted");
        let (mut channels, mut bytes) = (HashMap::new(), Bytes(88_172_645_463_325_252));
        let kinds = [message::GLOBAL_REQUEST, message::CHANNEL_OPEN, 93, 94, 95, 96, 97, 98, 99, 250];
        let mut opened = 0;
        for round in 0..5_000u32 {
            let kind = kinds[usize::from(bytes.next()) % kinds.len()];
            let packet = match bytes.next() % 4 {
                // A session as it should be, and a packet for it; the rest is noise.
                0 => Out::new(message::CHANNEL_OPEN).string(b"session").number(round).number(u32::MAX).number(9).0,
                1 => Out::new(kind).number(round % 20).number(u32::from(bytes.next())).string(b"sftp").0,
                _ => std::iter::once(kind).chain((0..bytes.next() % 24).map(|_| bytes.next())).collect(),
            };
            let _ = hear(&mut transport, &mut channels, &packet).await;
            opened = opened.max(channels.len());
            if round % 64 == 0 {
                let mut drained = vec![0; 1 << 20];
                let _ = theirs.read(&mut drained).await.expect("answers");
            }
        }
        assert!(opened > 1 && opened <= MOST, "{opened}");
    }
}
