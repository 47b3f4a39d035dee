//! What all kinds of things on a server share: get, set, unset, show, edit, rename, delete, written once.

use std::collections::BTreeMap;

use corten_api::envelope::Envelope;
use corten_api::error::{Error, Kind, Result};
use corten_api::yaml;
use corten_client::http::Ask;
use corten_client::server::Server;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::arguments::{Arguments, Flag};
use crate::session::Session;
use crate::{editor, key_value, printer};

/// Where a thing named on the command line is.
pub struct Place {
    /// The server that has it.
    pub server: Server,
    /// Its path, `/1.0/profiles/default`.
    pub path: String,
    /// What messages call it.
    pub name: String,
    /// How many words of the line named it; those after are keys.
    pub words: usize,
}

impl Place {
    /// The path of the collection that it is in, where it is made.
    pub fn collection(&self) -> &str {
        self.path.rsplit_once('/').map_or(self.path.as_str(), |(collection, _)| collection)
    }
}

/// What `get` prints for a key that is not set.
#[derive(Clone, Copy, PartialEq)]
pub enum Unset {
    /// An empty line.
    EmptyLine,
    /// Nothing.
    Nothing,
}

/// A kind of things that have a name, a configuration and a YAML form.
pub trait Entity {
    /// A thing as the server shows it.
    type Whole: Serialize + DeserializeOwned + Default;
    /// The part that may be changed.
    type Writable: Serialize + DeserializeOwned + Default;

    /// What messages call such a thing, with a capital: `Profile`.
    const NOUN: &'static str;
    /// The comment above the YAML in the editor; every line begins with `#`.
    const EDIT_HEADER: &'static str = "";

    /// Finds the thing that the words name.
    async fn place(session: &Session, arguments: &Arguments) -> Result<Place>;

    /// The part of a thing that may be changed.
    fn writable(whole: &Self::Whole) -> Self::Writable;

    /// Reads the part that may be changed from YAML.
    ///
    /// # Errors
    /// When the text cannot be read as such a thing.
    fn read(text: &str) -> Result<Self::Writable> {
        yaml::from_str(text)
    }

    /// Refuses to change things that cannot be changed.
    ///
    /// # Errors
    /// In LXD's words.
    fn check_changeable(_: &Self::Whole) -> Result<()> {
        Ok(())
    }

    /// Puts a thing into the form in which it is shown.
    fn arrange(_: &mut Self::Whole) {}
}

/// An entity whose keys can be set one by one.
pub trait Configured: Entity {
    /// What `get` prints for a key that is not set.
    const UNSET: Unset = Unset::EmptyLine;

    /// The configuration in the part that may be changed.
    fn config(writable: &mut Self::Writable) -> &mut BTreeMap<String, String>;
}

/// What a new thing is to be: YAML from standard input, read strictly, with the words after the first `named` put over it
/// as `key=value…`.
///
/// # Errors
/// When the YAML or a word cannot be read.
pub fn wanted<E: Configured>(arguments: &Arguments, named: usize) -> Result<E::Writable> {
    let mut writable: E::Writable = match editor::from_stdin()? {
        Some(text) => yaml::from_str_strict(&text)?,
        None => E::Writable::default(),
    };
    let keys = key_value::all(arguments.rest(named), |word| format!("Bad key/value pair: {word}"))?;
    E::config(&mut writable).extend(keys);
    Ok(writable)
}

/// `create`: of a thing that needs nothing but its name and what may be changed later.
pub async fn create<E: Configured>(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = E::place(session, arguments).await?;
    let writable = wanted::<E>(arguments, place.words)?;
    let mut request = serde_json::to_value(&writable).map_err(|error| Error::internal(error.to_string()))?;
    request["name"] = place.name.as_str().into();
    place.server.post(place.collection(), &request).await?;
    say(session, &format!("{} {} created", E::NOUN, place.name));
    Ok(())
}

/// `show`: the whole thing as YAML.
pub async fn show<E: Entity>(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = E::place(session, arguments).await?;
    let mut whole: E::Whole = place.server.get(&place.path).await?;
    E::arrange(&mut whole);
    printer::print(&yaml::to_string(&whole)?);
    Ok(())
}

