//! Questions in packets.

use std::sync::Arc;

use corten_network::zone::answer::Way;
use tokio::net::UdpSocket;
use tokio::sync::Semaphore;

use super::{Answering, answers};

/// How many questions are answered at once; what comes beyond is dropped, and asked again.
const MOST: usize = 16;
/// The largest question that is read, in bytes: one name and a signature are far shorter.
const LARGEST: usize = 4096;

/// Answers until the task is ended.
pub(super) async fn serve(socket: UdpSocket, answering: Answering) {
    let (socket, room) = (Arc::new(socket), Arc::new(Semaphore::new(MOST)));
    let mut buffer = vec![0; LARGEST];
    loop {
        // An error is about an answer that could not be delivered.
        let Ok((length, from)) = socket.recv_from(&mut buffer).await else { continue };
        let Ok(place) = room.clone().try_acquire_owned() else { continue };
        let message = buffer.get(..length).unwrap_or_default().to_vec();
        let (socket, answering) = (socket.clone(), answering.clone());
        tokio::spawn(async move {
            for answer in answers(&answering, from.ip(), Way::Udp, message).await {
                let _ = socket.send_to(&answer, from).await;
            }
            drop(place);
        });
    }
}
