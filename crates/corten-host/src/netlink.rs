//! Links, addresses and routes over rtnetlink: a small synchronous socket (rtnetlink(7)), usable in any namespace.
//!
//! A [`Socket`] belongs to the network namespace in which it was opened, wherever it is used later. So a running
//! container's interfaces are read and changed without a process in it: [`Socket::in_namespace`].

use std::cell::{Cell, RefCell};
use std::os::fd::{BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

use message::{Message, Request, messages, u32_at};

pub mod address;
pub mod bridge;
pub mod cable;
pub mod create;
pub mod link;
pub mod mac;
mod message;
pub mod neighbour;
pub mod qdisc;
pub mod route;
pub mod state;

/// `NLMSG_ERROR`: the outcome of a request; 0 is success.
const OUTCOME: u16 = 2;
/// `NLMSG_DONE`: the end of a list.
const DONE: u16 = 3;
/// `NLM_F_REQUEST`.
const REQUEST: u16 = 0x1;
/// `NLM_F_ACK`: answer also when all went well.
const ACK: u16 = 0x4;
/// `NLM_F_DUMP_INTR`: the list changed while it was read.
const INTERRUPTED: u16 = 0x10;
/// `NLM_F_DUMP`: list everything.
const DUMP: u16 = 0x300;
/// `NLM_F_REPLACE`.
const REPLACE: u16 = 0x100;
/// `NLM_F_EXCL`.
const EXCLUSIVE: u16 = 0x200;
/// `NLM_F_CREATE`.
const CREATE: u16 = 0x400;
/// Where requests go.
const KERNEL: SocketAddrNetlink = SocketAddrNetlink::new(0, 0);
/// The kernel fills at most this much per datagram when the buffer allows it (`NLMSG_GOODSIZE` of lists).
const BUFFER: usize = 32 * 1024;
/// How often a list is read anew because it changed meanwhile, before what came is taken.
const RETRIES: u32 = 8;

/// Why the kernel did not do what was asked.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {errno}")]
pub struct Error {
    /// What was being done, and to what.
    pub doing: String,
    /// What the kernel said.
    pub errno: Errno,
}

impl Error {
    fn new(doing: impl Into<String>, errno: Errno) -> Error {
        Error { doing: doing.into(), errno }
    }

    /// Whether the link, address or route was not there.
    pub fn is_missing(&self) -> bool {
        matches!(self.errno, Errno::NODEV | Errno::NOENT | Errno::SRCH | Errno::ADDRNOTAVAIL)
    }

    /// Whether the thing to be made was there already.
    pub fn is_existing(&self) -> bool {
        self.errno == Errno::EXIST
    }
}

/// Shorthand for results of netlink requests.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// A connection to the kernel's routing subsystem of one network namespace.
pub struct Socket {
    fd: OwnedFd,
    sequence: Cell<u32>,
    buffer: RefCell<Vec<u8>>,
}

impl Socket {
    /// Opens a socket in the calling thread's network namespace.
    ///
    /// # Errors
    /// When the process has no descriptor or memory left.
    pub fn open() -> Result<Socket> {
        // Protocol 0 of netlink is NETLINK_ROUTE.
        let fd = rustix::net::socket_with(AddressFamily::NETLINK, SocketType::RAW, SocketFlags::CLOEXEC, None)
            .map_err(|errno| Error::new("opening a netlink socket", errno))?;
        Ok(Socket { fd, sequence: Cell::new(0), buffer: RefCell::new(Vec::new()) })
    }

    /// Opens a socket in the network namespace that `netns` refers to. A thread made for it enters the namespace,
    /// opens the socket and ends, so that no thread of the caller is ever elsewhere.
    ///
    /// # Errors
    /// When `netns` is no network namespace or the caller lacks `CAP_SYS_ADMIN` over it.
    pub fn in_namespace(netns: BorrowedFd<'_>) -> Result<Socket> {
        let enter = || {
            move_into_link_name_space(netns, Some(LinkNameSpaceType::Network))
                .map_err(|errno| Error::new("entering a network namespace", errno))?;
            Socket::open()
        };
        std::thread::scope(|scope| {
            let thread = std::thread::Builder::new().name("netns".into()).stack_size(64 * 1024);
            let handle = thread
                .spawn_scoped(scope, enter)
                .map_err(|_| Error::new("starting a thread for a network namespace", Errno::AGAIN))?;
            handle.join().unwrap_or_else(|_| Err(Error::new("entering a network namespace", Errno::IO)))
        })
    }

    /// Sends a request that changes something and waits for its outcome.
    fn change(&self, doing: &str, request: Request) -> Result<()> {
        self.exchange(doing, request, |_| ())
    }

    /// Sends a request and hands each message of the answer to `take`, until the outcome or the end of the list.
    /// Returns an error for a list that changed while it was read.
    fn exchange(&self, doing: &str, request: Request, mut take: impl FnMut(&Message<'_>)) -> Result<()> {
        let failed = |errno| Error::new(doing, errno);
        let sequence = self.sequence.get().wrapping_add(1);
        self.sequence.set(sequence);
        let bytes = request.finish(sequence);
        rustix::net::sendto(&self.fd, &bytes, SendFlags::empty(), &KERNEL).map_err(failed)?;
        let mut interrupted = false;
        let mut buffer = self.buffer.borrow_mut();
        buffer.resize(BUFFER, 0);
        loop {
            let (length, _) =
                rustix::io::retry_on_intr(|| rustix::net::recv(&self.fd, buffer.as_mut_slice(), RecvFlags::empty()))
                    .map_err(failed)?;
            for message in messages(&buffer[..length]).filter(|message| message.sequence == sequence) {
                interrupted |= message.flags & INTERRUPTED != 0;
                match message.kind {
                    OUTCOME | DONE => {
                        let code = u32_at(message.payload, 0).unwrap_or(0).cast_signed();
                        return match code {
                            0 if interrupted => Err(failed(Errno::INTR)),
                            0 => Ok(()),
                            code => Err(failed(Errno::from_raw_os_error(-code))),
                        };
                    }
                    _ => take(&message),
                }
            }
        }
    }

    /// Reads a list: `request` makes the request anew for each try, since a list may change while it is read.
    fn list<T>(
        &self,
        doing: &str,
        request: impl Fn() -> Request,
        parse: impl Fn(&Message<'_>) -> Option<T>,
    ) -> Result<Vec<T>> {
        for _ in 0..RETRIES {
            let mut found = Vec::new();
            match self.exchange(doing, request(), |message| found.extend(parse(message))) {
                Err(error) if error.errno == Errno::INTR => {}
                other => return other.map(|()| found),
            }
        }
        Err(Error::new(format!("{doing}: the list kept changing"), Errno::AGAIN))
    }
}
