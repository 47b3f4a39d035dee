//! The list of instances as JSON text, kept for as long as nothing is written to the database.
//!
//! What is remembered of an instance changes seldom and is long; what is observed, its status, is short and is put in each
//! time. The database's own version says whether the text is still true, also after a change by another process.

use std::sync::{Arc, Mutex, PoisonError};

use corten_api::error::{Error, Result};
use corten_api::status::StatusCode;

use super::claims::Key;
use super::{Instances, status_of, view};
use crate::app::App;
use crate::rest::json;

/// A longer text is made each time: it would take more memory than the daemon itself. In bytes.
const LONGEST_KEPT: usize = 8 << 20;

/// The text that is kept.
#[derive(Default)]
pub struct Cache(Mutex<Option<Arc<Listed>>>);

/// All instances of all projects.
pub struct Listed {
    version: i64,
    /// The instances, by project and name.
    pub items: Vec<Item>,
    text: String,
}

/// One instance.
pub struct Item {
    /// Project and name.
    pub key: Key,
    /// Whether it said that it is ready; see [`status_of`].
    is_ready: bool,
    /// Where its text begins, where in it the status is put, and where it ends.
    begin: usize,
    status: usize,
    end: usize,
}

impl Listed {
    /// The list as it is now.
    ///
    /// # Errors
    /// Those of the database.
    pub fn now(app: &App) -> Result<Arc<Listed>> {
        let version = app.version()?;
        let cache = &app.instances.listed.0;
        let kept = cache.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(kept) = kept.filter(|kept| kept.version == version) {
            return Ok(kept);
        }
        let made = Arc::new(Listed::make(app, version)?);
        let keep = (made.text.len() <= LONGEST_KEPT).then(|| made.clone());
        *cache.lock().unwrap_or_else(PoisonError::into_inner) = keep;
        Ok(made)
    }

    fn make(app: &App, version: i64) -> Result<Listed> {
        let (mut items, mut text) = (Vec::new(), Vec::new());
        for instance in Instances::all(app, None)? {
            let (key, begin) = (super::key(&instance), text.len());
            let is_ready = super::is_ready(&instance);
            let shown = view::show_owned(instance, StatusCode::Stopped);
            json::write(&mut text, &shown).map_err(|error| Error::internal(error.to_string()))?;
            items.push(Item { key, is_ready, begin, status: 0, end: text.len() });
        }
        let mut listed = Listed { version, items, text: String::from_utf8(text).unwrap_or_default() };
        let placeholder = status_text(StatusCode::Stopped);
        for item in &mut listed.items {
            // The last one is its own: what comes behind it is times and names, which have no quotes.
            let found = listed.text[item.begin..item.end].rfind(&placeholder);
            item.status = item.begin + found.ok_or_else(|| Error::internal("An instance is shown without a status"))?;
        }
        listed.text.shrink_to_fit();
        Ok(listed)
    }

    /// Appends an instance as JSON, with the status that it has now.
    pub fn write(&self, app: &App, item: &Item, out: &mut Vec<u8>) {
        let status = status_of(app, &item.key, item.is_ready);
        let behind = item.status + status_text(StatusCode::Stopped).len();
        out.extend_from_slice(&self.text.as_bytes()[item.begin..item.status]);
        out.extend_from_slice(status_text(status).as_bytes());
        out.extend_from_slice(&self.text.as_bytes()[behind..item.end]);
    }

    /// About how many bytes all of them have.
    pub fn room(&self) -> usize {
        self.text.len() + self.text.len() / 16
    }
}

/// The two members that say a status.
fn status_text(status: StatusCode) -> String {
    format!("\"status\":\"{}\",\"status_code\":{}", status.name(), status.code())
}
