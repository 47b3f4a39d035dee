//! `lxc query`: a request as it is, and the reply as JSON.

use corten_api::envelope::Envelope;
use corten_api::error::{Error, Kind, Result};
use corten_api::operation::Operation;
use corten_client::http::Ask;
use corten_client::operation::outcome;
use corten_client::server::Server;
use hyper::{Method, StatusCode};
use serde::Serialize;
use serde_json::Value;

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::printer;
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "query",
    usage: "[<remote>:]<API path>",
    about: "Send a raw query to LXD",
    examples: "lxc query -X DELETE --wait /1.0/instances/c1\n    Delete local instance \"c1\".",
    flags: &[
        Flag::switch("wait", "Wait for the operation to complete"),
        Flag::switch("raw", "Print the raw response"),
        Flag::text("request", "Action (defaults to GET)").short('X').or("GET"),
        Flag::text("data", "Input data").short('d'),
    ],
    words: (1, Some(1)),
    hidden: true,
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    if session.project.is_some() {
        return Err(Error::invalid("--project cannot be used with the query command"));
    }
    let (remote, path) = session.parse_remote(arguments.word(0))?;
    if !path.starts_with('/') {
        return Err(Error::invalid("Query path must start with /"));
    }
    // What a query asks is what the user typed: the remote's project is not added.
    let server = session.server(&remote).await?.in_project("");
    let name = arguments.text_or("request", "GET");
    let method = Method::from_bytes(name.as_bytes())
        .map_err(|_| Error::invalid(format!("net/http: invalid method {name:?}")))?;
    let reply = server.send(ask(method, &path, arguments.text("data"))).await?;
    let (status, bytes) = server.collect(reply).await?;
    let Ok(mut envelope) = serde_json::from_slice::<Envelope>(&bytes) else {
        if status != StatusCode::OK {
            let message = format!("Failed to fetch {}{path}: {status}", server.endpoint().base());
            return Err(Error { kind: Kind::from_status(status.as_u16()), message });
        }
        printer::print_bytes(&bytes);
        return Ok(());
    };
    if envelope.kind == "error" {
        return Err(Error { kind: Kind::from_status(status.as_u16()), message: envelope.error });
    }
    if arguments.is_set("wait") && !envelope.operation.is_empty() {
        envelope = wait(&server, &envelope.operation).await?;
    }
    if arguments.is_set("raw") {
        printer::print_line(&raw(&envelope)?);
        return Ok(());
    }
    let metadata: Value = envelope.read()?;
    let nothing = metadata.is_null() || metadata.as_object().is_some_and(serde_json::Map::is_empty);
    if !nothing {
        printer::print_line(&pretty(&metadata)?);
    }
    Ok(())
}

/// Waits for an operation at its path.
async fn wait(server: &Server, operation: &str) -> Result<Envelope> {
    let (path, query) = operation.split_once('?').unwrap_or((operation, ""));
    let (envelope, _) = server.ask(Ask::new(Method::GET, format!("{path}/wait?{query}"))).await?;
    outcome(envelope.read::<Operation>()?)?;
    Ok(envelope)
}

/// The request: data that is JSON goes as it is, anything else as a JSON string, as LXD's client does.
fn ask(method: Method, path: &str, data: &str) -> Ask {
    let body = match serde_json::from_str::<Value>(data) {
        Ok(value) => value.to_string(),
        Err(_) => Value::String(data.to_owned()).to_string(),
    };
    Ask::new(method, path).body("application/json", body.into_bytes())
}

/// The whole reply, its parts in the order in which the server sent them.
fn raw<T: Serialize>(value: &T) -> Result<String> {
    let compact = serde_json::to_string(value).map_err(|error| Error::internal(error.to_string()))?;
    Ok(indented(&compact) + "\n")
}

/// Indents JSON that is on one line, without reading its values: they come out as they went in.
fn indented(compact: &str) -> String {
    let (mut text, mut depth, mut in_string, mut escaped) = (String::new(), 0, false, false);
    let mut letters = compact.chars().peekable();
    let line = |text: &mut String, depth: usize| {
        text.push('\n');
        text.push_str(&"\t".repeat(depth));
    };
    while let Some(letter) = letters.next() {
        if in_string {
            in_string = escaped || letter != '"';
            escaped = !escaped && letter == '\\';
            text.push(letter);
            continue;
        }
        match letter {
            '{' | '[' => {
                text.push(letter);
                while letters.next_if(|next| next.is_whitespace()).is_some() {}
                if let Some(end) = letters.next_if(|next| matches!(next, '}' | ']')) {
                    text.push(end);
                } else {
                    depth += 1;
                    line(&mut text, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line(&mut text, depth);
                text.push(letter);
            }
            ',' => {
                text.push(letter);
                line(&mut text, depth);
            }
            ':' => text.push_str(": "),
            letter if letter.is_whitespace() => {}
            letter => {
                in_string = letter == '"';
                text.push(letter);
            }
        }
    }
    text
}

/// JSON indented by tabs, with a newline of its own at the end, as LXD's client prints it.
fn pretty<T: Serialize>(value: &T) -> Result<String> {
    let mut text = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    let mut to = serde_json::Serializer::with_formatter(&mut text, formatter);
    value.serialize(&mut to).map_err(|error| Error::internal(error.to_string()))?;
    text.push(b'\n');
    Ok(String::from_utf8_lossy(&text).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raw_replies_keep_their_order() {
        let text = r#"{"b": [1,{}, "a\\\"}, {"],"a":{"x":null}}"#;
        assert_eq!(
            indented(text),
            "{\n\t\"b\": [\n\t\t1,\n\t\t{},\n\t\t\"a\\\\\\\"}, {\"\n\t],\n\t\"a\": {\n\t\t\"x\": null\n\t}\n}"
        );
    }

    #[test]
    fn json_is_indented_by_tabs_with_sorted_keys() {
        let value: Value = serde_json::from_str(r#"{"b":[1,"<x>"],"a":{},"c":[]}"#).unwrap();
        assert_eq!(pretty(&value).unwrap(), "{\n\t\"a\": {},\n\t\"b\": [\n\t\t1,\n\t\t\"<x>\"\n\t],\n\t\"c\": []\n}\n");
    }
}
