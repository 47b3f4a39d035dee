//! Events as lines of a log.

use serde_json::Value;

use crate::log::{self, Level};

/// The line of an event; `None` when it is less important than `least` or of an unknown kind.
pub fn line(event: &Value, least: Level, colours: bool) -> Option<String> {
    let (level, message, mut fields) = match event.get("type")?.as_str()? {
        "logging" => logging(event.get("metadata")?)?,
        "lifecycle" => lifecycle(event.get("metadata")?)?,
        "operation" => operation(event.get("metadata")?)?,
        _ => return None,
    };
    if level > least {
        return None;
    }
    fields.sort();
    let time = seconds(event.get("timestamp")?.as_str()?);
    Some(log::line(&time, level, &message, &fields, colours))
}

type Record = (Level, String, Vec<(String, String)>);

fn logging(metadata: &Value) -> Option<Record> {
    let level = Level::parse(metadata.get("level")?.as_str()?).ok()?;
    Some((level, text(metadata, "message"), context(metadata)))
}

fn lifecycle(metadata: &Value) -> Option<Record> {
    let mut message = format!("Action: {}, Source: {}", text(metadata, "action"), text(metadata, "source"));
    if let Some(by) = metadata.get("requestor").filter(|by| !by.is_null()) {
        let (protocol, user, address) = (text(by, "protocol"), text(by, "username"), text(by, "address"));
        message.push_str(&format!(", Requestor: {protocol}/{user} ({address})"));
    }
    Some((Level::Info, message, context(metadata)))
}

fn operation(metadata: &Value) -> Option<Record> {
    let part = |key| text(metadata, key);
    let message = format!("ID: {}, Class: {}, Description: {}", part("id"), part("class"), part("description"));
    let fields = [
        ("CreatedAt", moment(&part("created_at"))),
        ("UpdatedAt", moment(&part("updated_at"))),
        ("Status", part("status")),
        ("StatusCode", part("status")),
        ("Resources", map(metadata.get("resources"))),
        ("Metadata", map(metadata.get("metadata"))),
        ("MayCancel", go(metadata.get("may_cancel").unwrap_or(&Value::Null))),
        ("Err", part("err")),
        ("Location", part("location")),
    ];
    Some((Level::Info, message, fields.map(|(key, value)| (key.to_owned(), value)).into()))
}

fn text(of: &Value, key: &str) -> String {
    of.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn context(metadata: &Value) -> Vec<(String, String)> {
    let fields = metadata.get("context").and_then(Value::as_object);
    fields.into_iter().flatten().map(|(key, value)| (key.clone(), go(value))).collect()
}

/// A map as Go prints it; one that is missing is an empty one.
fn map(value: Option<&Value>) -> String {
    value.filter(|value| !value.is_null()).map_or_else(|| "map[]".to_owned(), go)
}

/// A value as Go prints it.
fn go(value: &Value) -> String {
    match value {
        Value::Null => "<nil>".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(all) => format!("[{}]", all.iter().map(go).collect::<Vec<_>>().join(" ")),
        Value::Object(all) => {
            let parts: Vec<String> = all.iter().map(|(key, value)| format!("{key}:{}", go(value))).collect();
            format!("map[{}]", parts.join(" "))
        }
        other => other.to_string(),
    }
}

/// `2026-11-23T19:32:01.432Z` as `2026-11-23 19:32:01.432 +0000 UTC`.
fn moment(text: &str) -> String {
    text.strip_suffix('Z').map_or_else(|| text.to_owned(), |text| format!("{} +0000 UTC", text.replace('T', " ")))
}

/// A time without the parts of its second.
fn seconds(text: &str) -> String {
    match text.split_once('.') {
        Some((start, rest)) => format!("{start}{}", rest.trim_start_matches(|digit: char| digit.is_ascii_digit())),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_lines_of_a_log() {
        let event: Value = serde_json::from_str(
            r#"{"type":"lifecycle","timestamp":"2026-11-23T19:32:01.475Z","metadata":{"action":"instance-exec","source":"/1.0/instances/c1","context":{"command":["true"]}}}"#,
        )
        .unwrap();
        assert_eq!(
            line(&event, Level::Info, false).unwrap(),
            "time=\"2026-11-23T19:32:01Z\" level=info msg=\"Action: instance-exec, Source: /1.0/instances/c1\" command=\"[true]\"\n"
        );
        assert_eq!(
            line(&event, Level::Info, true).unwrap(),
            "\x1b[36mINFO   \x1b[0m[2026-11-23T19:32:01Z] Action: instance-exec, Source: /1.0/instances/c1  \x1b[36mcommand\x1b[0m=\"[true]\"\n"
        );
        assert_eq!(line(&event, Level::Error, false), None);
        let event: Value = serde_json::from_str(
            r#"{"type":"operation","timestamp":"2026-11-23T19:32:01Z","metadata":{"id":"i","class":"task","description":"d","created_at":"2026-11-23T19:32:01.5Z","updated_at":"2026-11-23T19:32:01.5Z","status":"Pending","status_code":105,"resources":{"a":["/x"]},"metadata":null,"may_cancel":false,"err":"","location":"none"}}"#,
        )
        .unwrap();
        assert_eq!(
            line(&event, Level::Debug, false).unwrap(),
            "time=\"2026-11-23T19:32:01Z\" level=info msg=\"ID: i, Class: task, Description: d\" CreatedAt=\"2026-11-23 19:32:01.5 +0000 UTC\" Err= Location=none MayCancel=false Metadata=\"map[]\" Resources=\"map[a:[/x]]\" Status=Pending StatusCode=Pending UpdatedAt=\"2026-11-23 19:32:01.5 +0000 UTC\"\n"
        );
    }
}
