//! Files of instances: those that the processes of a running one see, or the root volume of a stopped one.
//!
//! Both are served over SFTP, and this is its client; what speaks SFTP itself gets the connection as it is.

pub mod door;
pub mod read;
pub mod visits;
pub mod write;

use corten_api::error::{Error, Kind};
use corten_files::Failure;
use std::time::Duration;

/// How long a server of files may be silent: an instance may serve a file system itself, and let us wait.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What the server of the files says, as the API says it.
pub fn refused(doing: &str, failure: &Failure) -> Error {
    if failure.is_not_found() {
        Error::not_found("Not Found")
    } else if failure.is_denied() {
        Error::forbidden("Forbidden")
    } else {
        Error { kind: Kind::Internal, message: format!("{doing}: {failure}") }
    }
}
