//! `lxc file edit`: a file of an instance in the editor; owner and permissions stay.

use corten_api::error::{Error, Result};
use corten_client::file::{self, Attributes, Fetched, each_piece};
use std::io::IsTerminal;

use crate::arguments::Arguments;
use crate::commands::Command;
use crate::editor;
use crate::session::Session;

pub static COMMAND: Command = Command {
    name: "edit",
    usage: "[<remote>:]<instance>/<path>",
    about: "Edit files in instances",
    words: (1, Some(1)),
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let inside = super::inside(session, arguments.word(0), "source").await?;
    let (server, name, path) = (&inside.resource.server, &inside.resource.name, super::clean(&inside.path));
    let as_it_is = Attributes { uid: -1, gid: -1, mode: -1, kind: "file".to_owned() };
    if !std::io::stdin().is_terminal() {
        let mut content = Vec::new();
        std::io::Read::read_to_end(&mut std::io::stdin(), &mut content)
            .map_err(|error| Error::internal(format!("Can't read from stdin: {error}")))?;
        return file::put(server, name, &path, &as_it_is, content).await;
    }
    let mut content = Vec::new();
    match file::get(server, name, &path).await? {
        Fetched::Content(attributes, reply) if attributes.kind == "file" => {
            each_piece(reply, |piece| {
                content.extend_from_slice(piece);
                Ok(())
            })
            .await?;
        }
        _ => return Err(Error::invalid(format!("{path} is not a plain file"))),
    }
    let text = String::from_utf8(content).map_err(|_| Error::invalid(format!("{path} is not text")))?;
    editor::until_taken(text, async |text| file::put(server, name, &path, &as_it_is, text.as_bytes().to_vec()).await)
        .await
}
