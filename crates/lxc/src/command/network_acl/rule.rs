//! `lxc network acl rule`: adding and removing single rules.

use corten_api::error::{Error, Result};
use corten_api::network_acl::{NetworkACL, NetworkACLRule};

use super::OfAcl;
use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::entity::Entity;
use crate::key_value::{self, Pairs};
use crate::run;
use crate::session::Session;

/// The group.
pub static COMMAND: Command =
    Command { name: "rule", about: "Manage network ACL rules", children: &[&ADD, &REMOVE], ..Command::EMPTY };

static ADD: Command = Command {
    name: "add",
    usage: "[<remote>:]<ACL> <direction> <key>=<value>...",
    about: "Add rules to an ACL",
    words: (2, None),
    run: run!(add),
    ..Command::EMPTY
};

static REMOVE: Command = Command {
    name: "remove",
    usage: "[<remote>:]<ACL> <direction> <key>=<value>...",
    about: "Remove rules from an ACL",
    flags: &[Flag::switch("force", "Remove all rules that match")],
    words: (2, None),
    run: run!(remove),
    ..Command::EMPTY
};

/// The field of a rule that a key names.
fn field<'a>(rule: &'a mut NetworkACLRule, key: &str) -> Option<&'a mut String> {
    Some(match key {
        "action" => &mut rule.action,
        "source" => &mut rule.source,
        "destination" => &mut rule.destination,
        "protocol" => &mut rule.protocol,
        "source_port" => &mut rule.source_port,
        "destination_port" => &mut rule.destination_port,
        "icmp_type" => &mut rule.icmp_type,
        "icmp_code" => &mut rule.icmp_code,
        "description" => &mut rule.description,
        "state" => &mut rule.state,
        _ => return None,
    })
}

fn unknown(key: &str) -> Error {
    Error::invalid(format!("Unknown key: {key}"))
}

fn direction<'a>(acl: &'a mut NetworkACL, word: &str) -> Result<&'a mut Vec<NetworkACLRule>> {
    match word {
        "ingress" => Ok(&mut acl.ingress),
        "egress" => Ok(&mut acl.egress),
        _ => Err(Error::invalid("The direction argument must be one of: ingress, egress")),
    }
}

/// Changes the rules of one direction.
async fn change(
    session: &Session,
    arguments: &Arguments,
    edit: impl FnOnce(&mut Vec<NetworkACLRule>) -> Result<()>,
) -> Result<()> {
    let place = OfAcl::place(session, arguments).await?;
    let (mut acl, etag): (NetworkACL, _) = place.server.get_with_etag(&place.path).await?;
    edit(direction(&mut acl, arguments.word(1))?)?;
    place.server.put(&place.path, &acl.writable(), &etag).await
}

async fn add(session: &Session, arguments: &Arguments) -> Result<()> {
    let rule = rule(&key_value::to_set(arguments.rest(2))?)?;
    change(session, arguments, |rules| {
        rules.push(rule);
        Ok(())
    })
    .await
}

/// A rule with these fields, enabled unless they say otherwise.
fn rule(pairs: &Pairs) -> Result<NetworkACLRule> {
    let mut rule = NetworkACLRule::default();
    for (key, value) in pairs {
        value.trim().clone_into(field(&mut rule, key).ok_or_else(|| unknown(key))?);
    }
    if rule.state.is_empty() {
        "enabled".clone_into(&mut rule.state);
    }
    Ok(rule)
}

async fn remove(session: &Session, arguments: &Arguments) -> Result<()> {
    let pairs = key_value::to_set(arguments.rest(2))?;
    let force = arguments.is_set("force");
    change(session, arguments, |rules| remove_matching(rules, &pairs, force)).await
}

fn remove_matching(rules: &mut Vec<NetworkACLRule>, pairs: &Pairs, force: bool) -> Result<()> {
    if let Some(key) = pairs.keys().find(|key| field(&mut NetworkACLRule::default(), key).is_none()) {
        return Err(unknown(key));
    }
    let matches =
        |rule: &mut NetworkACLRule| pairs.iter().all(|(key, value)| field(rule, key).is_some_and(|set| set == value));
    match rules.iter_mut().filter_map(|rule| matches(rule).then_some(())).count() {
        0 => Err(Error::invalid("No matching rule(s) found")),
        2.. if !force => Err(Error::invalid("Multiple rules match. Use --force to remove them all")),
        _ => {
            rules.retain_mut(|rule| !matches(rule));
            Ok(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(text: &str) -> Pairs {
        text.split_whitespace().map(|pair| pair.split_once('=').unwrap()).map(|(k, v)| (k.into(), v.into())).collect()
    }

    #[test]
    fn rules_are_removed_when_it_is_clear_which() {
        let rules =
            || vec![rule(&pairs("action=allow source=a")).unwrap(), rule(&pairs("action=allow source=b")).unwrap()];
        let removed = |filter: &str, force| {
            let mut rules = rules();
            remove_matching(&mut rules, &pairs(filter), force).map(|()| rules.len()).map_err(|error| error.message)
        };
        assert_eq!(removed("source=a", false), Ok(1));
        assert_eq!(removed("action=allow", true), Ok(0));
        assert_eq!(removed("action=allow", false).unwrap_err(), "Multiple rules match. Use --force to remove them all");
        assert_eq!(removed("action=drop", false).unwrap_err(), "No matching rule(s) found");
        assert_eq!(removed("colour=red", false).unwrap_err(), "Unknown key: colour");
        assert_eq!(rules()[0].state, "enabled");
    }
}
