//! Steps with a way back, for code whose errors are those of the API.

use corten_api::error::{Error, Result};
use corten_host::undo::{Undo, reach};

/// Runs `work` as the step `name`; when it succeeds, `undo` remembers the way back that `back` makes of the result.
///
/// # Errors
/// That of `work`, or the one that a test has put into this step.
pub fn step<T, F>(
    undo: &mut Undo,
    name: &'static str,
    work: impl FnOnce() -> Result<T>,
    back: impl FnOnce(&T) -> F,
) -> Result<T>
where
    F: FnOnce() -> Result<()> + Send + 'static,
{
    pass(name)?;
    let made = work()?;
    let way = back(&made);
    undo.push(name, move || way().map_err(|error| error.message));
    Ok(made)
}

/// A step without a way back, which tests can still make fail.
///
/// # Errors
/// The one that a test has put into this step.
pub fn pass(name: &'static str) -> Result<()> {
    reach(name).map_err(|injected| Error::internal(injected.to_string()))
}
