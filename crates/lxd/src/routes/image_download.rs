//! Images that the daemon fetches itself, and fetches again.

use crate::app::Call;
use crate::app::projects::Scope;
use crate::rest::reply::Reply;
use corten_api::error::{Error, Result};
use corten_api::image::{ImagesPost, ImagesPostSource};
use corten_db::table::images::Image;

/// Starts to fetch the image that the request names.
///
/// # Errors
/// When the daemon shuts down.
pub fn start(_call: &Call, _scope: Scope, _post: ImagesPost, _source: ImagesPostSource) -> Result<Reply> {
    Err(Error::not_implemented("Fetching images from servers is not there yet"))
}

/// Starts to look whether the image's source has a newer one.
///
/// # Errors
/// When the daemon shuts down.
pub fn refresh(_call: &Call, _scope: Scope, _image: Image) -> Result<Reply> {
    Err(Error::not_implemented("Fetching images from servers is not there yet"))
}
