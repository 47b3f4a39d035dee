//! `/internal/recover`: what `lxd recover` asks of the daemon.

use corten_api::error::Result;

use crate::app::recover::{RecoverPost, import as importing, scan};
use crate::app::{Call, Endpoint};
use crate::rest::reply::Reply;
use crate::rest::route::May;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/internal/recover/validate").post(validate, May::Admin),
    Endpoint::at("/internal/recover/import").post(import, May::Admin),
];

fn validate(call: &Call) -> Result<Reply> {
    let _turn = call.app.pools.change();
    let found = scan::scan(&call.app, &call.json::<RecoverPost>()?.pools)?;
    Reply::sync(&scan::findings(&call.app, &found)?)
}

/// Takes up what is there; where something is missing for that, it is told as for a look.
fn import(call: &Call) -> Result<Reply> {
    let _turn = call.app.pools.change();
    let mut found = scan::scan(&call.app, &call.json::<RecoverPost>()?.pools)?;
    let findings = scan::findings(&call.app, &found)?;
    if findings.missing.is_some() {
        return Reply::sync(&findings);
    }
    importing::import(&call.app, &mut found)?;
    Ok(Reply::empty())
}
