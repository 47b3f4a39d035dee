//! The tree of commands as data: names, words, flags and what runs; read by the parser, the help text, the manual
//! pages and the completions. It is constant, so that finding a command costs nothing.

use std::future::Future;
use std::pin::Pin;

use corten_api::error::Result;

use crate::arguments::{Arguments, Flag};
use crate::command;
use crate::session::Session;

/// What a command's function looks like; made by [`run!`](crate::run).
pub type Run = for<'a> fn(&'a Session, &'a Arguments) -> Pin<Box<dyn Future<Output = Result<()>> + 'a>>;

/// One command, or a group of them.
pub struct Command {
    /// The word that calls it.
    pub name: &'static str,
    /// Other words for it.
    pub aliases: &'static [&'static str],
    /// The words after it, as the usage line shows them.
    pub usage: &'static str,
    /// One line for lists of commands.
    pub about: &'static str,
    /// The whole description; empty means that `about` is all there is to say.
    pub long: &'static str,
    /// Examples; may be empty.
    pub examples: &'static str,
    /// Its own flags.
    pub flags: &'static [Flag],
    /// The least and the most words it takes; `None` sets no limit.
    pub words: (usize, Option<usize>),
    /// Flags may stand between and after words (not so for `exec`).
    pub interspersed: bool,
    /// Left out of lists unless all commands are asked for.
    pub hidden: bool,
    /// What it does; groups have nothing here.
    pub run: Option<Run>,
    /// The commands below it.
    pub children: &'static [&'static Command],
}

impl Command {
    /// A command with nothing in it; named fields are set over it with `..Command::EMPTY`.
    pub const EMPTY: Command = Command {
        name: "",
        aliases: &[],
        usage: "",
        about: "",
        long: "",
        examples: "",
        flags: &[],
        words: (0, None),
        interspersed: true,
        hidden: false,
        run: None,
        children: &[],
    };

    /// The command below this one with that name or alias.
    pub fn child(&self, word: &str) -> Option<&'static Command> {
        self.children.iter().copied().find(|child| child.name == word || child.aliases.contains(&word))
    }
}

/// Turns an `async fn(&Session, &Arguments) -> Result<()>` into a [`Run`] for the table.
#[macro_export]
macro_rules! run {
    ($function:expr) => {{
        fn boxed<'a>(
            session: &'a $crate::session::Session,
            arguments: &'a $crate::arguments::Arguments,
        ) -> std::pin::Pin<Box<dyn std::future::Future<Output = corten_api::error::Result<()>> + 'a>> {
            Box::pin($function(session, arguments))
        }
        Some(boxed as $crate::commands::Run)
    }};
}

/// Flags that every command takes, before or after its words.
pub static GLOBAL_FLAGS: &[Flag] = &[
    Flag::switch("debug", "Show all debug messages"),
    Flag::switch("force-local", "Force using the local unix socket"),
    Flag::switch("help", "Print help").short('h'),
    Flag::text("project", "Override the source project"),
    Flag::switch("quiet", "Don't show progress information").short('q'),
    Flag::switch("sub-commands", "Use with help or --help to view sub-commands"),
    Flag::switch("verbose", "Show all information messages").short('v'),
    Flag::switch("version", "Print version number"),
];

/// Flags of the bare program.
pub static ROOT_FLAGS: &[Flag] = &[Flag::switch("all", "Show less common commands")];

/// The program itself. Children are in the order of their names.
pub static ROOT: Command = Command {
    name: "lxc",
    about: "Command line client for LXD",
    long: "Command line client for LXD\n\nEvery feature of LXD can be reached through the commands below.\nCall any of them with --help to learn more.",
    flags: ROOT_FLAGS,
    children: command::ALL,
    ..Command::EMPTY
};
