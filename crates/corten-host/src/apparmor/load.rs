//! Profiles in LXD's directory, loaded into the kernel and taken out of it by apparmor_parser.

use std::path::{Path, PathBuf};

use super::KERNEL;
use crate::command::{Command, Failed};
use crate::file;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// apparmor_parser is missing or said no.
    #[error(transparent)]
    Parser(#[from] Failed),
    /// A file could not be read or written.
    #[error(transparent)]
    File(#[from] file::Error),
}

/// LXD's directory for AppArmor, `security/apparmor` below `LXD_DIR`, with its `profiles` and `cache`.
#[derive(Clone, Debug)]
pub struct Profiles {
    dir: PathBuf,
}

/// What apparmor_parser is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Task {
    /// Only read it, for its errors.
    Check,
    /// Load it, or replace it when it is loaded.
    Load,
    /// Take it out of the kernel.
    Unload,
}

impl Profiles {
    /// The profiles in `dir`, which need not exist yet.
    pub fn new(dir: impl Into<PathBuf>) -> Profiles {
        Profiles { dir: dir.into() }
    }

    /// The file of the profile `name`.
    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.join("profiles").join(name)
    }

    /// The command line for `task` with the profile in the file `name`.
    pub fn command(&self, task: Task, name: &str) -> Command {
        let flags = match task {
            Task::Check => "-QWL",
            Task::Load => "-rWL",
            Task::Unload => "-RWL",
        };
        let parser = Command::new("apparmor_parser", "apparmor");
        parser.arg(flags).arg(self.dir.join("cache")).arg(self.path(name))
    }

    /// Writes the profile's text if it is not there yet in the same words, and loads it.
    ///
    /// # Errors
    /// [`Error`], with the parser's own words.
    pub fn load(&self, name: &str, text: &str) -> Result<(), Error> {
        self.write(name, text)?;
        self.command(Task::Load, name).run()?;
        Ok(())
    }

    /// Looks whether the parser takes this text, and keeps it.
    ///
    /// # Errors
    /// [`Error`], with the parser's own words; the text that was there before is there again then.
    pub fn check(&self, name: &str, text: &str) -> Result<(), Error> {
        let older = file::read(self.path(name)).ok();
        self.write(name, text)?;
        match self.command(Task::Check, name).run() {
            Ok(_) => Ok(()),
            Err(error) => {
                match older {
                    Some(older) => self.write(name, &older)?,
                    None => remove(&self.path(name))?,
                }
                Err(error.into())
            }
        }
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.path(name);
        for dir in ["cache", "profiles"].map(|dir| self.dir.join(dir)) {
            std::fs::create_dir_all(&dir).map_err(|source| file::Error::new("making", dir, source))?;
        }
        // The parser's cache goes by the file's time, so an unchanged file is left alone.
        if file::read(&path).ok().as_deref() != Some(text) {
            file::replace(&path, text, 0o600)?;
        }
        Ok(())
    }

    /// Takes the profile out of the kernel when the kernel has it as `full_name`.
    ///
    /// # Errors
    /// [`Error`], with the parser's own words.
    pub fn unload(&self, full_name: &str, name: &str) -> Result<(), Error> {
        if is_loaded(Path::new(KERNEL), full_name) {
            self.command(Task::Unload, name).run()?;
        }
        Ok(())
    }

    /// The same, and removes the profile's file and what the parser remembers of it.
    ///
    /// # Errors
    /// [`Error`], with the parser's own words.
    pub fn delete(&self, full_name: &str, name: &str) -> Result<(), Error> {
        self.unload(full_name, name)?;
        let cache = self.dir.join("cache");
        // The parser keeps its cache in a directory for each set of kernel features.
        let below = std::fs::read_dir(&cache).into_iter().flatten().flatten().map(|entry| entry.path());
        let cached = below.chain([cache.clone()]).map(|dir| dir.join(name));
        cached.chain([self.path(name)]).try_for_each(|path| remove(&path))
    }
}

fn remove(path: &Path) -> Result<(), Error> {
    match std::fs::remove_file(path) {
        Err(error) if !matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) => {
            Err(file::Error::new("removing", path, error).into())
        }
        _ => Ok(()),
    }
}

/// Makes the policy namespace that a container with its own profiles needs.
///
/// # Errors
/// [`file::Error`] when the kernel refuses.
pub fn create_namespace(name: &str) -> Result<(), file::Error> {
    let path = Path::new(KERNEL).join("policy/namespaces").join(name);
    match std::fs::create_dir(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            Err(file::Error::new("making AppArmor namespace", path, error))
        }
        _ => Ok(()),
    }
}

/// Removes a policy namespace; it is no failure when there is none.
///
/// # Errors
/// [`file::Error`] when the kernel refuses.
pub fn delete_namespace(name: &str) -> Result<(), file::Error> {
    let path = Path::new(KERNEL).join("policy/namespaces").join(name);
    match std::fs::remove_dir(&path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            Err(file::Error::new("removing AppArmor namespace", path, error))
        }
        _ => Ok(()),
    }
}

/// The kernel lists profiles as directories: the name with `/` as `.` and without `<` and `>`, a dot and a number.
fn is_loaded(kernel: &Path, full_name: &str) -> bool {
    let mangled: String = full_name.replace('/', ".").replace(['<', '>'], "");
    let entries = std::fs::read_dir(kernel.join("policy/profiles")).into_iter().flatten().flatten();
    let name = |entry: std::fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    entries.map(name).any(|entry| entry.rsplit_once('.').is_some_and(|(name, _)| name == mangled))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_are_lxds() {
        let profiles = Profiles::new("/var/lib/lxd/security/apparmor");
        assert_eq!(
            profiles.command(Task::Load, "lxd-c1").line(),
            "apparmor_parser -rWL /var/lib/lxd/security/apparmor/cache /var/lib/lxd/security/apparmor/profiles/lxd-c1"
        );
    }

    #[test]
    fn loaded_profiles_are_found_by_the_kernels_name() {
        let kernel = std::env::temp_dir().join(format!("corten-apparmor-{}", std::process::id()));
        let dir = kernel.join("policy/profiles/lxd-c1_.var.lib.lxd.12");
        std::fs::create_dir_all(&dir).expect("temporary directory");
        assert!(is_loaded(&kernel, "lxd-c1_</var/lib/lxd>"));
        assert!(!is_loaded(&kernel, "lxd-c2_</var/lib/lxd>"));
        std::fs::remove_dir_all(&kernel).expect("removable");
    }
}
