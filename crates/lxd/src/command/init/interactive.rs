//! `lxd init` without flags: LXD's questions in its order and words.

use super::ask::Asker;
use super::host::Facts;
use super::{bridge, storage};
use corten_api::error::{Error, Result};
use corten_api::init::InitPreseed;
use corten_api::profile::ProfilesPost;
use corten_api::yaml;
use serde_json::Value;
use std::io::{BufRead, Write};

/// What the answers make, so far.
pub struct Answers {
    /// Everything but the default profile.
    pub config: InitPreseed,
    /// The default profile.
    pub profile: ProfilesPost,
}

impl Answers {
    /// Sets one key of the server.
    pub fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.config.config.insert(key.to_string(), value.into());
    }

    /// Gives the default profile a device.
    pub fn device(&mut self, name: &str, keys: &[(&str, &str)]) {
        let keys = keys.iter().map(|(key, value)| ((*key).to_string(), (*value).to_string()));
        self.profile.devices.insert(name.to_string(), keys.collect());
    }
}

/// What is said to a yes that nothing can follow yet.
const NOT_YET: &str = "isn't supported by this server yet, going on without it.\n";

/// Asks everything.
///
/// # Errors
/// When the answers end too early.
pub fn run<I: BufRead, O: Write, E: Write>(asker: &mut Asker<I, O, E>, facts: &mut impl Facts) -> Result<InitPreseed> {
    let profile = ProfilesPost { name: "default".to_string(), ..ProfilesPost::default() };
    let mut answers = Answers { config: InitPreseed::default(), profile };
    if asker.yes("Would you like to use LXD clustering? (yes/no) [default=no]: ", "no")? {
        asker.say(&format!("Clustering {NOT_YET}"))?;
    }
    storage::ask(asker, facts, &mut answers)?;
    if asker.yes("Would you like to connect to a MAAS server? (yes/no) [default=no]: ", "no")? {
        asker.say(&format!("MAAS {NOT_YET}"))?;
    }
    bridge::ask(asker, facts, &mut answers)?;
    ask_daemon(asker, facts, &mut answers)?;
    let Answers { mut config, profile } = answers;
    config.profiles = vec![profile];
    if asker.yes("Would you like a YAML \"lxd init\" preseed to be printed? (yes/no) [default=no]: ", "no")? {
        let text = yaml::to_string(&super::dump::Shown::from(&config))
            .map_err(|error| Error::internal(format!("Failed to render the config: {error}")))?;
        asker.say(&format!("{text}\n"))?;
    }
    Ok(config)
}

const FEW_IDS: &str = "
We detected that you are running inside an unprivileged container.
This means that unless you manually configured your host otherwise,
you will not have enough uids and gids to allocate to your containers.

LXD can re-use your container's own allocation to avoid the problem.
Doing so makes your nested containers slightly less safe as they could
in theory attack their parent container and gain more privileges than
they otherwise would.

";

/// Questions about the daemon itself.
fn ask_daemon<I: BufRead, O: Write, E: Write>(
    asker: &mut Asker<I, O, E>,
    facts: &mut impl Facts,
    answers: &mut Answers,
) -> Result<()> {
    if facts.lacks_ids() {
        asker.say(FEW_IDS)?;
        let question =
            "Would you like to have your containers share their parent's allocation? (yes/no) [default=yes]: ";
        if asker.yes(question, "yes")? {
            answers.profile.config.insert("security.privileged".to_string(), "true".to_string());
        }
    }
    if asker.yes("Would you like the LXD server to be available over the network? (yes/no) [default=no]: ", "no")? {
        ask_address(asker, facts, answers)?;
    }
    if !asker.yes("Would you like stale cached images to be updated automatically? (yes/no) [default=yes]: ", "yes")? {
        answers.set("images.auto_update_interval", "0");
    }
    Ok(())
}

/// Where the server is to listen, and the password of new clients.
fn ask_address<I: BufRead, O: Write, E: Write>(
    asker: &mut Asker<I, O, E>,
    facts: &mut impl Facts,
    answers: &mut Answers,
) -> Result<()> {
    let is_address = |text: &str| match text {
        "all" => Ok(()),
        text => text.parse::<std::net::IpAddr>().map(drop).map_err(|_| format!("{text:?} is not an IP address")),
    };
    let host = asker.checked("Address to bind LXD to (not including port) [default=all]: ", "all", is_address)?;
    let host = match host.as_str() {
        "all" => "[::]".to_string(),
        host if host.contains(':') => format!("[{host}]"),
        host => host.to_string(),
    };
    let check = |text: &str| {
        let port: i64 = text.parse().map_err(|_| format!("strconv.ParseInt: parsing {text:?}: invalid syntax"))?;
        if !(1..=65_535).contains(&port) {
            return Err("out of range".to_string());
        }
        facts.cannot_bind(&format!("{host}:{port}")).map_or(Ok(()), Err)
    };
    let port = asker.checked("Port to bind LXD to [default=8443]: ", "8443", check)?;
    answers.set("core.https_address", format!("{host}:{port}"));
    let password = asker.password("Trust password for new clients: ")?;
    answers.set("core.trust_password", password);
    Ok(())
}

#[cfg(test)]
mod tests;
