//! Modules of the host's kernel.

use std::path::Path;

use crate::command::{Command, Failed};

/// Loads a module and those that it needs, unless it is there already, as one or as a part of the kernel.
///
/// # Errors
/// When there is no such module, the host's configuration forbids it, or Debian's package `kmod` is missing.
pub fn load(name: &str) -> Result<(), Failed> {
    // The kernel's own names have no hyphens.
    let known = name.replace('-', "_");
    if !known.is_empty() && !known.contains(['/', '.']) && Path::new("/sys/module").join(known).exists() {
        return Ok(());
    }
    command(name).run().map(drop)
}

/// Names that look like options are names.
fn command(name: &str) -> Command {
    Command::new("modprobe", "kmod").args(["-b", "--"]).arg(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_needs_no_program() {
        let there = std::fs::read_dir("/sys/module").expect("sysfs").flatten().next().expect("one module");
        load(&there.file_name().to_string_lossy().replace('_', "-")).expect("it is there");
        assert!(load("no-such-module").is_err());
        assert!(load("..").is_err());
    }

    #[test]
    fn names_are_no_options() {
        assert_eq!(command("-r").line(), "modprobe -b -- -r");
    }
}
