//! The envelope around every reply: sync, async or error.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::{Error, Kind, Result};
use crate::wire::nullable;

/// What every reply carries; the metadata stay unread until somebody asks for them.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Envelope {
    /// `sync`, `async` or `error`.
    #[serde(rename = "type", deserialize_with = "nullable")]
    pub kind: String,
    /// The name of the status code, such as `Success`.
    #[serde(deserialize_with = "nullable")]
    pub status: String,
    /// 200 or 100; 0 in errors.
    #[serde(deserialize_with = "nullable")]
    pub status_code: i64,
    /// Path of the operation, in async replies.
    #[serde(deserialize_with = "nullable")]
    pub operation: String,
    /// The HTTP status, in errors.
    #[serde(deserialize_with = "nullable")]
    pub error_code: u16,
    /// What went wrong, in errors.
    #[serde(deserialize_with = "nullable")]
    pub error: String,
    /// The reply proper, as it came.
    pub metadata: Option<Box<RawValue>>,
}

impl Envelope {
    /// The metadata read as `T`.
    ///
    /// # Errors
    /// The server's own error, or one that says what in the reply could not be read.
    pub fn read<T: for<'de> Deserialize<'de>>(&self) -> Result<T> {
        if self.kind == "error" {
            return Err(Error { kind: Kind::from_status(self.error_code), message: self.error.clone() });
        }
        let text = self.metadata.as_ref().map_or("null", |raw| raw.get());
        serde_json::from_str(text)
            .map_err(|error| Error::internal(format!("Failed to read the server's reply: {error}")))
    }
}
