//! `/1.0/network-zones/NAME/records`: what users add to a zone.

use corten_api::error::Result;
use corten_api::network_zone::{NetworkZoneRecordPut, NetworkZoneRecordsPost};
use corten_api::url;

use super::network_zones::{project, tell};
use crate::app::network_zones::records;
use crate::app::{Call, Endpoint};
use crate::rest::recursion;
use crate::rest::reply::Reply;
use crate::rest::route::May;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/network-zones/{zone}/records").get(list, May::View).post(create, May::Edit),
    Endpoint::at("/1.0/network-zones/{zone}/records/{name}")
        .get(show, May::View)
        .put(replace, May::Edit)
        .patch(amend, May::Edit)
        .delete(remove, May::Edit),
];

fn list(call: &Call) -> Result<Reply> {
    let zone = call.part("zone");
    let found = records::list(&call.app, &project(call)?, zone)?;
    recursion::list(call, &found, |record| url::path_in("default", ["network-zones", zone, "records", &record.name]))
}

fn create(call: &Call) -> Result<Reply> {
    let (zone, post): (_, NetworkZoneRecordsPost) = (call.part("zone"), call.json()?);
    records::create(&call.app, &project(call)?, zone, &post)?;
    Ok(Reply::created(tell(call, "network-zone-record-created", &[zone, "records", &post.name])?))
}

fn show(call: &Call) -> Result<Reply> {
    let record = records::find(&call.app, &project(call)?, call.part("zone"), call.part("name"))?;
    Ok(Reply::sync(&record)?.etag(&record.writable()))
}

fn replace(call: &Call) -> Result<Reply> {
    save(call, false)
}

/// Keys are merged, with the record's own and not, as in LXD, with the zone's; all else is replaced.
fn amend(call: &Call) -> Result<Reply> {
    save(call, true)
}

fn save(call: &Call, amend: bool) -> Result<Reply> {
    let (project, zone, name) = (project(call)?, call.part("zone"), call.part("name"));
    let old = records::find(&call.app, &project, zone, name)?;
    call.check_etag(&old.writable())?;
    let mut put: NetworkZoneRecordPut = call.json()?;
    if amend {
        for (key, value) in old.config {
            put.config.entry(key).or_insert(value);
        }
    }
    records::update(&call.app, &project, zone, name, &put)?;
    tell(call, "network-zone-record-updated", &[zone, "records", name])?;
    Ok(Reply::empty())
}

fn remove(call: &Call) -> Result<Reply> {
    let (zone, name) = (call.part("zone"), call.part("name"));
    records::delete(&call.app, &project(call)?, zone, name)?;
    tell(call, "network-zone-record-deleted", &[zone, "records", name])?;
    Ok(Reply::empty())
}
