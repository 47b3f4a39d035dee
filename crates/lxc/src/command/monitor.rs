//! `lxc monitor`: the events of a server as they happen.

use corten_api::error::{Context, Error, Result};
use corten_api::yaml;
use corten_client::events::Events;
use serde_json::Value;
use std::io::IsTerminal;

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::log::Level;
use crate::printer;
use crate::session::Session;

mod pretty;

pub static COMMAND: Command = Command {
    name: "monitor",
    usage: "[<remote>:]",
    about: "Monitor a local or remote LXD server",
    long: "Monitor a local or remote LXD server\n\nWithout --type all kinds of messages are shown.",
    examples: "lxc monitor --type=logging\n    Only show log messages.\n\nlxc monitor --pretty --type=logging --loglevel=info\n    Show a pretty log of messages with info level or higher.\n\nlxc monitor --type=lifecycle\n    Only show lifecycle events.",
    flags: &[
        Flag::switch("pretty", "Pretty rendering (short for --format=pretty)"),
        Flag::switch("all-projects", "Show events from all projects"),
        Flag::texts("type", "Event type to listen for"),
        Flag::text("loglevel", "Minimum level for log messages (only available when using pretty format)"),
        Flag::text("format", "Format (json|pretty|yaml)").short('f').or("yaml"),
    ],
    words: (0, Some(1)),
    hidden: true,
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let format = arguments.text_or("format", "yaml");
    if !matches!(format, "json" | "pretty" | "yaml") {
        return Err(Error::invalid(format!("Invalid format: {format}")));
    }
    let format = if arguments.is_set("pretty") { "pretty" } else { format };
    let level = arguments.text("loglevel");
    if format != "pretty" && !level.is_empty() {
        return Err(Error::invalid("Log level filtering can only be used with pretty formatting"));
    }
    let level = if level.is_empty() { Level::Debug } else { Level::parse(level)? };
    let server = session.resource(arguments.word(0)).await?.server;
    let types = arguments.texts("type");
    let mut events = Events::open(&server, &types, arguments.is_set("all-projects")).await?;
    let colours = std::io::stdout().is_terminal();
    while let Some(text) = events.next_text().await? {
        let event: Value = serde_json::from_str(&text).context("The server sent an event that is not JSON")?;
        match format {
            "json" => printer::print(&format!("{event}\n\n")),
            "yaml" => printer::print(&format!("{}\n\n", yaml::untyped_to_string(&event))),
            _ => {
                if let Some(line) = pretty::line(&event, level, colours) {
                    printer::print(&line);
                }
            }
        }
    }
    Ok(())
}
