//! `lxc cluster add`, `list-tokens` and `revoke-token`: tokens by which a server may join.

use corten_api::cluster::{ClusterMemberJoinToken, ClusterMembersPost};
use corten_api::error::{Error, Result};
use corten_api::operation::Operation;
use corten_api::time::Time;
use corten_api::url;
use hyper::Method;
use serde::Serialize;

use super::require_cluster;
use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::entity::say;
use crate::session::{Resource, Session};
use crate::{moment, printer, question, run, table, token};

/// `add`.
pub static ADD: Command = Command {
    name: "add",
    usage: "[[<remote>:]<member>]",
    about: "Request a join token for adding a cluster member",
    flags: &[Flag::text("name", "Cluster member name")],
    words: (1, Some(1)),
    run: run!(add),
    ..Command::EMPTY
};

/// `list-tokens`.
pub static LIST_TOKENS: Command = Command {
    name: "list-tokens",
    usage: "[<remote>:]",
    about: "List all active cluster member join tokens",
    flags: &[table::FORMAT],
    words: (0, Some(1)),
    run: run!(list_tokens),
    ..Command::EMPTY
};

/// `revoke-token`.
pub static REVOKE_TOKEN: Command = Command {
    name: "revoke-token",
    usage: "[<remote>:]<member>",
    about: "Revoke cluster member join token",
    words: (1, Some(1)),
    run: run!(revoke_token),
    ..Command::EMPTY
};

async fn add(session: &Session, arguments: &Arguments) -> Result<()> {
    let mut found = session.resource(arguments.word(0)).await?;
    if found.name.is_empty() {
        found.name = match arguments.text("name") {
            "" => question::text("Please provide cluster member name: ")?,
            given => given.to_owned(),
        };
    }
    let request = ClusterMembersPost { server_name: found.name.clone() };
    let running = found.server.start(Method::POST, "/1.0/cluster/members", &request, "").await?;
    let token =
        token_of(running.first()).ok_or_else(|| Error::internal("Failed converting token operation to join token"))?;
    say(session, &format!("Member {} join token:", found.name));
    printer::print_line(&token::encode(&token)?);
    Ok(())
}

/// The token that an operation stands for, when it stands for one.
fn token_of(operation: &Operation) -> Option<ClusterMemberJoinToken> {
    let metadata = operation.metadata.as_ref()?;
    let text = |key: &str| metadata.get(key)?.as_str().map(str::to_owned);
    Some(ClusterMemberJoinToken {
        server_name: text("serverName")?,
        fingerprint: text("fingerprint")?,
        addresses: serde_json::from_value(metadata.get("addresses")?.clone()).ok()?,
        secret: text("secret")?,
        expires_at: text("expiresAt").and_then(|time| time.parse().ok()).unwrap_or(Time::ZERO),
    })
}

/// Tokens that can still be used, each with the id of its operation.
async fn tokens(found: &Resource) -> Result<Vec<(String, ClusterMemberJoinToken)>> {
    require_cluster(&found.server).await?;
    token::usable(found, token_of).await
}

/// A token as `list-tokens --format=json` shows it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Shown {
    server_name: String,
    token: String,
    expires_at: String,
}

async fn list_tokens(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = session.resource(arguments.word(0)).await?;
    let mut shown = Vec::new();
    for (_, token) in tokens(&found).await? {
        let expires_at = moment::minute(token.expires_at);
        shown.push(Shown { token: token::encode(&token)?, server_name: token.server_name, expires_at });
    }
    let mut rows: Vec<Vec<String>> = shown
        .iter()
        .map(|token| vec![token.server_name.clone(), token.token.clone(), token.expires_at.clone()])
        .collect();
    table::order::by_cells(&mut rows);
    table::print(arguments, &["NAME", "TOKEN", "EXPIRES AT"], &rows, &shown)
}

async fn revoke_token(session: &Session, arguments: &Arguments) -> Result<()> {
    let found = session.resource(arguments.word(0)).await?;
    let tokens = tokens(&found).await?;
    let Some((id, _)) = tokens.iter().find(|(_, token)| token.server_name == found.name) else {
        return Err(Error::not_found(format!(
            "No cluster join token for member {} on remote: {}",
            found.name, found.remote
        )));
    };
    found.server.delete(&url::path(["operations", id])).await?;
    say(session, &format!("Cluster join token for {}:{} deleted", found.remote, found.name));
    Ok(())
}
