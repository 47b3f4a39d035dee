//! One program with all fuzz targets; `CORTEN_FUZZ_TARGET` names the one that runs. One program is built and linked
//! once, where one for each target would be linked two dozen times.
#![no_main]

mod scratch;
mod targets;

/// The daemon's own files, where they stand: it is a program, whose parts nobody can depend on.
#[path = "../../crates/lxd/src/rest"]
mod rest {
    pub mod filter;
    pub mod query;
}

/// See [`rest`].
#[path = "../../crates/lxd/src/auth"]
mod auth {
    pub mod certificate;
}

/// See [`rest`].
#[path = "../../crates/lxd/src/app"]
mod app {
    /// In the place of the daemon's file of that name, which writes archives too.
    pub mod archive_file {
        use corten_api::error::Error;

        /// An archive's error as the API's.
        pub fn in_words(error: corten_archive::error::Error) -> Error {
            Error::invalid(error.to_string())
        }
    }
    pub mod backups {
        pub mod index;
    }
    pub mod images {
        pub mod archive;
    }
    pub mod migration {
        pub mod index;
        pub mod wire;
    }
}

/// The client's own files, where they stand.
#[path = "../../crates/lxc/src/config"]
mod config {
    pub mod document;
}

/// Of the client's library what reads, without what connects: that would bring TLS and HTTP, which are not ours to fuzz.
#[path = "../../crates/corten-client/src"]
mod library {
    pub mod multipart;
    pub mod simplestreams {
        pub mod architecture;
        pub mod catalogue;
        pub mod index;
        pub mod product;
    }
}

/// Of the database one table that needs none, for [`app`], under the crate's name.
#[path = "../../crates/corten-db/src/table"]
mod table {
    pub mod architecture;
}

extern crate self as corten_db;

/// Of an instance and of networks what reads, without all that acts on a host.
#[path = "../../crates/corten-instance/src"]
mod instance {
    pub mod instance_type;
    pub mod template;
    pub mod container {
        pub mod raw_lxc;
    }
    pub mod snapshot {
        pub mod expiry;
        pub mod pattern;
    }

    pub use corten_config::Config;
}

/// See [`instance`].
#[path = "../../crates/corten-network/src"]
mod network {
    pub mod lease;
}

use std::sync::OnceLock;

use targets::Target;

static TARGET: OnceLock<Target> = OnceLock::new();

fn chosen() -> Target {
    let name = std::env::var("CORTEN_FUZZ_TARGET").unwrap_or_default();
    let known = targets::ALL.iter().find(|(known, _)| *known == name);
    let Some((_, target)) = known else {
        for (name, _) in targets::ALL {
            println!("{name}");
        }
        std::process::exit(if name.is_empty() { 0 } else { 2 });
    };
    *target
}

libfuzzer_sys::fuzz_target!(|data: &[u8]| TARGET.get_or_init(chosen)(data));
