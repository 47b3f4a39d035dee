//! Lists: paths only, or whole objects, after the filter.

use super::call::Call;
use super::reply::Reply;
use corten_api::error::Result;
use serde::Serialize;

/// A list as the call wants it: `url` of each item, or with recursion the items themselves. The filter of the call
/// sees the items in both cases.
///
/// # Errors
/// When the filter cannot be read.
pub fn list<A, T: Serialize>(call: &Call<A>, items: &[T], url: impl Fn(&T) -> String) -> Result<Reply> {
    let filter = call.filter()?;
    let passed = items.iter().filter(|item| filter.matches(item));
    if call.recursion() == 0 {
        return Reply::sync(&passed.map(url).collect::<Vec<_>>());
    }
    Reply::sync(&passed.collect::<Vec<_>>())
}
