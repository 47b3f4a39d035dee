//! The DHCP and DNS server of one network: its files, its process, what it has given out.

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use corten_host::file;

use crate::bridge::plan::Plan;
use crate::dnsmasq::allocate::Allocation;
use crate::dnsmasq::hosts::Host;
use crate::dnsmasq::process::Process;
use crate::error::{Error, Result};
use crate::lease::{self, Lease};

pub mod allocate;
mod apparmor;
pub mod arguments;
pub mod hosts;
pub mod process;
pub mod release;

/// Files of hosts are looked at and changed by one thread at a time, of all networks (an address is chosen from them).
static TURN: Mutex<()> = Mutex::new(());

/// The server of the network `name`, whose files are in `dir`.
pub struct Dnsmasq {
    name: String,
    dir: PathBuf,
}

/// Whether a process was left as it was or made anew.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// One that runs with the right arguments was found.
    Adopted,
    /// A new one was started.
    Started,
}

impl Dnsmasq {
    /// The server of a network; touches nothing.
    pub fn new(name: &str, dir: &Path) -> Dnsmasq {
        Dnsmasq { name: name.to_string(), dir: dir.to_path_buf() }
    }

    /// Waits for the caller's turn at the files of hosts.
    pub fn turn(&self) -> MutexGuard<'static, ()> {
        TURN.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn raw_file(&self) -> PathBuf {
        self.dir.join("dnsmasq.raw")
    }

    fn pid_file(&self) -> PathBuf {
        self.dir.join("dnsmasq.pid")
    }

    fn lease_file(&self) -> PathBuf {
        self.dir.join("dnsmasq.leases")
    }

    /// The directory with one file for each NIC.
    pub fn hosts_dir(&self) -> PathBuf {
        self.dir.join("dnsmasq.hosts")
    }

    /// Lets the server run as `plan` wants it and know `hosts`: one that does so already goes on undisturbed.
    ///
    /// # Errors
    /// When dnsmasq is not installed (Debian's `dnsmasq-base`), or refuses its configuration.
    pub fn ensure(&self, plan: &Plan, hosts: &[Host], debug: bool) -> Result<Outcome> {
        let arguments = arguments::of(plan, &self.dir, &arguments::unprivileged(), debug);
        let raw = format!("{}\n", plan.raw_dnsmasq);
        let same_raw = file::read(self.raw_file()).is_ok_and(|old| old == raw);
        if !same_raw {
            file::replace(self.raw_file(), &raw, 0o644)?;
        }
        make_dir(&self.hosts_dir(), 0o755)?;
        let _turn = self.turn();
        let changed = hosts::rebuild(self, hosts, plan.names_managed())?;
        self.end_begun()?;
        if let Some(running) = self.process()? {
            if same_raw && running.arguments()[1..] == arguments {
                if changed {
                    running.reload()?;
                }
                return Ok(Outcome::Adopted);
            }
            running.stop()?;
        }
        let label = apparmor::load(&self.name, &self.dir)?;
        process::start(&arguments, &self.dir.join(process::START_PID), &self.pid_file(), label.as_deref())?;
        Ok(Outcome::Started)
    }

    /// Ends the server if it runs, and removes what it left, so that nothing is left of it but its files of hosts.
    ///
    /// # Errors
    /// When it does not end, or a file cannot be removed.
    pub fn stop(&self) -> Result<()> {
        self.end_begun()?;
        if let Some(running) = self.process()? {
            running.stop()?;
        }
        apparmor::delete(&self.name, &self.dir)?;
        remove(&self.pid_file())
    }

    /// Forgets all leases; for a network that no longer hands out addresses.
    ///
    /// # Errors
    /// When the file cannot be removed.
    pub fn forget_leases(&self) -> Result<()> {
        remove(&self.lease_file())
    }

    /// Lets the server read the files of hosts again, if it runs.
    ///
    /// # Errors
    /// When it cannot be signalled.
    pub fn reload(&self) -> Result<()> {
        self.process()?.map_or(Ok(()), |running| running.reload())
    }

    /// Ends what a daemon that was killed had begun to start, and nobody remembers.
    fn end_begun(&self) -> Result<()> {
        let start = self.dir.join(process::START_PID);
        if !start.exists() {
            return Ok(());
        }
        // The first process makes the one that stays, and may do so just now.
        loop {
            let found = process::all(&self.mark())?;
            if found.is_empty() {
                return remove(&start);
            }
            found.iter().try_for_each(process::Process::stop)?;
        }
    }

    /// The argument by which the server is known.
    fn mark(&self) -> String {
        format!("--conf-file={}", self.raw_file().display())
    }

    /// The running server.
    fn process(&self) -> Result<Option<Process>> {
        process::find(&self.pid_file(), &self.mark())
    }

    /// The leases it has given.
    ///
    /// # Errors
    /// When the file of leases cannot be read.
    pub fn leases(&self) -> Result<Vec<Lease>> {
        Ok(lease::parse(&file::read_if_there(self.lease_file())?.unwrap_or_default()))
    }

    /// Every address that is in use: those of the files of hosts first, then the leases.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub fn allocations(&self) -> Result<Vec<Allocation>> {
        let mut all = hosts::allocations(self)?;
        for lease in self.leases()? {
            if !all.iter().any(|known| known.address == lease.address) {
                // An IPv6 lease has no trustworthy word on whose it is.
                let mac = lease.mac.filter(|_| lease.address.is_ipv4());
                all.push(Allocation { address: lease.address, file: None, mac });
            }
        }
        Ok(all)
    }

    /// The network's name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

/// Makes a directory with exactly that mode, whatever the umask; one that is there is left alone.
pub(crate) fn make_dir(dir: &Path, mode: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if dir.is_dir() {
        return Ok(());
    }
    let made = std::fs::create_dir_all(dir)
        .and_then(|()| std::fs::set_permissions(dir, std::fs::Permissions::from_mode(mode)));
    made.map_err(|error| Error::from(file::Error::new("making the directory", dir, error)))
}

fn remove(path: &Path) -> Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(file::Error::new("removing", path, error).into())
        }
        _ => Ok(()),
    }
}
