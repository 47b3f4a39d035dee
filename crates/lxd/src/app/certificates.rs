//! Trusted certificates: their table, and the copy in memory that connections are judged by.

use super::App;
use super::database::db_error;
use super::settings::is_true;
use crate::auth::trust::Use;
use crate::rest::tls;
use corten_api::certificate::{Certificate, CertificatePut};
use corten_api::error::{Error, Result};
use corten_db::error::{Abort, DbError};
use corten_db::table::certificates::{self, CLIENT, METRICS, SERVER};
use corten_db::{Tx, View};

/// The word for a kind of certificate.
pub fn kind_name(kind: i64) -> &'static str {
    match kind {
        SERVER => "server",
        METRICS => "metrics",
        _ => "client",
    }
}

/// The number for a word.
///
/// # Errors
/// 400 for a word that is none.
pub fn kind_number(name: &str) -> Result<i64> {
    match name {
        "client" => Ok(CLIENT),
        "server" => Ok(SERVER),
        "metrics" => Ok(METRICS),
        _ => Err(Error::invalid("Invalid certificate type")),
    }
}

/// As the API shows it.
pub fn view(row: &certificates::Certificate) -> Certificate {
    Certificate {
        name: row.name.clone(),
        r#type: kind_name(row.kind).to_string(),
        restricted: row.restricted,
        projects: row.projects.clone(),
        certificate: row.certificate.clone(),
        fingerprint: row.fingerprint.clone(),
    }
}

/// The one certificate whose fingerprint begins so.
///
/// # Errors
/// 404 when there is none, 400 when there are several.
pub fn find_in(view: &View<'_>, prefix: &str) -> Result<certificates::Certificate, Abort> {
    let found: Result<_, DbError> = certificates::by_prefix(view, prefix);
    let mut found = found?;
    match (found.pop(), found.is_empty()) {
        (Some(one), true) => Ok(one),
        (None, _) => Err(Error::not_found("Certificate not found").into()),
        (Some(_), false) => Err(Error::invalid("More than one certificate matches").into()),
    }
}

/// What there is to say of a certificate that is to be trusted.
#[derive(Clone, Debug)]
pub struct Trusting {
    /// Its name.
    pub name: String,
    /// Its kind: [`CLIENT`] or [`METRICS`].
    pub kind: i64,
    /// Whether it is for some projects only.
    pub restricted: bool,
    /// These.
    pub projects: Vec<String>,
    /// The certificate in DER.
    pub der: Vec<u8>,
}

impl App {
    /// Reads the trusted certificates into memory.
    ///
    /// # Errors
    /// The database's.
    pub fn load_trust(&self) -> Result<()> {
        let rows = self.db.view(certificates::list).map_err(db_error)?;
        let known = rows.into_iter().filter(|row| row.kind != SERVER).map(|row| {
            let good_for = match (row.kind, row.restricted) {
                (METRICS, _) => Use::Metrics,
                (_, true) => Use::Projects(row.projects.into_iter().collect()),
                (_, false) => Use::Client,
            };
            (row.fingerprint, good_for)
        });
        self.trust.replace(known.collect());
        self.trust
            .trust_authority(self.settings.get("core.trust_ca_certificates").is_some_and(|value| is_true(&value)));
        Ok(())
    }

    /// Trusts one more certificate, and gives its fingerprint.
    ///
    /// # Errors
    /// 400 when it is trusted already, or a project is not there.
    pub fn trust_certificate(&self, new: &Trusting) -> Result<String> {
        let row = certificates::Certificate {
            id: 0,
            fingerprint: tls::fingerprint(&new.der),
            kind: new.kind,
            name: new.name.clone(),
            certificate: tls::certificate_pem(&new.der),
            restricted: new.restricted,
            projects: new.projects.clone(),
        };
        self.write(|tx| {
            let there: Result<_, DbError> = certificates::get(tx, &row.fingerprint);
            if there?.is_some() {
                return Err(Error::invalid("Client is already trusted").into());
            }
            check_projects(tx, &row.projects)?;
            certificates::insert(tx, &row)?;
            Ok(())
        })?;
        self.load_trust()?;
        Ok(row.fingerprint)
    }

    /// Changes what is remembered of a certificate.
    ///
    /// # Errors
    /// 400 for values that are not right, 404 when it is not there.
    pub fn update_certificate(&self, fingerprint: &str, put: &CertificatePut) -> Result<()> {
        let kind = kind_number(&put.r#type)?;
        let der = match put.certificate.as_str() {
            "" => None,
            pem => Some(tls::certificate_der(pem)?),
        };
        self.write(|tx| {
            let mut row = find_in(tx, fingerprint)?;
            row.name.clone_from(&put.name);
            row.kind = kind;
            row.restricted = put.restricted;
            row.projects.clone_from(&put.projects);
            if let Some(der) = &der {
                row.certificate = tls::certificate_pem(der);
                row.fingerprint = tls::fingerprint(der);
            }
            check_projects(tx, &row.projects)?;
            certificates::update(tx, &row)?;
            Ok(())
        })?;
        self.load_trust()
    }

    /// Trusts a certificate no longer.
    ///
    /// # Errors
    /// 404 when it is not there.
    pub fn distrust_certificate(&self, fingerprint: &str) -> Result<()> {
        self.take_away(|tx| {
            let row = find_in(tx, fingerprint)?;
            certificates::delete(tx, &row.fingerprint)?;
            Ok(())
        })?;
        self.load_trust()
    }
}

fn check_projects(tx: &Tx<'_>, names: &[String]) -> Result<(), Abort> {
    for name in names {
        super::projects::scope_in(tx, name)?;
    }
    Ok(())
}
