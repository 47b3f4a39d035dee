//! Access lists: rows, and the firewall's rules of the bridges that name them in `security.acls`.

pub mod check;

use std::collections::BTreeSet;
use std::sync::Arc;

use corten_api::error::{Error, Result};
use corten_api::network_acl::{NetworkACL, NetworkACLPut, NetworkACLRule};
use corten_api::url;
use corten_db::View;
use corten_db::error::Abort;
use corten_db::table::{network_acls as table, networks};
use corten_host::undo::Undo;
use corten_instance::step::{pass, step};
use corten_network::config::{flag, get};
use corten_network::firewall::acl::{self, Action, Direction, Protocol, Rule};

use crate::app::App;
use crate::app::check::stored;
use crate::app::networks::forwards::check::port_ranges;

/// The key of a network that names its lists.
const KEY: &str = "security.acls";

fn writable(row: &table::Acl) -> Result<NetworkACLPut> {
    let rules = |text: &str, way: &str| -> Result<Vec<NetworkACLRule>> {
        if text.is_empty() {
            return Ok(Vec::new());
        }
        let rules: Option<Vec<NetworkACLRule>> = serde_json::from_str(text)
            .map_err(|error| Error::internal(format!("Failed unmarshalling {way} rules: {error}")))?;
        Ok(rules.unwrap_or_default())
    };
    Ok(NetworkACLPut {
        description: row.description.clone(),
        egress: rules(&row.egress, "egress")?,
        ingress: rules(&row.ingress, "ingress")?,
        config: row.config.clone(),
    })
}

/// The row of a list that is to be.
fn row(id: i64, project: &str, name: &str, put: &NetworkACLPut) -> Result<table::Acl> {
    let text = |rules: &[NetworkACLRule], way: &str| {
        serde_json::to_string(rules)
            .map_err(|error| Error::internal(format!("Failed marshalling {way} rules: {error}")))
    };
    Ok(table::Acl {
        id,
        project: project.to_string(),
        name: name.to_string(),
        description: put.description.clone(),
        ingress: text(&put.ingress, "ingress")?,
        egress: text(&put.egress, "egress")?,
        config: stored(&put.config),
    })
}

fn shown(all: &All, row: &table::Acl) -> Result<NetworkACL> {
    let NetworkACLPut { description, egress, ingress, config } = writable(row)?;
    let used_by = all.users(&row.name)?;
    Ok(NetworkACL { name: row.name.clone(), description, egress, ingress, config, used_by })
}

/// All lists of a project.
///
/// # Errors
/// The database's.
pub fn list(app: &App, project: &str) -> Result<Vec<NetworkACL>> {
    let all = app.view(|view| All::of(view, project))?;
    all.acls.iter().map(|row| shown(&all, row)).collect()
}

/// One list.
///
/// # Errors
/// 404.
pub fn find(app: &App, project: &str, name: &str) -> Result<NetworkACL> {
    let (all, row) = app.view(|view| Ok((All::of(view, project)?, get_row(view, project, name)?)))?;
    shown(&all, &row)
}

fn get_row(view: &View<'_>, project: &str, name: &str) -> Result<table::Acl, Abort> {
    Ok(table::get(view, project, name)?.ok_or_else(|| Error::not_found("Network ACL not found"))?)
}

/// The lists of a project, and the networks that may have them.
struct All {
    acls: Vec<table::Acl>,
    networks: Vec<networks::Network>,
}

impl All {
    fn of(view: &View<'_>, project: &str) -> Result<All, Abort> {
        Ok(All { acls: table::list(view, project)?, networks: networks::list(view, Some(project))? })
    }

    /// Paths of the networks that have the list, and of other lists whose rules name it.
    fn users(&self, name: &str) -> Result<Vec<String>> {
        let having = self.networks.iter().filter(|network| has(network, name));
        let mut paths: Vec<String> =
            having.map(|network| url::path_in(&network.project, ["networks", &network.name])).collect();
        for other in self.acls.iter().filter(|other| other.name != name) {
            if check::mentions(&writable(other)?, name) {
                paths.push(url::path_in(&other.project, ["network-acls", &other.name]));
            }
        }
        Ok(paths)
    }
}

