//! Lines of a log, as LXD writes them: plain for programs, coloured for people.

use corten_api::error::{Error, Result};
use corten_api::time::Time;
use corten_client::http::Exchange;
use std::io::IsTerminal;

use crate::printer;

/// How important a message is; the most important first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The program ends with it.
    Fatal,
    /// Something failed.
    Error,
    /// Something looks wrong.
    Warning,
    /// Something happened.
    Info,
    /// For those who look for faults.
    Debug,
    /// Everything.
    Trace,
}

/// Names, level, name as shown, colour (SGR parameter).
const LEVELS: [(&[&str], Level, &str, u8); 6] = [
    (&["fatal", "panic"], Level::Fatal, "fatal", 31),
    (&["error", "eror"], Level::Error, "error", 31),
    (&["warning", "warn"], Level::Warning, "warning", 33),
    (&["info"], Level::Info, "info", 36),
    (&["debug", "dbug"], Level::Debug, "debug", 37),
    (&["trace"], Level::Trace, "trace", 37),
];

impl Level {
    /// The level of a name.
    ///
    /// # Errors
    /// When there is none.
    pub fn parse(name: &str) -> Result<Level> {
        let lower = name.to_lowercase();
        LEVELS
            .iter()
            .find(|(names, ..)| names.contains(&lower.as_str()))
            .map(|(_, level, ..)| *level)
            .ok_or_else(|| Error::invalid(format!("not a valid logrus Level: {name:?}")))
    }

    /// Its name and its colour.
    fn shown(self) -> (&'static str, u8) {
        LEVELS.iter().find(|(_, level, ..)| *level == self).map_or(("info", 36), |(.., name, colour)| (*name, *colour))
    }
}

/// The width to which messages are padded when they are coloured.
const MESSAGE: usize = 44;

/// A line. Fields come in the order given.
pub fn line(time: &str, level: Level, message: &str, fields: &[(String, String)], colours: bool) -> String {
    let (name, colour) = level.shown();
    if !colours {
        let fields: String = fields.iter().map(|(key, value)| format!(" {key}={}", quoted(value))).collect();
        return format!("time={time:?} level={name} msg={}{fields}\n", quoted(message));
    }
    let fields: String =
        fields.iter().map(|(key, value)| format!(" \x1b[{colour}m{key}\x1b[0m={}", quoted(value))).collect();
    format!("\x1b[{colour}m{:7}\x1b[0m[{time}] {message:MESSAGE$} {fields}\n", name.to_uppercase())
}

/// A value as a log shows it: quoted when it holds anything but plain characters.
fn quoted(value: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-._/@^+".contains(letter);
    if value.chars().all(plain) { value.to_owned() } else { format!("{value:?}") }
}

/// Shows what goes over a connection, for `--debug`.
pub fn exchange(what: &Exchange<'_>) {
    match what {
        Exchange::Request { method, url, etag, body } => {
            let fields = [("etag", *etag), ("method", method.as_str()), ("url", *url)];
            debug("Sending request to LXD", &fields.map(|(key, value)| (key.to_owned(), value.to_owned())));
            if !body.is_empty() {
                debug(&indented(body), &[]);
            }
        }
        Exchange::Reply(body) => {
            debug("Got response struct from LXD", &[]);
            debug(&indented(body), &[]);
        }
    }
}

fn debug(message: &str, fields: &[(String, String)]) {
    let time = Time::from_unix(Time::now().unix(), 0).to_string();
    printer::warn(&line(&time, Level::Debug, message, fields, std::io::stderr().is_terminal()));
}

/// JSON as the log shows it; anything else as it is.
fn indented(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(body);
    let Ok(value) = serde_json::from_str::<serde_json::Value>(&text) else { return text.into_owned() };
    let mut pretty = Vec::new();
    let formatter = serde_json::ser::PrettyFormatter::with_indent(b"\t");
    let mut to = serde_json::Serializer::with_formatter(&mut pretty, formatter);
    if serde::Serialize::serialize(&value, &mut to).is_err() {
        return text.into_owned();
    }
    format!("\n\t{}", String::from_utf8_lossy(&pretty).replace('\n', "\n\t"))
}
