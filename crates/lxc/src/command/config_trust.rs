//! `lxc config trust`: the clients that a server trusts.

use corten_api::certificate::{Certificate, CertificateAddToken, CertificatePut, CertificatesPost};
use corten_api::error::{Context, Error, Result};
use corten_api::operation::Operation;
use corten_api::time::Time;
use corten_api::{url, yaml};
use corten_client::tls;
use data_encoding::BASE64;
use hyper::Method;
use serde::Serialize;
use x509_parser::certificate::X509Certificate;
use x509_parser::prelude::FromDer;

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::entity::say;
use crate::session::{Resource, Session};
use crate::{editor, moment, printer, question, run, table, token};

/// The group.
pub static COMMAND: Command = Command {
    name: "trust",
    about: "Manage trusted clients",
    children: &[&ADD, &EDIT, &LIST, &LIST_TOKENS, &REMOVE, &REVOKE_TOKEN, &SHOW],
    ..Command::EMPTY
};

static ADD: Command = Command {
    name: "add",
    usage: "[<remote>:] [<cert>]",
    about: "Add new trusted client",
    long: "Add new trusted client\n\nWith a certificate file, that certificate is trusted. Without one, a token is made\nwhich the client gives to \"lxc remote add\".",
    flags: &[
        Flag::text("name", "Alternative certificate name"),
        Flag::text("projects", "List of projects to restrict the certificate to"),
        Flag::switch("restricted", "Restrict the certificate to one or more projects"),
        Flag::text("type", "Type of certificate").or("client"),
    ],
    words: (0, Some(2)),
    run: run!(add),
    ..Command::EMPTY
};

static EDIT: Command = Command {
    name: "edit",
    usage: "[<remote>:]<fingerprint>",
    about: "Edit trust configurations as YAML",
    words: (1, Some(1)),
    run: run!(edit),
    ..Command::EMPTY
};

static LIST: Command = Command {
    name: "list",
    aliases: &["ls"],
    usage: "[<remote>:]",
    about: "List trusted clients",
    flags: &[table::FORMAT],
    words: (0, Some(1)),
    run: run!(list),
    ..Command::EMPTY
};

static LIST_TOKENS: Command = Command {
    name: "list-tokens",
    usage: "[<remote>:]",
    about: "List all active certificate add tokens",
    flags: &[table::FORMAT],
    words: (0, Some(1)),
    run: run!(list_tokens),
    ..Command::EMPTY
};

static REMOVE: Command = Command {
    name: "remove",
    aliases: &["rm"],
    usage: "[<remote>:]<fingerprint>",
    about: "Remove trusted client",
    words: (1, Some(2)),
    run: run!(remove),
    ..Command::EMPTY
};

static REVOKE_TOKEN: Command = Command {
    name: "revoke-token",
    usage: "[<remote>:]<name>",
    about: "Revoke certificate add token",
    words: (1, Some(1)),
    run: run!(revoke_token),
    ..Command::EMPTY
};

static SHOW: Command = Command {
    name: "show",
    usage: "[<remote>:]<fingerprint>",
    about: "Show trust configurations",
    words: (1, Some(1)),
    run: run!(show),
    ..Command::EMPTY
};

const EDIT_HEADER: &str = "\
### A trusted certificate, as YAML.
### Lines that begin with a '#' are comments and are left out.
###
### The fingerprint is only shown; it follows from the certificate.";

async fn certificate(session: &Session, arguments: &Arguments) -> Result<(Resource, String)> {
    let found = session.resource(arguments.word(0)).await?;
    if found.name.is_empty() {
        return Err(Error::invalid("Missing certificate fingerprint"));
    }
    let path = url::path(["certificates", &found.name]);
    Ok((found, path))
}

async fn add(session: &Session, arguments: &Arguments) -> Result<()> {
    let kind = arguments.text_or("type", "client");
    if !matches!(kind, "client" | "metrics") {
        return Err(Error::invalid(format!("Unknown certificate type {kind:?}")));
    }
    // A lone word is the file, unless it names a remote.
    let only_file = arguments.len() == 1 && !arguments.word(0).ends_with(':');
    let found = session.resource(if only_file { "" } else { arguments.word(0) }).await?;
    let file = arguments.words.last().filter(|_| only_file || arguments.len() == 2);
    let mut request = CertificatesPost {
        name: arguments.text("name").to_owned(),
        r#type: kind.to_owned(),
        restricted: arguments.is_set("restricted"),
        projects: arguments.text("projects").split(',').filter(|name| !name.is_empty()).map(str::to_owned).collect(),
        ..CertificatesPost::default()
    };
    match file {
        Some(file) => {
            read_certificate(file, &mut request)?;
            found.server.post("/1.0/certificates", &request).await
        }
        None if kind == "metrics" => Err(Error::invalid("Cannot use metrics type certificate when using a token")),
        None => add_token(session, &found, request).await,
    }
}

/// Fills in the certificate of a PEM file, and its name where none was given.
fn read_certificate(file: &str, request: &mut CertificatesPost) -> Result<()> {
    let path = if file == "-" { "/dev/stdin" } else { file };
    let pem = std::fs::read_to_string(path).with_context(|| format!("open {path}"))?;
    let all = tls::certificates(&pem).unwrap_or_default();
    let first = all.first().ok_or_else(|| Error::invalid("Invalid certificate file"))?;
    request.certificate = BASE64.encode(first);
    if request.name.is_empty() {
        path.rsplit('/').next().unwrap_or(path).clone_into(&mut request.name);
    }
    Ok(())
}

