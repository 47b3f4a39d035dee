//! `lxd-benchmark`: how fast this host launches, starts, stops and deletes containers, as LXD's tool of that name.

mod batches;
mod image;
mod report;

use std::path::Path;
use std::time::Duration;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use corten_api::error::{Error, Result};
use corten_api::instance::Instance;
use corten_api::server::Server;
use corten_api::url;
use serde_json::{Map, Value, json};

use super::local::Local;
use batches::{Batches, say};

/// The name it is called by, as a link to `lxd` or a word after it.
pub const NAME: &str = "lxd-benchmark";

/// The key of containers that this tool has made.
const MADE: &str = "user.lxd-benchmark";

const LONG: &str = "Benchmark performance of LXD

Measures how fast the local daemon creates, starts, stops and deletes
containers, to compare servers or versions. With --report-file, durations
are added to a CSV file.";

/// Its place on the command line.
pub fn describe() -> Command {
    let text = |name: &'static str, help| Arg::new(name).long(name).help(help).value_name("").global(true);
    let parallel = text("parallel", "Number of threads to use").short('P').value_parser(value_parser!(usize));
    Command::new(NAME)
        .about("Benchmark performance of LXD")
        .long_about(LONG)
        .hide(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(parallel)
        .arg(text("project", "Project to use").default_value(url::DEFAULT_PROJECT))
        .arg(text("report-file", "Path to the CSV report file"))
        .arg(text("report-label", "Label for the new entry in the report [default=ACTION]"))
        .subcommand(creating("init", "Create containers"))
        .subcommand(
            creating("launch", "Create and start containers").arg(
                Arg::new("freeze")
                    .long("freeze")
                    .short('F')
                    .action(ArgAction::SetTrue)
                    .help("Freeze the container right after start"),
            ),
        )
        .subcommand(Command::new("start").about("Start containers"))
        .subcommand(Command::new("stop").about("Stop containers"))
        .subcommand(Command::new("delete").about("Delete containers"))
}

fn creating(name: &'static str, about: &'static str) -> Command {
    let count = Arg::new("count").long("count").short('C').value_name("").default_value("1");
    let privileged = Arg::new("privileged").long("privileged").action(ArgAction::SetTrue);
    Command::new(name)
        .about(about)
        .arg(Arg::new("image").value_name("[<remote>:]<image>").default_value("ubuntu:"))
        .arg(count.value_parser(value_parser!(usize)).help("Number of containers to create"))
        .arg(privileged.help("Use privileged containers"))
}

/// Does what is asked for, and remembers how long it took.
pub fn run(matches: &ArgMatches) -> Result<()> {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let project = text("project").unwrap_or_default();
    print_server(&mut Local::connect()?)?;
    let report =
        text("report-file").map(|path| report::load(Path::new(&path)).map(|lines| (path, lines))).transpose()?;
    let Some((action, inner)) = matches.subcommand() else { return Ok(()) };
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let size = matches.get_one("parallel").copied().filter(|size| *size > 0).unwrap_or(processors);
    let took = match action {
        "init" | "launch" => create(&project, size, action == "launch", inner)?,
        _ => change_all(&project, size, action)?,
    };
    let Some((path, lines)) = report else { return Ok(()) };
    report::add(Path::new(&path), lines, text("report-label").as_deref().unwrap_or(action), took)
}

fn print_server(local: &mut Local) -> Result<()> {
    let server: Server = local.get("/1.0")?;
    let it = &server.environment;
    println!("Test environment:");
    for (name, value) in [
        ("Server backend", &it.server),
        ("Server version", &it.server_version),
        ("Kernel", &it.kernel),
        ("Kernel architecture", &it.kernel_architecture),
        ("Kernel version", &it.kernel_version),
        ("Storage backend", &it.storage),
        ("Storage version", &it.storage_version),
        ("Container backend", &it.driver),
        ("Container version", &it.driver_version),
    ] {
        println!("  {name}: {value}");
    }
    println!();
    Ok(())
}

fn create(project: &str, size: usize, start: bool, matches: &ArgMatches) -> Result<Duration> {
    let count = matches.get_one("count").copied().unwrap_or(1);
    let image = matches.get_one::<String>("image").cloned().unwrap_or_default();
    let privileged = matches.get_flag("privileged");
    let freeze = start && matches.get_flag("freeze");
    println!("Test variables:");
    println!("  Container count: {count}");
    println!("  Container mode: {}", if privileged { "privileged" } else { "unprivileged" });
    println!("  Startup mode: {}", if freeze { "start and freeze" } else { "normal startup" });
    println!("  Image: {image}");
    println!("  Batches: {}\n  Batch size: {size}\n  Remainder: {}\n", count / size, count % size);
    let fingerprint = image::ensure(&mut Local::connect()?, project, &image)?;
    let mut config = Map::from_iter([(MADE.to_string(), json!("true"))]);
    if privileged {
        config.insert("security.privileged".to_string(), json!("true"));
    }
    let digits = count.to_string().len();
    let batches = Batches { count, size };
    Ok(batches.run(|local, index| {
        let name = format!("benchmark-{:0digits$}", index + 1);
        let source = json!({"type": "image", "fingerprint": fingerprint});
        let body = json!({"name": name, "config": config, "source": source});
        let path = url::path_in(project, ["instances"]);
        perform(local, "POST", &path, Some(&body)).map_err(|error| failed("launch", &name, &error))?;
        if start {
            set_state(local, project, &name, "start")?;
        }
        if freeze { set_state(local, project, &name, "freeze") } else { Ok(()) }
    }))
}

fn change_all(project: &str, size: usize, action: &str) -> Result<Duration> {
    let path = url::path_in(project, ["instances"]);
    let separator = if path.contains('?') { '&' } else { '?' };
    let all: Vec<Instance> = Local::connect()?.get(&format!("{path}{separator}recursion=1"))?;
    let made: Vec<Instance> =
        all.into_iter().filter(|one| one.config.get(MADE).is_some_and(|value| value == "true")).collect();
    let doing = match action {
        "start" => "Starting",
        "stop" => "Stopping",
        _ => "Deleting",
    };
    say(&format!("{doing} {} containers", made.len()));
    let batches = Batches { count: made.len(), size };
    Ok(batches.run(|local, index| {
        let one = &made[index];
        // What is stopped or failed needs no stop; the rest is active.
        let active = !matches!(one.status.as_str(), "Stopped" | "Error");
        match action {
            "start" if active => Ok(()),
            "start" => set_state(local, project, &one.name, "start"),
            _ if active => set_state(local, project, &one.name, "stop"),
            _ => Ok(()),
        }?;
        if action != "delete" {
            return Ok(());
        }
        let path = url::path_in(project, ["instances", &one.name]);
        perform(local, "DELETE", &path, None).map_err(|error| failed("delete", &one.name, &error))
    }))
}

fn set_state(local: &mut Local, project: &str, name: &str, action: &str) -> Result<()> {
    let body = json!({"action": action, "timeout": -1, "force": action == "stop"});
    let path = url::path_in(project, ["instances", name, "state"]);
    perform(local, "PUT", &path, Some(&body)).map_err(|error| failed(action, name, &error))
}

fn failed(action: &str, name: &str, error: &Error) -> Error {
    Error::internal(format!("Failed to {action} container '{name}': {error}"))
}

/// Asks for an operation and waits for its end.
fn perform(local: &mut Local, method: &str, path: &str, body: Option<&Value>) -> Result<()> {
    let begun = local.exchange(method, path, body)?;
    begun.read::<Value>()?;
    let ended: corten_api::operation::Operation = local.get(&format!("{}/wait", begun.operation))?;
    if ended.err.is_empty() { Ok(()) } else { Err(Error::internal(ended.err)) }
}
