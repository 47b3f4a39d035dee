//! Mount options as words, and what they mean to the kernel: one table.

/// Options, sorted by who takes them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// `MOUNT_ATTR_*` to set.
    pub set: u64,
    /// `MOUNT_ATTR_*` to clear.
    pub clear: u64,
    /// `MS_SHARED`, `MS_SLAVE`, `MS_PRIVATE`, `MS_UNBINDABLE`, or 0.
    pub propagation: u64,
    /// The options are for all mounts of a tree, and a bind takes along the mounts below.
    pub recursive: bool,
    /// What is left, for the file system.
    pub data: Vec<(String, Option<String>)>,
}

/// What one word does: attributes set, attributes cleared, propagation, whether to the whole tree.
struct Word {
    name: &'static str,
    set: u64,
    clear: u64,
    propagation: u64,
    recursive: bool,
}

const fn set(name: &'static str, set: u64) -> Word {
    Word { name, set, clear: 0, propagation: 0, recursive: false }
}

const fn clear(name: &'static str, clear: u64) -> Word {
    Word { name, set: 0, clear, propagation: 0, recursive: false }
}

const fn time(name: &'static str, set: u64) -> Word {
    // The three ways of keeping access times share a field, which is cleared before one is set.
    Word { name, set, clear: libc::MOUNT_ATTR__ATIME, propagation: 0, recursive: false }
}

const fn propagation(name: &'static str, propagation: u64, recursive: bool) -> Word {
    Word { name, set: 0, clear: 0, propagation, recursive }
}

const WORDS: &[Word] = &[
    set("ro", libc::MOUNT_ATTR_RDONLY),
    clear("rw", libc::MOUNT_ATTR_RDONLY),
    set("nosuid", libc::MOUNT_ATTR_NOSUID),
    clear("suid", libc::MOUNT_ATTR_NOSUID),
    set("nodev", libc::MOUNT_ATTR_NODEV),
    clear("dev", libc::MOUNT_ATTR_NODEV),
    set("noexec", libc::MOUNT_ATTR_NOEXEC),
    clear("exec", libc::MOUNT_ATTR_NOEXEC),
    set("nodiratime", libc::MOUNT_ATTR_NODIRATIME),
    clear("diratime", libc::MOUNT_ATTR_NODIRATIME),
    set("nosymfollow", libc::MOUNT_ATTR_NOSYMFOLLOW),
    clear("symfollow", libc::MOUNT_ATTR_NOSYMFOLLOW),
    time("relatime", libc::MOUNT_ATTR_RELATIME),
    time("noatime", libc::MOUNT_ATTR_NOATIME),
    time("strictatime", libc::MOUNT_ATTR_STRICTATIME),
    set("bind", 0),
    set("defaults", 0),
    propagation("rbind", 0, true),
    propagation("shared", libc::MS_SHARED, false),
    propagation("slave", libc::MS_SLAVE, false),
    propagation("private", libc::MS_PRIVATE, false),
    propagation("unbindable", libc::MS_UNBINDABLE, false),
    propagation("rshared", libc::MS_SHARED, true),
    propagation("rslave", libc::MS_SLAVE, true),
    propagation("rprivate", libc::MS_PRIVATE, true),
    propagation("runbindable", libc::MS_UNBINDABLE, true),
];

impl Options {
    /// Sorts words as in fstab(5); later words win over earlier ones.
    pub fn parse<S: AsRef<str>>(words: &[S]) -> Options {
        let mut options = Options::default();
        for word in words.iter().map(AsRef::as_ref).filter(|word| !word.is_empty()) {
            match WORDS.iter().find(|known| known.name == word) {
                Some(known) => options.take(known),
                None => options.data.push(match word.split_once('=') {
                    Some((key, value)) => (key.to_string(), Some(value.to_string())),
                    None => (word.to_string(), None),
                }),
            }
        }
        options
    }

    fn take(&mut self, word: &Word) {
        let time = word.clear & libc::MOUNT_ATTR__ATIME;
        self.set = (self.set & !word.clear & !time) | word.set;
        self.clear = (self.clear & !word.set) | word.clear;
        if word.propagation != 0 {
            self.propagation = word.propagation;
        }
        self.recursive |= word.recursive;
    }

    /// A read-only mount of a new file system is one of a read-only file system.
    pub(super) fn readonly_superblock(&self) -> bool {
        self.set & libc::MOUNT_ATTR_RDONLY != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_sorted() {
        let cases: &[(&str, Options)] = &[
            ("", Options::default()),
            ("ro,nosuid", Options { set: libc::MOUNT_ATTR_RDONLY | libc::MOUNT_ATTR_NOSUID, ..Options::default() }),
            ("ro,rw", Options { clear: libc::MOUNT_ATTR_RDONLY, ..Options::default() }),
            ("rw,ro", Options { set: libc::MOUNT_ATTR_RDONLY, ..Options::default() }),
            ("rbind,rslave", Options { propagation: libc::MS_SLAVE, recursive: true, ..Options::default() }),
            (
                "noatime",
                Options { set: libc::MOUNT_ATTR_NOATIME, clear: libc::MOUNT_ATTR__ATIME, ..Options::default() },
            ),
            (
                "noatime,strictatime",
                Options { set: libc::MOUNT_ATTR_STRICTATIME, clear: libc::MOUNT_ATTR__ATIME, ..Options::default() },
            ),
            (
                "size=1m,inode64",
                Options {
                    data: vec![("size".into(), Some("1m".into())), ("inode64".into(), None)],
                    ..Options::default()
                },
            ),
        ];
        for (text, wanted) in cases {
            let words: Vec<&str> = text.split(',').collect();
            assert_eq!(&Options::parse(&words), wanted, "{text}");
        }
    }
}
