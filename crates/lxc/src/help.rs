//! Help texts, in the layout that users of LXD's client know.

use corten_api::error::{Error, Result};

use crate::arguments::{Flag, Takes};
use crate::commands::{Command, GLOBAL_FLAGS, ROOT};
use crate::printer;

/// What of the tree a help text shows.
#[derive(Clone, Copy, Default)]
pub struct Shown {
    /// Hidden commands too.
    pub all: bool,
    /// The commands below those listed.
    pub below: bool,
}

/// The child `help` of the program, so that it is listed and found.
pub static COMMAND: Command =
    Command { name: "help", usage: "[command]", about: "Help about any command", ..Command::EMPTY };

/// `lxc help WORDS…`.
///
/// # Errors
/// When the words lead to no command.
pub fn for_words(words: &[String], line: &[String]) -> Result<()> {
    let flag = |name: &str| line.iter().any(|word| word == name);
    let shown = Shown { all: flag("--all"), below: flag("--sub-commands") };
    let mut path: Vec<&'static Command> = vec![&ROOT];
    for word in words.iter().filter(|word| !word.starts_with('-')) {
        match path.last().and_then(|command| command.child(word)) {
            Some(child) => path.push(child),
            None => return Err(Error::invalid(format!("Unknown help topic [`{}`]", words.join(" ")))),
        }
    }
    printer::print(&text(&path, shown));
    Ok(())
}

/// The whole help text of the last command of a path.
pub fn text(path: &[&'static Command], shown: Shown) -> String {
    let Some(command) = path.last() else { return String::new() };
    let long = if command.long.is_empty() { command.about } else { command.long };
    format!("Description:\n{}\n\n{}", indented(long), usage(path, shown))
}

/// The help text without the description.
pub fn usage(path: &[&'static Command], shown: Shown) -> String {
    let Some(command) = path.last() else { return String::new() };
    let name = path.iter().map(|command| command.name).collect::<Vec<_>>().join(" ");
    let mut sections = vec![format!("Usage:\n{}", lines_of_use(command, &name))];
    if !command.aliases.is_empty() {
        sections.push(format!("Aliases:\n  {}, {}", command.name, command.aliases.join(", ")));
    }
    if !command.examples.is_empty() {
        sections.push(format!("Examples:\n{}", indented(command.examples)));
    }
    if !command.children.is_empty() {
        sections.push(format!("Available Commands:\n{}", children(command, shown, "  ").trim_end()));
    }
    let top = path.len() == 1;
    let own: Vec<&Flag> =
        if top { GLOBAL_FLAGS.iter().chain(command.flags).collect() } else { command.flags.iter().collect() };
    if !own.is_empty() {
        sections.push(format!("Flags:\n{}", flags(own)));
    }
    if !top {
        sections.push(format!("Global Flags:\n{}", flags(GLOBAL_FLAGS.iter().collect())));
    }
    if !command.children.is_empty() {
        sections.push(format!("Use \"{name} [command] --help\" for more information about a command."));
    }
    sections.join("\n\n") + "\n"
}

fn lines_of_use(command: &Command, name: &str) -> String {
    let words = if command.usage.is_empty() { String::new() } else { format!(" {}", command.usage) };
    if command.children.is_empty() {
        let flags = if words.contains("[flags]") { "" } else { " [flags]" };
        return format!("  {name}{words}{flags}");
    }
    let own = if command.name == ROOT.name { String::new() } else { format!("  {name}{words} [flags]\n") };
    format!("{own}  {name} [command]")
}

fn children(command: &Command, shown: Shown, indent: &str) -> String {
    let listed: Vec<_> = command.children.iter().filter(|child| shown.all || !child.hidden).collect();
    let width = listed.iter().map(|child| child.name.len()).max().unwrap_or_default().max(11);
    let mut text = String::new();
    for child in listed {
        text.push_str(&format!("{indent}{:width$} {}\n", child.name, child.about));
        if shown.below {
            text.push_str(&children(child, shown, &format!("{indent}  ")));
        }
    }
    text
}

fn flags(mut list: Vec<&Flag>) -> String {
    list.sort_by_key(|flag| flag.long);
    let head = |flag: &Flag| {
        let letter = flag.short.map_or_else(|| "   ".to_owned(), |letter| format!("-{letter},"));
        let optional = match flag.takes {
            Takes::TextOr(missing) => format!("[={missing:?}]"),
            _ => String::new(),
        };
        format!("  {letter} --{}{optional}", flag.long)
    };
    let width = list.iter().map(|flag| head(flag).len()).max().unwrap_or_default() + 3;
    let lines = list.iter().map(|flag| {
        let default = match flag.takes {
            _ if flag.default.is_empty() || flag.default == "0" => String::new(),
            Takes::Int | Takes::Uint => format!(" (default {})", flag.default),
            _ => format!(" (default {:?})", flag.default),
        };
        format!("{:width$}{}{default}", head(flag), flag.about)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// Text with two spaces before each line that is not empty.
fn indented(text: &str) -> String {
    text.lines()
        .map(|line| if line.is_empty() { String::new() } else { format!("  {line}") })
        .collect::<Vec<_>>()
        .join("\n")
}