async fn add_token(session: &Session, found: &Resource, mut request: CertificatesPost) -> Result<()> {
    request.token = true;
    if request.name.is_empty() {
        request.name = question::text("Please provide client name: ")?;
    }
    let running = found.server.start(Method::POST, "/1.0/certificates", &request, "").await?;
    let token = token_of(running.first())
        .ok_or_else(|| Error::internal("Failed converting token operation to certificate add token"))?;
    say(session, &format!("Client {} certificate add token:", request.name));
    printer::print_line(&token::encode(&token)?);
    Ok(())
}

/// The token that an operation stands for, when it stands for one.
fn token_of(operation: &Operation) -> Option<CertificateAddToken> {
    let metadata = operation.metadata.as_ref()?;
    let text = |key: &str| metadata.get(key)?.as_str().map(str::to_owned);
    Some(CertificateAddToken {
        client_name: metadata.get("request")?.get("name")?.as_str()?.to_owned(),
        fingerprint: text("fingerprint")?,
        addresses: serde_json::from_value(metadata.get("addresses")?.clone()).ok()?,
        secret: text("secret")?,
        expires_at: text("expiresAt").and_then(|time| time.parse().ok()).unwrap_or(Time::ZERO),
    })
}

async fn edit(session: &Session, arguments: &Arguments) -> Result<()> {
    let (found, path) = certificate(session, arguments).await?;
    if let Some(text) = editor::from_stdin()? {
        return found.server.put(&path, &yaml::from_str::<CertificatePut>(&text)?, "").await;
    }
    let (whole, etag): (Certificate, _) = found.server.get_with_etag(&path).await?;
    let text = format!("{EDIT_HEADER}\n\n{}", yaml::to_string(&whole)?);
    editor::until_taken(text, async |text| {
        found.server.put(&path, &yaml::from_str::<CertificatePut>(text)?, &etag).await
    })
    .await
}

async fn list(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = session.resource(arguments.word(0)).await?;
    let trusted: Vec<Certificate> = found.server.get("/1.0/certificates?recursion=1").await?;
    let mut rows = trusted.iter().map(row).collect::<Result<Vec<_>>>()?;
    table::order::by_cells(&mut rows);
    let header = ["TYPE", "NAME", "COMMON NAME", "FINGERPRINT", "ISSUE DATE", "EXPIRY DATE"];
    table::print(arguments, &header, &rows, &trusted)
}

fn row(trusted: &Certificate) -> Result<Vec<String>> {
    let invalid = || Error::invalid("Invalid certificate");
    let all = tls::certificates(&trusted.certificate)?;
    let (_, certificate) = X509Certificate::from_der(all.first().ok_or_else(invalid)?).map_err(|_| invalid())?;
    let name = certificate.subject().iter_common_name().next().and_then(|name| name.as_str().ok()).unwrap_or_default();
    let validity = certificate.validity();
    let date = |seconds: i64| moment::day_and_hour(Time::from_unix(seconds, 0));
    Ok(vec![
        trusted.r#type.clone(),
        trusted.name.clone(),
        name.to_owned(),
        trusted.fingerprint.chars().take(12).collect(),
        date(validity.not_before.timestamp()),
        date(validity.not_after.timestamp()),
    ])
}

/// A token as `list-tokens --format=json` shows it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    client_name: String,
    token: String,
    expires_at: String,
}

async fn list_tokens(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = session.resource(arguments.word(0)).await?;
    let mut shown = Vec::new();
    for (_, token) in token::usable(&found, token_of).await? {
        let expires_at = if token.expires_at.unix() > 0 { moment::minute(token.expires_at) } else { String::new() };
        shown.push(Shown { token: token::encode(&token)?, client_name: token.client_name, expires_at });
    }
    let mut rows: Vec<Vec<String>> = shown
        .iter()
        .map(|token| vec![token.client_name.clone(), token.token.clone(), token.expires_at.clone()])
        .collect();
    table::order::by_cells(&mut rows);
    table::print(arguments, &["NAME", "TOKEN", "EXPIRES AT"], &rows, &shown)
}

async fn remove(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = session.resource(arguments.word(0)).await?;
    let fingerprint = if arguments.len() == 2 { arguments.word(1) } else { &found.name };
    found.server.delete(&url::path(["certificates", fingerprint])).await
}

async fn revoke_token(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = session.resource(arguments.word(0)).await?;
    let tokens = token::usable(&found, token_of).await?;
    let Some((id, _)) = tokens.iter().find(|(_, token)| token.client_name == found.name) else {
        return Err(Error::not_found(format!(
            "No certificate add token for member {} on remote: {}",
            found.name, found.remote
        )));
    };
    found.server.delete(&url::path(["operations", id])).await?;
    say(session, &format!("Certificate add token for {} deleted", found.name));
    Ok(())
}

async fn show(session: &Session, arguments: &Arguments) -> Result<()> {
    let (found, path) = certificate(session, arguments).await?;
    let whole: Certificate = found.server.get(&path).await?;
    printer::print(&yaml::to_string(&whole)?);
    Ok(())
}
