//! Mounting a pool at its directory and unmounting it.

use std::os::unix::fs::{DirBuilderExt, PermissionsExt};

use corten_host::rooted::directory::Directory;
use corten_host::rooted::remove;

use super::Pool;
use crate::error::{Doing, Result};
use crate::generic::names::is_leftover;
use crate::generic::{intent, names};
use crate::mounts;
use crate::volume::Kind;

impl Pool {
    /// Makes the pool's volumes reachable, and removes what an interrupted change left behind. Called once when the
    /// daemon starts; mounted already is no failure.
    ///
    /// # Errors
    /// Why the pool cannot be had now.
    pub fn mount(&self) -> Result<()> {
        self.attach()?;
        self.make_structure()?;
        self.sweep()
    }

    /// Whether the pool's content can be reached: below a source that could not be mounted nothing is to be seen.
    pub fn is_reachable(&self) -> bool {
        self.directory().join(Kind::Container.directory()).is_dir()
    }

    /// Ends what [`Pool::mount`] began. Running containers keep what they run from.
    ///
    /// # Errors
    /// What could not be unmounted.
    pub fn unmount(&self) -> Result<()> {
        self.driver().release(self)?;
        self.driver().unmount_source(self)
    }

    /// Whether the pool's own mount, where it has one, is there.
    pub(crate) fn attach(&self) -> Result<()> {
        let directory = self.directory();
        if !directory.is_dir() {
            let mut builder = std::fs::DirBuilder::new();
            let made = builder.recursive(true).mode(0o711).create(directory);
            made.doing(|| format!("Failed to create storage pool directory \"{}\"", directory.display()))?;
        }
        self.driver().mount_source(self)
    }

    /// Makes the directories that volumes are in, where they are missing.
    pub(crate) fn make_structure(&self) -> Result<()> {
        let kinds = self.driver().info().kinds;
        for kind in Kind::ALL.into_iter().filter(|kind| kinds.contains(kind)) {
            let names = [Some(kind.directory().to_string()), kind.snapshot_directory()];
            for name in names.into_iter().flatten() {
                let path = self.directory().join(name);
                let mode = std::fs::Permissions::from_mode(kind.directory_mode());
                let made = match std::fs::create_dir(&path) {
                    Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
                    made => made.and_then(|()| std::fs::set_permissions(&path, mode)),
                };
                made.doing(|| format!("Failed to create directory \"{}\"", path.display()))?;
            }
        }
        Ok(())
    }

    /// Removes what an interrupted change left; nothing may be changing the pool meanwhile.
    fn sweep(&self) -> Result<()> {
        self.unmount_views()?;
        for kind in Kind::ALL {
            self.sweep_directory(kind.directory())?;
            let Some(snapshots) = kind.snapshot_directory() else { continue };
            self.sweep_directory(&snapshots)?;
            for volume in names::volumes(&self.directory().join(&snapshots))? {
                self.sweep_directory(&format!("{snapshots}/{volume}"))?;
            }
        }
        intent::recover(self)?;
        self.driver().sweep(self)?;
        self.remove_empty_folders()
    }

    /// Removes the folders of snapshots whose last one went, or never came: a volume without snapshots has none.
    fn remove_empty_folders(&self) -> Result<()> {
        for snapshots in Kind::ALL.into_iter().filter_map(Kind::snapshot_directory) {
            let folder = self.directory().join(snapshots);
            for path in names::volumes(&folder)?.iter().map(|name| folder.join(name)) {
                match std::fs::remove_dir(&path) {
                    Err(error) if error.kind() != std::io::ErrorKind::DirectoryNotEmpty => {
                        return Err(error).doing(|| format!("Failed to remove \"{}\"", path.display()));
                    }
                    _ => {}
                }
            }
        }
        Ok(())
    }

    /// Unmounts what the last daemon showed of volumes and snapshots: whoever was shown it is gone.
    fn unmount_views(&self) -> Result<()> {
        let directory = self.directory();
        let directory = directory.canonicalize().doing(|| format!("Failed to look at \"{}\"", directory.display()))?;
        let kinds = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Image);
        let folders = kinds.flat_map(|kind| [Some(kind.directory().to_string()), kind.snapshot_directory()]);
        let folders: Vec<_> = folders.flatten().map(|name| directory.join(name)).collect();
        let all = corten_host::proc::mounts::list(None);
        let all = all.map_err(std::io::Error::other).doing(|| "Failed to read the mount table".to_string())?;
        for mount in all.iter().rev().filter(|mount| folders.iter().any(|folder| mount.mount_point.starts_with(folder)))
        {
            mounts::unmount_all(&mount.mount_point)?;
        }
        Ok(())
    }

    fn sweep_directory(&self, name: &str) -> Result<()> {
        let path = self.directory().join(name);
        let directory = match Directory::open(&path) {
            Ok(directory) => directory,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error).doing(|| format!("Failed to read \"{}\"", path.display())),
        };
        let entries = directory.entries().doing(|| format!("Failed to read \"{}\"", path.display()))?;
        for (entry, _) in entries.iter().filter(|(entry, _)| is_leftover(entry)) {
            self.driver().unmount_leftover(&path.join(entry))?;
            remove::entry(&directory, entry).doing(|| format!("Failed to remove '{}'", path.join(entry).display()))?;
        }
        Ok(())
    }
}