/// `get`: the value of one key.
pub async fn get<E: Configured>(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = E::place(session, arguments).await?;
    let whole: E::Whole = place.server.get(&place.path).await?;
    let mut writable = E::writable(&whole);
    match E::config(&mut writable).get(arguments.word(place.words)) {
        Some(value) => printer::print_line(value),
        None if E::UNSET == Unset::EmptyLine => printer::print_line(""),
        None => {}
    }
    Ok(())
}

/// `set`: `key=value…`, or one `key value`.
pub async fn set<E: Configured>(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = E::place(session, arguments).await?;
    let keys = key_value::to_set(arguments.rest(place.words))?;
    change::<E>(&place, |config| config.extend(keys)).await
}

/// `unset`: empties one key; the server forgets keys with empty values.
pub async fn unset<E: Configured>(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = E::place(session, arguments).await?;
    let key = arguments.word(place.words).to_owned();
    change::<E>(&place, |config| {
        config.insert(key, String::new());
    })
    .await
}

/// Changes the configuration of a thing, unless the thing changed meanwhile.
async fn change<E: Configured>(place: &Place, edit: impl FnOnce(&mut BTreeMap<String, String>)) -> Result<()> {
    let (whole, etag): (E::Whole, _) = place.server.get_with_etag(&place.path).await?;
    E::check_changeable(&whole)?;
    let mut writable = E::writable(&whole);
    edit(E::config(&mut writable));
    place.server.put(&place.path, &writable, &etag).await
}

/// `edit`: YAML from standard input, or in the editor.
pub async fn edit<E: Entity>(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = E::place(session, arguments).await?;
    if let Some(text) = editor::from_stdin()? {
        return place.server.put(&place.path, &E::read(&text)?, "").await;
    }
    let (mut whole, etag): (E::Whole, _) = place.server.get_with_etag(&place.path).await?;
    E::check_changeable(&whole)?;
    E::arrange(&mut whole);
    let text = format!("{}\n\n{}", E::EDIT_HEADER, yaml::to_string(&whole)?);
    editor::until_taken(text, async |text| place.server.put(&place.path, &E::read(text)?, &etag).await).await
}

/// `rename`: the last word is the new name.
pub async fn rename<E: Entity>(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = E::place(session, arguments).await?;
    let name = arguments.word(place.words);
    place.server.post(&place.path, &serde_json::json!({ "name": name })).await?;
    say(session, &format!("{} {} renamed to {name}", E::NOUN, place.name));
    Ok(())
}

/// `delete`.
pub async fn delete<E: Entity>(session: &Session, arguments: &Arguments) -> Result<()> {
    let place = E::place(session, arguments).await?;
    place.server.delete(&place.path).await?;
    say(session, &format!("{} {} deleted", E::NOUN, place.name));
    Ok(())
}

/// The body of a reply that comes without the envelope of other replies.
///
/// # Errors
/// The server's own error.
pub async fn download(server: &Server, ask: Ask) -> Result<Vec<u8>> {
    let reply = server.send(ask).await?;
    let (status, bytes) = server.collect(reply).await?;
    if status.is_success() {
        return Ok(bytes.to_vec());
    }
    let envelope: Envelope = serde_json::from_slice(&bytes)
        .map_err(|error| Error::internal(format!("The server replied {status} and no JSON: {error}")))?;
    Err(Error { kind: Kind::from_status(status.as_u16()), message: envelope.error })
}

/// Prints a line about what was done, unless `--quiet` was given.
pub fn say(session: &Session, line: &str) {
    if !session.quiet {
        printer::print_line(line);
    }
}

/// The server for `--target`; without the flag as it is.
pub fn at_target(server: Server, arguments: &Arguments) -> Server {
    match arguments.text("target") {
        "" => server,
        target => server.at_member(target),
    }
}

/// As [`at_target`] for commands that ask first whether there is a cluster.
///
/// # Errors
/// When there is none.
pub async fn at_cluster_target(server: Server, arguments: &Arguments) -> Result<Server> {
    if !arguments.text("target").is_empty() && !is_clustered(&server).await? {
        return Err(Error::invalid("To use --target, the destination remote must be a cluster"));
    }
    Ok(at_target(server, arguments))
}

