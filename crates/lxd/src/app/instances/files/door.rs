//! The door to an instance's files: a connection that speaks SFTP.

use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use corten_api::error::{Context, Error, Result, chain};
use corten_files::tree::{Links, Tree};
use corten_files::{Client, server};
use corten_host::idmap::IdMap;
use corten_host::rooted::Rooted;
use corten_instance::instance::Instance;
use corten_instance::lifecycle::admission::Observed;
use corten_instance::volatile;
use corten_runtime::handle::Files;
use corten_storage::driver::View;

use super::PATIENCE;
use super::visits::Visit;
use crate::app::App;
use crate::app::instances::running::failed;
use crate::app::instances::{key, observe, root};

/// How long an instance that has just ended may take to be cleaned up after.
const AFTERMATH: Duration = Duration::from_secs(30);

/// An open connection. Nothing of it is left when this is dropped.
pub struct Door {
    socket: OwnedFd,
    /// The server in a running instance, which ends with this.
    _server: Option<Files>,
}

impl Door {
    /// The connection, before anything has been said on it.
    ///
    /// # Errors
    /// When there are too many descriptors.
    pub fn stream(&self) -> Result<UnixStream> {
        self.socket.try_clone().map(UnixStream::from).context("Failed to open the files of the instance")
    }

    /// A client on it.
    ///
    /// # Errors
    /// When the server does not greet.
    pub fn client(&self) -> Result<Client> {
        let greeted = Client::greet(self.stream()?.into(), PATIENCE);
        greeted.context("Failed to open the files of the instance")
    }
}

/// Opens the files of an instance.
///
/// # Errors
/// When the instance cannot be asked, or its volume cannot be had.
pub fn open(app: &App, instance: &Instance) -> Result<Door> {
    let key = key(instance);
    loop {
        if let Some(entry) = app.instances.running.get(&key) {
            match entry.container.files() {
                Ok(files) => {
                    let socket = files.socket().try_clone().context("Failed to open the files of the instance")?;
                    return Ok(Door { socket, _server: Some(files) });
                }
                Err(corten_runtime::Error::Gone) => match entry.wait_ended(Some(AFTERMATH)) {
                    Some(_) => {}
                    None => return Err(Error::busy("The instance is stopping")),
                },
                Err(error) => return Err(failed("Failed to open the files of the instance", &error)),
            }
        }
        let (ours, theirs) = UnixStream::pair().context("Failed to open the files of the instance")?;
        let watched = theirs.try_clone().context("Failed to open the files of the instance")?;
        let visit = app.instances.visits.begin(&key, watched);
        // Whoever barred it may have started it.
        if observe(app, &key)? != Observed::Stopped {
            continue;
        }
        serve_volume(app, instance, theirs, visit)?;
        return Ok(Door { socket: ours.into(), _server: None });
    }
}

/// Serves the root volume of a stopped instance on a thread of its own.
fn serve_volume(app: &App, instance: &Instance, connection: UnixStream, visit: Visit) -> Result<()> {
    let (pool, volume) = root::volume(app, instance)?;
    let mounted = pool.mount_volume(&volume, View::Content)?;
    let path = mounted.path().join("rootfs");
    let opened = Rooted::open(&path).with_context(|| format!("Failed to open {}", path.display()))?;
    let links = Links::open().context("Failed to open /proc/self/fd")?;
    let tree = Arc::new(Tree::new(opened, links, shifted(instance)?));
    let work = move || {
        // How a connection ends is its own business.
        let _ = server::serve(&tree, &connection, &connection);
        drop(tree);
        drop(mounted);
        drop(visit);
    };
    let named = std::thread::Builder::new().name(format!("files {}", instance.name));
    named.spawn(work).map(drop).context("Failed to start a thread for the files of the instance")
}

/// How the ids on disk were shifted, when they were.
///
/// # Errors
/// When the volatile key that says so is no id map.
pub fn shifted(instance: &Instance) -> Result<Option<IdMap>> {
    let text = instance.volatile(volatile::IDMAP_ON_DISK);
    if text.is_empty() {
        return Ok(None);
    }
    let map = IdMap::from_json(text).map_err(|error| Error::internal(chain(&error)))?;
    Ok((!map.is_empty()).then_some(map))
}
