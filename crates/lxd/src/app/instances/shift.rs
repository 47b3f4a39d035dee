//! Giving the files of an instance other owners, where the file system below cannot map ids: what they carry is
//! remembered in `volatile.last_state.idmap`.
//!
//! A change that was cut short is ended by the next daemon, which finds the note: what was changed after the note was
//! written has its new owner by then. A kill may fall between the change of a file's owner and that of its ACL or capability,
//! which is gone then; there is no way to change both at once.

use std::path::Path;
use std::sync::OnceLock;
use std::time::Duration;

use corten_api::error::{Context, Error, Result, chain};
use corten_host::idmap::IdMap;
use corten_host::idmap::shift::{Change, tree_again};
use corten_host::undo::Undo;
use corten_instance::instance::{Config, Instance};
use corten_instance::volatile;
use corten_runtime::spec;
use corten_storage::driver::Root;

use super::intent::{self, Intent};
use super::{ended, root};
use crate::app::App;

/// Whether files are to be given other owners although the file system may be able to map ids: an administrator says so by
/// `LXD_IDMAPPED_MOUNTS_DISABLE` in the daemon's environment.
pub fn is_wanted() -> bool {
    static WANTED: OnceLock<bool> = OnceLock::new();
    *WANTED.get_or_init(|| {
        std::env::var("LXD_IDMAPPED_MOUNTS_DISABLE").is_ok_and(|value| crate::app::settings::is_true(&value))
    })
}

/// The ids that the files of an instance carry on disk; empty for those of the container itself.
///
/// # Errors
/// When the key cannot be read.
pub fn on_disk(instance: &Instance) -> Result<IdMap> {
    parse(match instance.volatile(volatile::IDMAP_ON_DISK) {
        "" => "[]",
        text => text,
    })
}

fn parse(text: &str) -> Result<IdMap> {
    IdMap::from_json(text).map_err(|error| Error::internal(chain(&error)))
}

/// Gives the files at `source` the ids of `to`, and remembers that.
///
/// # Errors
/// When the instance is protected from that, its root is made of layers that others share, or what the kernel says.
pub fn change(app: &App, instance: &Instance, source: &spec::Source, from: &IdMap, to: &IdMap) -> Result<()> {
    if instance.is_on("security.protection.shift") {
        return Err(Error::internal("Container is protected against filesystem shifting"));
    }
    let spec::Source::Tree { path } = source else {
        return Err(Error::internal(
            "The file system of the storage pool cannot map ids, and layers that are shared cannot be shifted",
        ));
    };
    let (key, mut undo) = (super::key(instance), Undo::default());
    let meant = Intent::Shift(from.to_json(), to.to_json());
    // The way back is the note of the start that this is a part of.
    intent::note(app, &key, &meant, &mut undo)?;
    // File systems tell times apart by ticks of the clock: what is changed from now on is to be later than the note.
    std::thread::sleep(TICK);
    carry_out(app, instance, path, &Change::new(from, to), to, None)
}

/// The longest tick of a kernel's clock, and some more.
const TICK: Duration = Duration::from_millis(20);

fn carry_out(
    app: &App,
    instance: &Instance,
    path: &Path,
    change: &Change,
    to: &IdMap,
    since: Option<(i64, i64)>,
) -> Result<()> {
    tree_again(path, change, since).context("Failed to shift the file system of the instance")?;
    let keys = Config::from([(volatile::IDMAP_ON_DISK.to_string(), to.to_json())]);
    ended::set_keys(app, instance, &keys)
}

/// Ends a change that was begun; `from` and `to` are as the note has them.
///
/// # Errors
/// As [`change`].
pub fn go_on(app: &App, instance: &Instance, from: &str, to: &str) -> Result<()> {
    let (pool, volume) = root::volume(app, instance)?;
    let found = pool.root(&volume)?;
    pool.release_root(&volume);
    match found {
        Root::Tree(path) => {
            let (from, to) = (parse(from)?, parse(to)?);
            let since = intent::written(app, &super::key(instance))?;
            carry_out(app, instance, &path, &Change::new(&from, &to), &to, Some(since))
        }
        Root::Overlay { .. } => Ok(()),
    }
}
