//! `lxc alias`: the user's own shortcuts, kept in the client's configuration.

use corten_api::error::{Error, Result};

use crate::arguments::Arguments;
use crate::commands::Command;
use crate::session::Session;
use crate::{run, table};

/// The group.
pub static COMMAND: Command = Command {
    name: "alias",
    about: "Manage command aliases",
    children: &[&ADD, &LIST, &REMOVE, &RENAME],
    ..Command::EMPTY
};

static ADD: Command = Command {
    name: "add",
    usage: "<alias> <target>",
    about: "Add new aliases",
    examples: "lxc alias add list \"list -c ns46S\"\n    Gives \"list\" other columns.",
    words: (2, Some(2)),
    run: run!(add),
    ..Command::EMPTY
};

static LIST: Command = Command {
    name: "list",
    aliases: &["ls"],
    about: "List aliases",
    flags: &[table::FORMAT],
    words: (0, Some(0)),
    run: run!(list),
    ..Command::EMPTY
};

static REMOVE: Command = Command {
    name: "remove",
    aliases: &["rm"],
    usage: "<alias>",
    about: "Remove aliases",
    examples: "lxc alias remove my-list\n    Forgets the alias \"my-list\".",
    words: (1, Some(1)),
    run: run!(remove),
    ..Command::EMPTY
};

static RENAME: Command = Command {
    name: "rename",
    aliases: &["mv"],
    usage: "<old alias> <new alias>",
    about: "Rename aliases",
    examples: "lxc alias rename list my-list\n    Calls the alias \"list\" \"my-list\" from now on.",
    words: (2, Some(2)),
    run: run!(rename),
    ..Command::EMPTY
};

fn already_exists(name: &str) -> Error {
    Error::conflict(format!("Alias {name} already exists"))
}

fn missing(name: &str) -> Error {
    Error::not_found(format!("Alias {name} doesn't exist"))
}

async fn add(session: &Session, arguments: &Arguments) -> Result<()> {
    let mut config = session.config.borrow_mut();
    let name = arguments.word(0);
    if config.aliases.contains_key(name) {
        return Err(already_exists(name));
    }
    config.aliases.insert(name.to_owned(), arguments.word(1).to_owned());
    config.save()
}

async fn list(session: &Session, arguments: &Arguments) -> Result<()> {
    let config = session.config.borrow();
    let mut rows: Vec<Vec<String>> =
        config.aliases.iter().map(|(name, target)| vec![name.clone(), target.clone()]).collect();
    table::order::by_cells(&mut rows);
    table::print(arguments, &["ALIAS", "TARGET"], &rows, &config.aliases)
}

async fn remove(session: &Session, arguments: &Arguments) -> Result<()> {
    let mut config = session.config.borrow_mut();
    let name = arguments.word(0);
    config.aliases.remove(name).ok_or_else(|| missing(name))?;
    config.save()
}

async fn rename(session: &Session, arguments: &Arguments) -> Result<()> {
    let mut config = session.config.borrow_mut();
    let (from, to) = (arguments.word(0), arguments.word(1));
    let target = config.aliases.get(from).cloned().ok_or_else(|| missing(from))?;
    if config.aliases.contains_key(to) {
        return Err(already_exists(to));
    }
    config.aliases.remove(from);
    config.aliases.insert(to.to_owned(), target);
    config.save()
}
