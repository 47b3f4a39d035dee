//! `lxc list`: instances, filtered, with chosen columns.

use corten_api::error::{Error, Result};
use corten_api::instance::InstanceFull;
use corten_api::url;
use corten_client::server::Server;

use crate::arguments::{Arguments, Flag};
use crate::commands::Command;
use crate::entity::is_clustered;
use crate::session::Session;
use crate::{printer, table};

mod columns;
mod filter;

use columns::Column;

const DEFAULT: &str = "ns46tSL";
const DEFAULT_ALL_PROJECTS: &str = "ens46tSL";

pub static COMMAND: Command = Command {
    name: "list",
    aliases: &["ls"],
    usage: "[<remote>:] [<filter>...]",
    about: "List instances",
    long: "List instances\n\nDefault column layout: ns46tS\nFast column layout: nsacPt\n\nA filter is the start of a name, a regular expression on names, or key=value on\nconfiguration keys (which may be shortened: s.privileged=true) and on type,\nstatus, architecture, location, ipv4 and ipv6 (several values with commas,\naddresses also as CIDR). All filters must match.\n\nColumns are letters:\n  4 - IPv4 address\n  6 - IPv6 address\n  a - Architecture\n  b - Storage pool\n  c - Creation date\n  d - Description\n  D - Disk usage\n  e - Project name\n  f - Base image fingerprint (short)\n  F - Base image fingerprint (long)\n  l - Last used date\n  L - Location of the instance (e.g. its cluster member)\n  m - Memory usage\n  M - Memory usage (%)\n  n - Name\n  N - Number of processes\n  p - PID of the instance's init process\n  P - Profiles\n  s - State\n  S - Number of snapshots\n  t - Type (persistent or ephemeral)\n  u - CPU usage (in seconds)\n\nand keys of configuration or devices, separated by commas:\n  [config:|devices:]KEY[:TITLE[:MAXWIDTH]]\nMAXWIDTH is -1 for no limit (as if left out), 0 for that of the title.",
    examples: "lxc list -c nFs46,volatile.eth0.hwaddr:MAC,config:image.os,devices:eth0.parent:ETHP\n    Show letters, two configuration keys and a device key.\n\nlxc list -c ns,user.comment:comment\n    List instances with their running state and user comment.",
    flags: &[
        Flag::text("columns", "Columns").short('c').or(DEFAULT),
        Flag::text("format", "Format (csv|json|table|yaml|compact)").short('f').or("table"),
        Flag::switch("fast", "Fast mode (same as --columns=nsacPt)"),
        Flag::switch("all-projects", "Display instances from all projects"),
    ],
    run: crate::run!(run),
    ..Command::EMPTY
};

async fn run(session: &Session, arguments: &Arguments) -> Result<()> {
    let everywhere = arguments.is_set("all-projects");
    if session.project.is_some() && everywhere {
        return Err(Error::invalid("Can't specify --project with --all-projects"));
    }
    let (remote, filters) = words(session, arguments)?;
    let server = session.server(&remote).await?;
    let wanted = wanted_columns(arguments, everywhere)?;
    let defaults = [DEFAULT, DEFAULT_ALL_PROJECTS];
    let by_default = defaults.contains(&wanted.as_str());
    // Only the letter L needs to know whether there is a cluster.
    let clustered = !by_default && wanted.contains('L') && is_clustered(&server).await?;
    let mut columns = columns::parse(&wanted, &defaults, clustered)?;
    let (theirs, ours) = filter::split(&filters);
    let full = columns.iter().any(|column| column.needs_more);
    let mut instances = fetch(&server, &theirs, full, everywhere).await?;
    if by_default && has_members(&server, &instances).await? {
        columns = columns::parse(&wanted, &defaults, true)?;
    }
    let tests = filter::compile(&ours);
    instances.retain(|instance| tests.iter().all(|test| test.matches(instance)));
    let format = arguments.text_or("format", "table");
    if format == "yaml" {
        instances.iter_mut().for_each(fill);
    }
    printer::print(&render(format, &columns, &instances)?);
    Ok(())
}

/// Whether there is a cluster: the instances tell, else the server is asked.
async fn has_members(server: &Server, instances: &[InstanceFull]) -> Result<bool> {
    match instances.first() {
        Some(instance) => Ok(!matches!(instance.location.as_str(), "" | "none")),
        None => is_clustered(server).await,
    }
}

/// LXD's YAML shows empty lists and maps where its JSON has `null`.
fn fill(instance: &mut InstanceFull) {
    instance.backups.get_or_insert_default();
    instance.snapshots.get_or_insert_default();
    if let Some(state) = &mut instance.state {
        state.disk.get_or_insert_default();
        state.network.get_or_insert_default();
    }
}

/// The remote that is asked, and the filters. The first word is a remote when it has a colon, and a name when it is
/// no `key=value`.
fn words(session: &Session, arguments: &Arguments) -> Result<(String, Vec<String>)> {
    let default = session.config.borrow().default_remote.clone();
    let first = arguments.word(0);
    if arguments.is_empty() || first.contains('=') || !first.contains(':') {
        return Ok((default, arguments.words.clone()));
    }
    let (remote, name) = session.parse_remote(first)?;
    let mut filters = arguments.rest(1).to_vec();
    if !name.is_empty() {
        filters.push(name);
    }
    Ok((remote, filters))
}

fn wanted_columns(arguments: &Arguments, everywhere: bool) -> Result<String> {
    let mut wanted = arguments.text_or("columns", DEFAULT);
    if everywhere && wanted == DEFAULT {
        wanted = DEFAULT_ALL_PROJECTS;
    }
    if !arguments.is_set("fast") {
        return Ok(wanted.to_owned());
    }
    match wanted {
        DEFAULT => Ok("nsacPt".to_owned()),
        DEFAULT_ALL_PROJECTS => Ok("ensacPt".to_owned()),
        _ => Err(Error::invalid("Can't specify --fast with --columns")),
    }
}

/// Asks for the instances, with state and snapshots only when a column shows them.
async fn fetch(server: &Server, filters: &[&str], full: bool, everywhere: bool) -> Result<Vec<InstanceFull>> {
    let conditions: Vec<String> = filters.iter().map(|filter| filter.replacen('=', " eq ", 1)).collect();
    let mut path = format!(
        "/1.0/instances?filter={}&recursion={}",
        url::escape_query(&conditions.join(" and ")),
        if full { 2 } else { 1 }
    );
    if everywhere {
        path.push_str("&all-projects=true");
    }
    server.get(&path).await
}

fn render(format: &str, columns: &[Column], instances: &[InstanceFull]) -> Result<String> {
    let header: Vec<&str> = columns.iter().map(|column| column.title.as_str()).collect();
    let mut rows: Vec<Vec<String>> =
        instances.iter().map(|instance| columns.iter().map(|column| (column.cell)(instance)).collect()).collect();
    table::order::by_cells(&mut rows);
    table::render(format, &header, &rows, instances)
}

#[cfg(test)]
mod tests;
