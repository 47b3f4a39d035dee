//! The tables as Markdown: one page for each kind of thing.

use std::fmt::Write;

use crate::entity::Table;
use crate::key::{AnyKey, Live, On};
use crate::{device, instance, network, project, server, storage};

/// A page: the name of its file without ending, and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// As `instance`.
    pub name: &'static str,
    /// Markdown.
    pub text: String,
}

/// All pages.
pub fn pages() -> Vec<Page> {
    vec![
        page("server", "Server", server_sections()),
        page("instance", "Instances and profiles", instance_sections()),
        page("device", "Devices", device_sections()),
        page("network", "Networks and zones", network_sections()),
        page("storage", "Storage pools and volumes", storage_sections()),
        page("project", "Projects", vec![("Keys".to_owned(), project::PROJECT)]),
    ]
}

type Sections = Vec<(String, Table)>;

fn sections(list: &[(&str, Table)]) -> Sections {
    list.iter().map(|(title, table)| (title.to_string(), *table)).collect()
}

fn server_sections() -> Sections {
    sections(&[
        ("Core", server::core::CORE),
        ("Candid and RBAC", server::authentication::AUTHENTICATION),
        ("Cluster", server::cluster::CLUSTER),
        ("Member of a cluster", server::cluster::MEMBER),
        ("Images", server::images::IMAGES),
        ("Services", server::services::SERVICES),
    ])
}

fn instance_sections() -> Sections {
    sections(&[
        ("Surroundings", instance::environment::ENVIRONMENT),
        ("Boot", instance::boot::BOOT),
        ("cloud-init", instance::cloud_init::CLOUD_INIT),
        ("Limits", instance::limits::LIMITS),
        ("Migration", instance::migration::MIGRATION),
        ("NVIDIA and CUDA", instance::nvidia::NVIDIA),
        ("Raw", instance::raw::RAW),
        ("Security", instance::security::SECURITY),
        ("Snapshots", instance::snapshots::SNAPSHOTS),
        ("Volatile", instance::volatile::VOLATILE),
        ("Volatile, of a device", instance::volatile::VOLATILE_DEVICE),
    ])
}

fn device_sections() -> Sections {
    let title = |(kind, subtype): (&str, &str)| format!("{kind} {subtype}").trim_end().to_owned();
    device::types().filter_map(|of| Some((title(of), device::table(of.0, of.1)?))).collect()
}

fn network_sections() -> Sections {
    let types = ["bridge", "macvlan", "ovn", "physical", "sriov"];
    let of_type = types.into_iter().filter_map(|kind| Some((kind.to_owned(), network::table(kind)?)));
    of_type.chain([("zone".to_owned(), network::zone::ZONE)]).collect()
}

fn storage_sections() -> Sections {
    let mut found = sections(&[
        ("All pools", storage::pool::POOL),
        ("All volumes", storage::volume::VOLUME),
        ("Kept by the server", storage::volume::VOLUME_STATE),
    ]);
    for driver in storage::DRIVERS {
        let pool = storage::pool_tables(driver).into_iter().rev().skip(1);
        found.extend(pool.map(|table| (format!("{driver}, pool"), table)));
        let volume = storage::volume_default_tables(driver).into_iter().rev().skip(1);
        found.extend(volume.map(|table| (format!("{driver}, volume"), table)));
    }
    found
}

fn page(name: &'static str, title: &str, sections: Sections) -> Page {
    let mut text = format!("# {title}\n");
    for (title, table) in sections {
        let _ = write!(text, "\n## {title}\n");
        if table.is_empty() {
            text.push_str("\nNo keys.\n");
        }
        for key in table {
            text.push_str(&entry(*key));
        }
    }
    Page { name, text }
}

/// One key: its name, its type and facts, its meaning.
fn entry(key: &dyn AnyKey) -> String {
    let facts = key.facts();
    let mut notes = vec![match key.accepts() {
        accepts if accepts.is_empty() => key.word().to_owned(),
        accepts => format!("{}: {accepts}", key.word()),
    }];
    let mut note = |text: String| notes.push(text);
    match (facts.default_text, facts.default) {
        ("", "") => {}
        ("", default) => note(format!("default `{default}`")),
        (text, _) => note(format!("default: {text}")),
    }
    if facts.required {
        note("required".to_owned());
    }
    match facts.on {
        On::Both => {}
        On::Container => note("containers only".to_owned()),
        On::Machine => note("virtual machines only".to_owned()),
    }
    if facts.live != Live::No {
        note("live".to_owned());
    }
    if facts.local {
        note("of one member".to_owned());
    }
    if !facts.condition.is_empty() {
        note(format!("condition: {}", facts.condition));
    }
    if !facts.since.is_empty() {
        note(format!("since `{}`", facts.since));
    }
    let docs: Vec<&str> = facts.docs.iter().map(|line| line.trim()).collect();
    format!("\n### `{}`\n\n{}\n\n{}\n", facts.name, notes.join("; "), docs.join("\n"))
}