/// Whether a network has the list.
fn has(network: &networks::Network, name: &str) -> bool {
    check::parts(get(&network.config, KEY)).any(|list| list == name)
}

fn names(view: &View<'_>, project: &str) -> Result<BTreeSet<String>, Abort> {
    Ok(table::list(view, project)?.into_iter().map(|row| row.name).collect())
}

/// Makes a list. Nobody has it yet, so no firewall is touched.
///
/// # Errors
/// 400 when there is one of that name; what is not right, in LXD's words.
pub fn create(app: &App, project: &str, name: &str, put: &NetworkACLPut) -> Result<()> {
    let mut put = put.clone();
    check::normalise(&mut put);
    app.write(|tx| {
        if table::get(tx, project, name)?.is_some() {
            return Err(Error::invalid("The network ACL already exists").into());
        }
        check::name(name)?;
        check::check(&put, &names(tx, project)?)?;
        table::insert(tx, &row(0, project, name, &put)?)?;
        Ok(())
    })
}

/// Replaces what may be changed of a list, and the rules of all bridges that have it.
///
/// # Errors
/// 404, what is not right in LXD's words, or what the firewall says; all is as before then.
pub fn update(app: &Arc<App>, project: &str, name: &str, put: &NetworkACLPut) -> Result<()> {
    let mut put = put.clone();
    check::normalise(&mut put);
    let (old, bridges) = app.view(|view| {
        check::check(&put, &names(view, project)?)?;
        let mut networks = networks::list(view, Some(project))?;
        networks.retain(|network| has(network, name));
        Ok((get_row(view, project, name)?, networks))
    })?;
    let former = bridges.iter().map(|bridge| rules(app, bridge)).collect::<Result<Vec<_>>>()?;
    let new = row(old.id, project, name, &put)?;
    let mut undo = Undo::default();
    step(
        &mut undo,
        "remember the access list",
        || app.write(|tx| Ok(table::update(tx, &new)?)),
        |()| {
            let (app, old) = (app.clone(), old.clone());
            move || app.take_away(|tx| Ok(table::update(tx, &old)?))
        },
    )?;
    for (bridge, former) in bridges.into_iter().zip(former) {
        step(
            &mut undo,
            "put the access list in force",
            || apply(app, &bridge),
            |()| {
                let name = bridge.name.clone();
                move || Ok::<_, Error>(acl::set_network(&name, &former)?)
            },
        )?;
    }
    undo.keep();
    Ok(())
}

/// Gives an unused list another name.
///
/// # Errors
/// 404, when it is in use, or the name is taken or not right.
pub fn rename(app: &App, project: &str, name: &str, new: &str) -> Result<()> {
    app.write(|tx| {
        let row = get_row(tx, project, name)?;
        if table::get(tx, project, new)?.is_some() {
            return Err(Error::internal("An ACL by that name exists already").into());
        }
        if !All::of(tx, project)?.users(name)?.is_empty() {
            return Err(Error::internal("Cannot rename an ACL that is in use").into());
        }
        check::name(new)?;
        Ok(table::rename(tx, row.id, new)?)
    })
}

/// Removes an unused list.
///
/// # Errors
/// 404, or when it is in use.
pub fn delete(app: &App, project: &str, name: &str) -> Result<()> {
    app.take_away(|tx| {
        let row = get_row(tx, project, name)?;
        if !All::of(tx, project)?.users(name)?.is_empty() {
            return Err(Error::internal("Cannot delete an ACL that is in use").into());
        }
        Ok(table::delete(tx, row.id)?)
    })
}

/// Refuses lists that a network names and that are not there, or are named twice.
///
/// # Errors
/// 500 in LXD's words.
pub fn must_exist(view: &View<'_>, project: &str, config: &corten_network::config::Config) -> Result<(), Abort> {
    if get(config, KEY).is_empty() {
        return Ok(());
    }
    let there = names(view, project)?;
    let mut seen = BTreeSet::new();
    for list in check::parts(get(config, KEY)) {
        if !there.contains(list) {
            return Err(Error::internal(format!("Network ACL {list:?} does not exist")).into());
        }
        if !seen.insert(list) {
            return Err(Error::internal(format!("Network ACL {list:?} specified multiple times")).into());
        }
    }
    Ok(())
}

