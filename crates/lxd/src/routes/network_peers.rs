//! `/1.0/networks/NAME/peers`: networks that reach each other, which only those of type `ovn` can.

use corten_api::error::{Error, Result};

use super::networks::allowed;
use crate::app::{Call, Endpoint};
use crate::rest::reply::Reply;
use crate::rest::route::May;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/networks/{name}/peers").post(refuse, May::Edit).on_member().get(refuse, May::View),
    Endpoint::at("/1.0/networks/{name}/peers/{peer}")
        .get(refuse, May::View)
        .put(refuse, May::Edit)
        .patch(refuse, May::Edit)
        .delete(refuse, May::Edit)
        .on_member(),
];

/// In LXD's words, for a network that is there.
fn refuse(call: &Call) -> Result<Reply> {
    let network = allowed(call)?;
    Err(Error::invalid(format!("Network driver {:?} does not support peering", network.kind)))
}
