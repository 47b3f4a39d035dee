//! `/1.0/warnings`.

use crate::app::database::db_error;
use crate::app::warnings::{status_number, view};
use crate::app::{Call, Endpoint};
use crate::rest::recursion;
use crate::rest::reply::Reply;
use crate::rest::route::May;
use corten_api::error::{Error, Result};
use corten_api::url;
use corten_api::warning::WarningPut;
use corten_db::error::DbError;
use corten_db::table::warnings::{self, ACKNOWLEDGED, NEW};
use jiff::Timestamp;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/warnings").get(list, May::Admin),
    Endpoint::at("/1.0/warnings/{id}")
        .get(show, May::Admin)
        .put(change, May::Admin)
        .patch(change, May::Admin)
        .delete(remove, May::Admin),
];

fn missing() -> Error {
    Error::not_found("Warning not found")
}

fn list(call: &Call) -> Result<Reply> {
    let project = Some(call.query.get("project")).filter(|name| !name.is_empty());
    let read = |db: &corten_db::View<'_>| {
        let rows = warnings::list(db, project)?;
        let rows = rows.iter().filter(|row| project.is_none() || row.project.as_deref() == project);
        rows.map(|row| view(db, row)).collect::<Result<Vec<_>, DbError>>()
    };
    let shown = call.app.db.view(read).map_err(db_error)?;
    recursion::filtered(call, shown, |warning| url::path(["warnings", &warning.uuid]))
}

fn show(call: &Call) -> Result<Reply> {
    let read = |db: &corten_db::View<'_>| warnings::get(db, call.part("id"))?.map(|row| view(db, &row)).transpose();
    let shown = call.app.db.view(read).map_err(db_error)?;
    Reply::sync(&shown.ok_or_else(missing)?)
}

fn change(call: &Call) -> Result<Reply> {
    let body: WarningPut = call.json()?;
    let status =
        status_number(&body.status).ok_or_else(|| Error::invalid(format!("Invalid warning type {:?}", body.status)))?;
    let action = match status {
        ACKNOWLEDGED => "warning-acknowledged",
        NEW => "warning-reset",
        _ => return Err(Error::forbidden("Status may only be set to \"acknowledge\" or \"new\"")),
    };
    let (id, now) = (call.part("id"), Timestamp::now());
    if !call.app.db.write(|tx| warnings::set_status(tx, id, status, now)).map_err(db_error)? {
        return Err(missing());
    }
    tell(call, action);
    Ok(Reply::empty())
}

fn remove(call: &Call) -> Result<Reply> {
    if !call.app.db.take_away(|tx| warnings::delete(tx, call.part("id"))).map_err(db_error)? {
        return Err(missing());
    }
    tell(call, "warning-deleted");
    Ok(Reply::empty())
}

fn tell(call: &Call, action: &str) {
    let source = url::path(["warnings", call.part("id")]);
    call.app.lifecycle("default", action, &source, Some(call.lifecycle_requestor()));
}
