//! `/1.0/certificates`: whom this server trusts, and how strangers come to be trusted.

use crate::app::certificates::{self, Trusting, find_in, kind_number};
use crate::app::{Call, Endpoint};
use crate::auth::{certificate, password};
use crate::rest::error::not_authorized;
use crate::rest::operation::{Class, Op, Plan, random_secret};
use crate::rest::reply::Reply;
use crate::rest::route::May;
use crate::rest::{recursion, tls};
use corten_api::certificate::{Certificate, CertificateAddToken, CertificatePut, CertificatesPost};
use corten_api::error::{Error, Result};
use corten_api::json;
use corten_api::status::StatusCode;
use corten_api::time::Time;
use corten_api::url;
use corten_db::table::certificates::list;
use corten_instance::snapshot::expiry;
use data_encoding::{BASE64, DecodeError};
use serde_json::json;

/// What this file answers.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint::at("/1.0/certificates").get(list_all, May::Trusted).post(add, May::Anyone),
    Endpoint::at("/1.0/certificates/{fingerprint}")
        .get(show, May::Trusted)
        .put(replace, May::Trusted)
        .patch(amend, May::Trusted)
        .delete(remove, May::Admin),
];

fn list_all(call: &Call) -> Result<Reply> {
    let rows = call.app.view(|view| Ok(list(view)?))?;
    let shown: Vec<Certificate> = rows.iter().map(certificates::view).collect();
    recursion::list(call, &shown, |certificate| url::path(["certificates", &certificate.fingerprint]))
}

fn find(call: &Call) -> Result<Certificate> {
    let row = call.app.view(|view| find_in(view, call.part("fingerprint")))?;
    Ok(certificates::view(&row))
}

fn show(call: &Call) -> Result<Reply> {
    let certificate = find(call)?;
    Ok(Reply::sync(&certificate)?.etag(&certificate))
}

fn replace(call: &Call) -> Result<Reply> {
    let old = find(call)?;
    call.check_etag(&old)?;
    let put: CertificatePut = call.json()?;
    update(call, &old, put)
}

fn amend(call: &Call) -> Result<Reply> {
    let old = find(call)?;
    call.check_etag(&old)?;
    let mut merged = serde_json::to_value(old.writable()).map_err(|error| Error::internal(error.to_string()))?;
    if let Some(fields) = merged.as_object_mut() {
        fields.extend(call.json_object()?);
    }
    let put = json::from_value(merged).map_err(|error| Error::invalid(format!("Invalid request body: {error}")))?;
    update(call, &old, put)
}

fn update(call: &Call, old: &Certificate, put: CertificatePut) -> Result<Reply> {
    if old.r#type != put.r#type {
        return Err(Error::forbidden("The certificate type cannot be changed"));
    }
    let mut put = put;
    if put.certificate == old.certificate {
        put.certificate.clear();
    }
    if !call.requestor.is_admin() {
        let same = old.restricted == put.restricted && old.name == put.name && old.projects == put.projects;
        if !same {
            return Err(Error::forbidden("Only the certificate can be changed"));
        }
        if !put.certificate.is_empty() && call.requestor.username != old.fingerprint {
            return Err(Error::forbidden("Certificate cannot be changed"));
        }
    }
    if !put.certificate.is_empty() {
        certificate::check(&tls::certificate_der(&put.certificate)?)?;
    }
    call.app.update_certificate(&old.fingerprint, &put)?;
    tell(call, "certificate-updated", &old.fingerprint);
    Ok(Reply::empty())
}

fn remove(call: &Call) -> Result<Reply> {
    let old = find(call)?;
    call.app.distrust_certificate(&old.fingerprint)?;
    tell(call, "certificate-deleted", &old.fingerprint);
    Ok(Reply::empty())
}

fn tell(call: &Call, action: &str, fingerprint: &str) -> String {
    let source = url::path(["certificates", fingerprint]);
    call.app.lifecycle("default", action, &source, Some(call.lifecycle_requestor()));
    source
}

