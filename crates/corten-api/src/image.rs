//! Images, their aliases, and the metadata that an image carries.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::time::Time;
use crate::wire::nullable;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The body of a POST to a image export: a rename, a move or a request of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageExportPost {
    #[serde(deserialize_with = "nullable")]
    pub target: String,
    #[serde(deserialize_with = "nullable")]
    pub secret: String,
    #[serde(deserialize_with = "nullable")]
    pub certificate: String,
    #[serde(deserialize_with = "nullable")]
    pub aliases: Vec<ImageAlias>,
    #[serde(deserialize_with = "nullable")]
    pub project: String,
    #[serde(deserialize_with = "nullable")]
    pub profiles: Vec<String>,
}

/// What makes a new image.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImagesPost {
    #[serde(deserialize_with = "nullable")]
    pub auto_update: bool,
    /// `None` leaves those of the image or instance as they are.
    pub properties: Option<BTreeMap<String, String>>,
    #[serde(deserialize_with = "nullable")]
    pub public: bool,
    #[serde(deserialize_with = "nullable")]
    pub expires_at: Time,
    #[serde(deserialize_with = "nullable")]
    pub profiles: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub filename: String,
    pub source: Option<ImagesPostSource>,
    #[serde(deserialize_with = "nullable")]
    pub compression_algorithm: String,
    #[serde(deserialize_with = "nullable")]
    pub aliases: Vec<ImageAlias>,
}

/// Images post source, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImagesPostSource {
    #[serde(deserialize_with = "nullable")]
    pub alias: String,
    #[serde(deserialize_with = "nullable")]
    pub certificate: String,
    #[serde(deserialize_with = "nullable")]
    pub protocol: String,
    #[serde(deserialize_with = "nullable")]
    pub server: String,
    #[serde(deserialize_with = "nullable")]
    pub image_type: String,
    #[serde(deserialize_with = "nullable")]
    pub mode: String,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
    #[serde(deserialize_with = "nullable")]
    pub url: String,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub fingerprint: String,
    #[serde(deserialize_with = "nullable")]
    pub secret: String,
    #[serde(deserialize_with = "nullable")]
    pub project: String,
}

/// The part of a image that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImagePut {
    #[serde(deserialize_with = "nullable")]
    pub auto_update: bool,
    #[serde(deserialize_with = "nullable")]
    pub properties: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub public: bool,
    #[serde(deserialize_with = "nullable")]
    pub expires_at: Time,
    #[serde(deserialize_with = "nullable")]
    pub profiles: Vec<String>,
}

/// Image, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Image {
    #[serde(deserialize_with = "nullable")]
    pub auto_update: bool,
    #[serde(deserialize_with = "nullable")]
    pub properties: BTreeMap<String, String>,
    #[serde(deserialize_with = "nullable")]
    pub public: bool,
    #[serde(deserialize_with = "nullable")]
    pub expires_at: Time,
    #[serde(deserialize_with = "nullable")]
    pub profiles: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub aliases: Vec<ImageAlias>,
    #[serde(deserialize_with = "nullable")]
    pub architecture: String,
    #[serde(deserialize_with = "nullable")]
    pub cached: bool,
    #[serde(deserialize_with = "nullable")]
    pub filename: String,
    #[serde(deserialize_with = "nullable")]
    pub fingerprint: String,
    #[serde(deserialize_with = "nullable")]
    pub size: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub update_source: Option<ImageSource>,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
    #[serde(deserialize_with = "nullable")]
    pub created_at: Time,
    #[serde(deserialize_with = "nullable")]
    pub last_used_at: Time,
    #[serde(deserialize_with = "nullable")]
    pub uploaded_at: Time,
}

impl Image {
    /// The part that a client may change.
    pub fn writable(&self) -> ImagePut {
        ImagePut {
            auto_update: self.auto_update,
            properties: self.properties.clone(),
            public: self.public,
            expires_at: self.expires_at,
            profiles: self.profiles.clone(),
        }
    }
}

/// Image alias, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageAlias {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub description: String,
}

/// Image source, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageSource {
    #[serde(deserialize_with = "nullable")]
    pub alias: String,
    #[serde(deserialize_with = "nullable")]
    pub certificate: String,
    #[serde(deserialize_with = "nullable")]
    pub protocol: String,
    #[serde(deserialize_with = "nullable")]
    pub server: String,
    #[serde(deserialize_with = "nullable")]
    pub image_type: String,
}

/// What makes a new image aliase.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageAliasesPost {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub target: String,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
}

/// The body of a POST to a image aliases entry: a rename, a move or a request of its own.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageAliasesEntryPost {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
}

/// The part of a image aliases entry that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageAliasesEntryPut {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub target: String,
}

/// Image aliases entry, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageAliasesEntry {
    #[serde(deserialize_with = "nullable")]
    pub description: String,
    #[serde(deserialize_with = "nullable")]
    pub target: String,
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
}

impl ImageAliasesEntry {
    /// The part that a client may change.
    pub fn writable(&self) -> ImageAliasesEntryPut {
        ImageAliasesEntryPut { description: self.description.clone(), target: self.target.clone() }
    }
}

/// Image metadata, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageMetadata {
    #[serde(deserialize_with = "nullable")]
    pub architecture: String,
    #[serde(deserialize_with = "nullable")]
    pub creation_date: i64,
    #[serde(deserialize_with = "nullable")]
    pub expiry_date: i64,
    #[serde(deserialize_with = "nullable")]
    pub properties: BTreeMap<String, String>,
    pub templates: Option<BTreeMap<String, ImageMetadataTemplate>>,
}

/// Image metadata template, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct ImageMetadataTemplate {
    #[serde(deserialize_with = "nullable")]
    pub when: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub create_only: bool,
    #[serde(deserialize_with = "nullable")]
    pub template: String,
    #[serde(deserialize_with = "nullable")]
    pub properties: BTreeMap<String, String>,
}