/// Puts the lists that a bridge has now in the place of those that it had, in one transaction of the firewall.
///
/// # Errors
/// When a list cannot be had, or nft is missing or refuses.
pub fn follow(app: &App, old: &networks::Network, new: &networks::Network) -> Result<()> {
    match (are_on(old), are_on(new)) {
        (_, true) => apply(app, new),
        (true, false) => clear(old),
        (false, false) => Ok(()),
    }
}

/// Puts the lists of a bridge in force, if it has any.
///
/// # Errors
/// As [`follow`].
pub fn apply_if_any(app: &App, network: &networks::Network) -> Result<()> {
    if are_on(network) { apply(app, network) } else { Ok(()) }
}

/// Takes the rules of a bridge's lists away, if it has any.
///
/// # Errors
/// When nft is missing or refuses.
pub fn clear(network: &networks::Network) -> Result<()> {
    if are_on(network) { Ok(acl::clear_network(&network.name)?) } else { Ok(()) }
}

fn are_on(network: &networks::Network) -> bool {
    check::parts(get(&network.config, KEY)).next().is_some()
}

fn apply(app: &App, network: &networks::Network) -> Result<()> {
    pass("put the access lists in force")?;
    Ok(acl::set_network(&network.name, &rules(app, network)?)?)
}

/// The rules of a network's lists, and what becomes of all else.
fn rules(app: &App, network: &networks::Network) -> Result<Vec<Rule>> {
    let mut rules = Vec::new();
    for name in check::parts(get(&network.config, KEY)) {
        let row = app
            .view(|view| get_row(view, &network.project, name))
            .map_err(|error| error.context(format!("Failed loading ACL {name:?} for network {:?}", network.name)))?;
        let put = writable(&row)?;
        for (word, direction, of_way) in
            [("ingress", Direction::Ingress, &put.ingress), ("egress", Direction::Egress, &put.egress)]
        {
            for (number, rule) in of_way.iter().enumerate().filter(|(_, rule)| rule.state != "disabled") {
                let log = (rule.state == "logged").then(|| format!("{}-{word}-{number}", network.name));
                rules.push(firewall_rule(direction, rule, log)?);
            }
        }
    }
    // Those that forbid count before those that allow, whatever list they are from.
    rules.sort_by_key(|rule| rule.action);
    rules.extend([("egress", Direction::Egress), ("ingress", Direction::Ingress)].map(|(word, direction)| {
        let key = |what: &str| format!("security.acls.default.{word}.{what}");
        let logged = flag(&network.config, &key("logged"), false);
        Rule {
            direction,
            action: action(get(&network.config, &key("action"))),
            source: Vec::new(),
            destination: Vec::new(),
            protocol: Protocol::Any,
            log: logged.then(|| format!("{}-{word}", network.name)),
        }
    }));
    Ok(rules)
}

fn action(word: &str) -> Action {
    match word {
        "allow" => Action::Allow,
        "drop" => Action::Drop,
        _ => Action::Reject,
    }
}

fn firewall_rule(direction: Direction, rule: &NetworkACLRule, log: Option<String>) -> Result<Rule> {
    let subjects = |list: &str| check::parts(list).map(|text| Ok(text.parse()?)).collect::<Result<Vec<_>>>();
    let ports = |list: &str| port_ranges(list).collect::<Result<Vec<_>, String>>().map_err(Error::internal);
    let protocol = match rule.protocol.as_str() {
        word @ ("tcp" | "udp") => Protocol::Ports {
            name: if word == "tcp" { "tcp" } else { "udp" },
            source: ports(&rule.source_port)?,
            destination: ports(&rule.destination_port)?,
        },
        word @ ("icmp4" | "icmp6") => {
            Protocol::Icmp { v6: word == "icmp6", kind: rule.icmp_type.parse().ok(), code: rule.icmp_code.parse().ok() }
        }
        _ => Protocol::Any,
    };
    Ok(Rule {
        direction,
        action: action(&rule.action),
        source: subjects(&rule.source)?,
        destination: subjects(&rule.destination)?,
        protocol,
        log,
    })
}
