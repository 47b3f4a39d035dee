//! Questions on connections: each message with its length before it.

use std::io::{Error, ErrorKind, Result};
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use corten_network::zone::answer::Way;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::{Answering, answers};

/// How many connections there are at once; who comes beyond is hung up on.
const MOST: usize = 64;
/// How long a client may take for a question, and to take an answer.
const PATIENCE: Duration = Duration::from_secs(8);
/// Waits a moment when no descriptor is left, so that the loop does not spin until one is.
const NO_DESCRIPTORS: Duration = Duration::from_millis(100);

/// Answers until the task is ended.
pub(super) async fn serve(listener: TcpListener, answering: Answering) {
    let room = Arc::new(Semaphore::new(MOST));
    loop {
        let Ok((stream, from)) = listener.accept().await else {
            tokio::time::sleep(NO_DESCRIPTORS).await;
            continue;
        };
        let Ok(place) = room.clone().try_acquire_owned() else { continue };
        let answering = answering.clone();
        tokio::spawn(async move {
            // A client that goes or dawdles is nobody's business.
            let _ = talk(stream, from.ip(), &answering).await;
            drop(place);
        });
    }
}

async fn talk(mut stream: TcpStream, from: IpAddr, answering: &Answering) -> Result<()> {
    loop {
        let message = timeout(PATIENCE, read(&mut stream)).await??;
        let answers = answers(answering, from, Way::Tcp, message).await;
        if answers.is_empty() {
            return Ok(());
        }
        for answer in answers {
            let length = u16::try_from(answer.len()).map_err(|_| Error::from(ErrorKind::InvalidData))?;
            let mut framed = length.to_be_bytes().to_vec();
            framed.extend(answer);
            timeout(PATIENCE, stream.write_all(&framed)).await??;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Result<Vec<u8>> {
    let length = stream.read_u16().await?;
    let mut message = vec![0; usize::from(length)];
    stream.read_exact(&mut message).await?;
    Ok(message)
}
