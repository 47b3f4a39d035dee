//! Trusted certificates.
#![expect(missing_docs, reason = "the fields are LXD's own; doc/rest-api.md says what they mean")]

use crate::time::Time;
use crate::wire::nullable;
use serde::{Deserialize, Serialize};

/// What makes a new certificate.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CertificatesPost {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
    #[serde(deserialize_with = "nullable")]
    pub restricted: bool,
    #[serde(deserialize_with = "nullable")]
    pub projects: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub certificate: String,
    #[serde(deserialize_with = "nullable")]
    pub password: String,
    #[serde(deserialize_with = "nullable")]
    pub token: bool,
}

impl CertificatesPost {
    /// The part that a client may change.
    pub fn writable(&self) -> CertificatePut {
        CertificatePut {
            name: self.name.clone(),
            r#type: self.r#type.clone(),
            restricted: self.restricted,
            projects: self.projects.clone(),
            certificate: self.certificate.clone(),
        }
    }
}

/// The part of a certificate that a client may change.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CertificatePut {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
    #[serde(deserialize_with = "nullable")]
    pub restricted: bool,
    #[serde(deserialize_with = "nullable")]
    pub projects: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub certificate: String,
}

/// Certificate, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Certificate {
    #[serde(deserialize_with = "nullable")]
    pub name: String,
    #[serde(deserialize_with = "nullable")]
    pub r#type: String,
    #[serde(deserialize_with = "nullable")]
    pub restricted: bool,
    #[serde(deserialize_with = "nullable")]
    pub projects: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub certificate: String,
    #[serde(deserialize_with = "nullable")]
    pub fingerprint: String,
}

impl Certificate {
    /// The part that a client may change.
    pub fn writable(&self) -> CertificatePut {
        CertificatePut {
            name: self.name.clone(),
            r#type: self.r#type.clone(),
            restricted: self.restricted,
            projects: self.projects.clone(),
            certificate: self.certificate.clone(),
        }
    }
}

/// Certificate add token, as LXD shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct CertificateAddToken {
    #[serde(deserialize_with = "nullable")]
    pub client_name: String,
    #[serde(deserialize_with = "nullable")]
    pub fingerprint: String,
    #[serde(deserialize_with = "nullable")]
    pub addresses: Vec<String>,
    #[serde(deserialize_with = "nullable")]
    pub secret: String,
    #[serde(deserialize_with = "nullable")]
    pub expires_at: Time,
}