/// Trusts a certificate, or gives out a token by which someone may bring one.
fn add(call: &Call) -> Result<Reply> {
    let mut asked: CertificatesPost = call.json()?;
    if asked.token {
        check_token_request(call, &asked)?;
    }
    if call.requestor.is_trusted() && asked.certificate.is_empty() && !asked.token {
        return Err(Error::invalid("Client is already trusted"));
    }
    if !call.requestor.is_admin() {
        asked = admit_stranger(call, asked)?;
    }
    let kind = kind_number(&asked.r#type)?;
    if asked.token {
        return issue_token(call, &asked);
    }
    let der = offered(call, &asked)?;
    let known = certificate::check(&der)?;
    let address = || call.requestor.address.rsplit_once(':').map_or("", |(host, _)| host).to_string();
    let names = [asked.name, known.common_name, address()];
    let name = names.into_iter().find(|name| !name.is_empty()).unwrap_or_default();
    let trusting = Trusting { name, kind, restricted: asked.restricted, projects: asked.projects, der };
    let fingerprint = call.app.trust_certificate(&trusting)?;
    Ok(Reply::created(tell(call, "certificate-created", &fingerprint)))
}

fn check_token_request(call: &Call, asked: &CertificatesPost) -> Result<()> {
    if !asked.certificate.is_empty() {
        return Err(Error::invalid("Can't use certificate if token is requested"));
    }
    if asked.r#type != "client" {
        return Err(Error::invalid("Tokens can only be issued for client certificates"));
    }
    if call.app.settings.get("core.https_address").is_none() {
        return Err(Error::invalid("Can't issue token when server isn't listening on network"));
    }
    Ok(())
}

/// The certificate that is to be trusted: the one in the body, or the connection's own.
fn offered(call: &Call, asked: &CertificatesPost) -> Result<Vec<u8>> {
    if !asked.certificate.is_empty() {
        // Go's decoder passes over line ends, and pylxd sends them.
        let one_line = asked.certificate.replace(['\r', '\n'], "");
        let der = BASE64.decode(one_line.as_bytes());
        let illegal = |error: DecodeError| format!("illegal base64 data at input byte {}", error.position);
        return der.map_err(|error| Error::invalid(illegal(error)));
    }
    if call.requestor.address == "@" {
        return Err(Error::invalid("Can't use TLS data on non-TLS link"));
    }
    call.requestor.certificate.clone().ok_or_else(|| Error::invalid("No client certificate provided"))
}

/// Lets someone in who knows the trust password or has a token; the token decides on everything else.
fn admit_stranger(call: &Call, asked: CertificatesPost) -> Result<CertificatesPost> {
    if asked.token || asked.password.is_empty() {
        return Err(not_authorized());
    }
    if let Some(token) = read_token(&asked.password) {
        let op = find_token(call, &token.secret)
            .ok_or_else(|| Error::forbidden("No matching certificate add operation found"))?;
        call.app.operations.cancel(&op)?;
        let expiry = op.metadata("expiresAt").and_then(|at| serde_json::from_value::<Time>(at).ok());
        if expiry.is_some_and(|expiry| Time::now() > expiry) {
            // LXD's code for it, too.
            return Err(Error::internal("Failed during search for certificate add token operation: Token has expired"));
        }
        let request = op.metadata("request").and_then(|request| serde_json::from_value(request).ok());
        let issued: CertificatesPost = request.ok_or_else(|| Error::internal("Bad certificate add operation data"))?;
        // Only what the token was issued for; above all it is not a request for another token.
        return Ok(CertificatesPost {
            name: issued.name,
            r#type: issued.r#type,
            restricted: issued.restricted,
            projects: issued.projects,
            ..CertificatesPost::default()
        });
    }
    let kept = call.app.settings.get("core.trust_password").unwrap_or_default();
    if !password::verify(&kept, &asked.password) {
        tracing::warn!(ip = %call.requestor.address, "Bad trust password");
        return Err(not_authorized());
    }
    Ok(asked)
}

/// A password that is a token: base64 of JSON with a name, a fingerprint, addresses and a secret.
fn read_token(text: &str) -> Option<CertificateAddToken> {
    let bytes = BASE64.decode(text.as_bytes()).ok()?;
    let token: CertificateAddToken = serde_json::from_slice(&bytes).ok()?;
    let whole = !token.client_name.is_empty()
        && !token.addresses.is_empty()
        && !token.secret.is_empty()
        && !token.fingerprint.is_empty();
    whole.then_some(token)
}

fn find_token(call: &Call, secret: &str) -> Option<Op> {
    call.app.operations.all().into_iter().find(|op| {
        op.class() == Class::Token
            && op.status() == StatusCode::Running
            && op.metadata("request").is_some()
            && op.metadata("secret").is_some_and(|known| known == secret)
    })
}

fn issue_token(call: &Call, asked: &CertificatesPost) -> Result<Reply> {
    let app = &call.app;
    let mut plan = Plan::new("default", "Executing operation")
        .requestor(call.lifecycle_requestor())
        .metadata("secret", random_secret()?)
        .metadata("fingerprint", app.identity.fingerprint()?)
        .metadata("addresses", app.addresses())
        .metadata("request", json!(asked));
    if let Some(lifetime) = app.settings.get("core.remote_token_expiry")
        && let Some(end) = expiry::after(&lifetime, Time::now())?
    {
        plan = plan.metadata("expiresAt", json!(end));
    }
    Reply::accepted(&app.operations.token(plan)?)
}