/// Whether a server is a member of a cluster.
///
/// # Errors
/// When the server cannot be asked.
pub async fn is_clustered(server: &Server) -> Result<bool> {
    // Without a target, which a server that is no member would refuse.
    Ok(server.at_member("").info().await?.environment.server_clustered)
}

/// Reads the whole of a thing, refuses fields that it does not have, and gives the part that may be changed.
///
/// # Errors
/// When the text cannot be read so.
pub fn read_strictly<E: Entity>(text: &str) -> Result<E::Writable> {
    yaml::from_str_strict::<E::Whole>(text).map(|whole| E::writable(&whole))
}

/// A thing named by two words, `[<remote>:]<owner> <name>`, below a collection of what the first word names.
///
/// # Errors
/// As [`named`]; the two texts say which of the words is missing.
pub async fn named_below(
    session: &Session,
    arguments: &Arguments,
    collections: [&str; 2],
    missing: [&str; 2],
) -> Result<Place> {
    let owner = named(session, arguments, collections[0], missing[0]).await?;
    let name = arguments.word(1);
    if name.is_empty() {
        return Err(Error::invalid(missing[1]));
    }
    let path = format!("{}/{}/{}", owner.path, collections[1], corten_api::url::escape(name));
    Ok(Place { server: owner.server, path, name: name.to_owned(), words: 2 })
}

/// A thing named by one word, `[<remote>:]<name>`, below a collection.
///
/// # Errors
/// `Missing …` when only a remote was named, and whatever keeps the server from being reached.
pub async fn named(session: &Session, arguments: &Arguments, collection: &str, missing: &str) -> Result<Place> {
    let found = session.resource(arguments.word(0)).await?;
    if found.name.is_empty() {
        return Err(Error::invalid(missing));
    }
    let path = corten_api::url::path([collection, &found.name]);
    Ok(Place { server: at_target(found.server, arguments), path, name: found.name, words: 1 })
}

/// `--target`, for commands that act on one member of a cluster.
pub const TARGET: Flag = Flag::text("target", "Cluster member name");

/// Declares the commands that things of one kind share: `EDIT`, `GET`, `SET`, `UNSET`.
///
/// Takes the kind, what help texts call such a thing, the words before the name of a usage line, how the name is shown
/// there, how many words it is, and the flags of the commands that read or set keys and of `edit`.
#[macro_export]
macro_rules! entity_commands {
    ($kind:ty, $noun:literal, $line:literal, $place:literal, $words:literal, $flags:expr, $edit_flags:expr) => {
        static EDIT: $crate::commands::Command = $crate::commands::Command {
            name: "edit",
            usage: $place,
            about: concat!("Edit ", $noun, " configurations as YAML"),
            examples: concat!(
                "lxc ",
                $line,
                " edit ",
                $place,
                " < file.yaml\n    Takes the configuration from file.yaml."
            ),
            flags: $edit_flags,
            words: ($words, Some($words)),
            run: $crate::run!($crate::entity::edit::<$kind>),
            ..$crate::commands::Command::EMPTY
        };

        static GET: $crate::commands::Command = $crate::commands::Command {
            name: "get",
            usage: concat!($place, " <key>"),
            about: concat!("Get values for ", $noun, " configuration keys"),
            flags: $flags,
            words: ($words + 1, Some($words + 1)),
            run: $crate::run!($crate::entity::get::<$kind>),
            ..$crate::commands::Command::EMPTY
        };

        static SET: $crate::commands::Command = $crate::commands::Command {
            name: "set",
            usage: concat!($place, " <key>=<value>..."),
            about: concat!("Set ", $noun, " configuration keys"),
            long: concat!(
                "Set ",
                $noun,
                " configuration keys\n\nThe older form takes one key:\n    lxc ",
                $line,
                " set ",
                $place,
                " <key> <value>"
            ),
            flags: $flags,
            words: ($words + 1, None),
            run: $crate::run!($crate::entity::set::<$kind>),
            ..$crate::commands::Command::EMPTY
        };

        static UNSET: $crate::commands::Command = $crate::commands::Command {
            name: "unset",
            usage: concat!($place, " <key>"),
            about: concat!("Unset ", $noun, " configuration keys"),
            flags: $flags,
            words: ($words + 1, Some($words + 1)),
            run: $crate::run!($crate::entity::unset::<$kind>),
            ..$crate::commands::Command::EMPTY
        };
    };
}
