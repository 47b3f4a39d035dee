//! Lists: paths only, or whole objects, after the filter.

use super::call::Call;
use super::reply::Reply;
use corten_api::error::Result;
use serde::Serialize;

/// A list as the call wants it: `url` of each item, or with recursion the items themselves. LXD filters no list but
/// those that [`filtered`] is for.
///
/// # Errors
/// When an item cannot be written as JSON: a defect.
pub fn list<A, T: Serialize>(call: &Call<A>, items: &[T], url: impl Fn(&T) -> String) -> Result<Reply> {
    if call.recursion() == 0 {
        return Reply::sync(&items.iter().map(url).collect::<Vec<_>>());
    }
    Reply::sync(items)
}

/// As [`list`], of the items that pass the call's filter: instances, images, volumes, warnings.
///
/// # Errors
/// When the filter cannot be read.
pub fn filtered<A, T: Serialize>(call: &Call<A>, items: Vec<T>, url: impl Fn(&T) -> String) -> Result<Reply> {
    let filter = call.filter()?;
    let passed: Vec<T> = items.into_iter().filter(|item| filter.matches(item)).collect();
    list(call, &passed, url)
}
