//! `lxc manpage`: a page for each command, made from the same table that the parser reads.

use std::path::Path;

use corten_api::error::{Context, Error, Result};

use crate::arguments::{Arguments, Flag, Takes};
use crate::commands::{Command, GLOBAL_FLAGS, ROOT};
use crate::help::{self, Shown};
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "manpage",
    usage: "<target>",
    about: "Generate manpages for all commands",
    flags: &[Flag::text("format", "Format (man|md|rest|yaml)").short('f').or("man")],
    words: (1, Some(1)),
    hidden: true,
    run: crate::run!(run),
    ..Command::EMPTY
};

#[expect(clippy::unused_async, reason = "the table's commands are asynchronous")]
async fn run(_: &Session, arguments: &Arguments) -> Result<()> {
    let folder = Path::new(arguments.word(0));
    let (ending, separator, page): (_, _, fn(&[&'static Command]) -> String) = match arguments.text_or("format", "man")
    {
        "man" => ("1", ".", manual),
        "md" => ("md", "_", markdown),
        other => {
            let text = format!("The format {other:?} is not written by this client: one of man or md is meant");
            return Err(Error::not_implemented(text));
        }
    };
    for path in all() {
        let file = folder.join(format!("{}.{ending}", name(&path, separator)));
        std::fs::write(&file, page(&path)).with_context(|| format!("Failed to write {}", file.display()))?;
    }
    Ok(())
}

/// All commands but the hidden ones, each with those above it.
fn all() -> Vec<Vec<&'static Command>> {
    let mut waiting: Vec<Vec<&'static Command>> = vec![vec![&ROOT]];
    let mut found = Vec::new();
    while let Some(path) = waiting.pop() {
        let children = path.last().map_or(&[][..], |command| command.children);
        for child in children.iter().filter(|child| !child.hidden && child.name != "help") {
            waiting.push(path.iter().copied().chain([*child]).collect());
        }
        found.push(path);
    }
    found
}

fn name(path: &[&'static Command], separator: &str) -> String {
    path.iter().map(|command| command.name).collect::<Vec<_>>().join(separator)
}

/// A page for man(1); man-pages(7) says what belongs where.
fn manual(path: &[&'static Command]) -> String {
    let Some(command) = path.last() else { return String::new() };
    let escape = |text: &str| {
        let lines = text.lines().map(|line| {
            let line = line.replace('\\', "\\e").replace('-', "\\-");
            if line.starts_with(['.', '\'']) { format!("\\&{line}") } else { line }
        });
        lines.collect::<Vec<_>>().join("\n")
    };
    let block = |text: &str| format!(".nf\n{}\n.fi\n", escape(text));
    let long = if command.long.is_empty() { command.about } else { command.long };
    let mut page = format!(
        ".TH \"{}\" \"1\" \"\" \"LXD\" \"LXD \\- Command line client\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n\\fB{}\\fP {}\n.SH DESCRIPTION\n{}",
        name(path, "-").to_uppercase(),
        escape(&name(path, "-")),
        escape(command.about),
        escape(&name(path, " ")),
        escape(if command.children.is_empty() { command.usage } else { "[command]" }),
        block(long)
    );
    for (title, flags) in [("OPTIONS", command.flags), ("GLOBAL OPTIONS", GLOBAL_FLAGS)] {
        if !flags.is_empty() {
            page.push_str(&format!(".SH {title}\n"));
        }
        for flag in flags {
            let letter = flag.short.map(|letter| format!("\\-{letter}, ")).unwrap_or_default();
            let value = if flag.takes == Takes::Nothing { "" } else { "=VALUE" };
            page.push_str(&format!(
                ".TP\n\\fB{letter}\\-\\-{}\\fP{value}\n{}\n",
                escape(flag.long),
                escape(flag.about)
            ));
        }
    }
    if !command.examples.is_empty() {
        page.push_str(&format!(".SH EXAMPLES\n{}", block(command.examples)));
    }
    page
}

fn markdown(path: &[&'static Command]) -> String {
    let about = path.last().map_or("", |command| command.about);
    format!("## {}\n\n{about}\n\n```\n{}```\n", name(path, " "), help::text(path, Shown::default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_escape_what_roff_would_read() {
        let page = manual(&[&ROOT, &COMMAND]);
        assert!(page.starts_with(".TH \"LXC-MANPAGE\" \"1\""), "{page}");
        assert!(page.contains("\\fB\\-f, \\-\\-format\\fP=VALUE\nFormat (man|md|rest|yaml)\n"), "{page}");
        assert!(all().iter().all(|path| path.iter().all(|command| !command.hidden)));
    }
}
