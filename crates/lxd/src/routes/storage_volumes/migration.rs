//! Custom volumes that go to another server, or come from one.

use crate::app::Call;
use crate::app::migration::request::{self, Way};
use crate::app::migration::session::Peer;
use crate::app::migration::{volume, volume_source};
use crate::app::storage::custom::Place;
use crate::rest::reply::Reply;
use corten_api::error::{Error, Result};
use corten_api::storage_pool_volume::{StorageVolumePost, StorageVolumesPost};

/// What the operation is about, as LXD names it.
fn resource(place: &Place) -> String {
    format!("{}/volumes/custom/{}", place.pool, place.name)
}

/// A volume of another server, or what brings one that is there up to date.
pub fn take_in(call: &Call, place: Place, body: StorageVolumesPost) -> Result<Reply> {
    let source = &body.source;
    let way = Way::of_target(&source.mode, &source.operation, &source.certificate, &source.secrets)?;
    if !matches!(body.content_type.as_str(), "" | "filesystem") {
        let kind = &body.content_type;
        return Err(Error::not_implemented(format!("Custom volumes of content type {kind:?} are not there yet")));
    }
    let description = if way == Way::Wait { "Creating storage volume" } else { "Copying storage volume" };
    let plan = call.app.plan(call, description).resources("storage_volumes", [resource(&place)]);
    let app = call.app.clone();
    let op =
        request::start(&call.app, plan, way, move |session, op| volume::take_in(&app, &place, &body, session, op))?;
    Reply::accepted(&op)
}

/// Lets another server have the volume.
pub fn offer(call: &Call, place: Place, body: &StorageVolumePost) -> Result<Reply> {
    call.app.view(|view| place.parts().0.row(view).map(drop))?;
    let plan = call.app.plan(call, "Migrating storage volume").resources("storage_volumes", [resource(&place)]);
    let (app, alone) = (call.app.clone(), body.volume_only);
    let work = move |session, _: &_| volume_source::send(&app, &place, alone, session);
    let peer = body.target.as_ref().map(|target| Peer {
        operation: target.operation.clone(),
        certificate: target.certificate.clone(),
        secrets: target.secrets.clone(),
    });
    Reply::accepted(&request::offer(&call.app, plan, peer.as_ref(), work)?)
}
