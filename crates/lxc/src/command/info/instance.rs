//! What `lxc info` says of an instance.

use std::fmt::Write;

use corten_api::error::Result;
use corten_api::instance::InstanceFull;
use corten_api::instance_state::{InstanceState, InstanceStateNetwork};
use corten_api::time::Time;

use crate::byte_size::{binary, decimal};
use crate::{moment, table};

/// The whole text; the location is only told in a cluster.
///
/// # Errors
/// Never in practice: the tables are always of a known format.
pub fn text(instance: &InstanceFull, clustered: bool) -> Result<String> {
    let mut text = String::new();
    let mut line = |line: String| {
        text.push_str(&line);
        text.push('\n');
    };
    let kind = if instance.r#type.is_empty() { "container" } else { &instance.r#type };
    line(format!("Name: {}", instance.name));
    line(format!("Status: {}", instance.status.to_uppercase()));
    line(format!("Type: {kind}{}", if instance.ephemeral { " (ephemeral)" } else { "" }));
    line(format!("Architecture: {}", instance.architecture));
    if clustered {
        line(format!("Location: {}", instance.location));
    }
    let running = instance.state.as_ref().filter(|state| state.pid != 0);
    if let Some(state) = running {
        line(format!("PID: {}", state.pid));
    }
    for (what, time) in [("Created", instance.created_at), ("Last Used", instance.last_used_at)] {
        if !time.is_never() {
            line(format!("{what}: {}", moment::local_minute(time)));
        }
    }
    text.push_str(&running.map(resources).unwrap_or_default());
    text.push_str(&snapshots(instance)?);
    text.push_str(&backups(instance)?);
    Ok(text)
}

/// What a running instance uses at the moment.
fn resources(state: &InstanceState) -> String {
    let mut text = format!("\nResources:\n  Processes: {}\n", state.processes);
    let mut section = |title: &str, lines: Vec<String>| {
        if !lines.is_empty() {
            let _ = writeln!(text, "  {title}:\n{}", lines.join("\n"));
        }
    };
    let disks = state.disk.iter().flatten().filter(|(_, disk)| disk.usage != 0);
    section("Disk usage", disks.map(|(name, disk)| format!("    {name}: {}", binary(disk.usage))).collect());
    // Nanoseconds come, whole seconds are shown.
    let cpu = Some(state.cpu.usage).filter(|usage| *usage != 0);
    section(
        "CPU usage",
        cpu.map(|usage| format!("    CPU usage (in seconds): {}", usage / 1_000_000_000)).into_iter().collect(),
    );
    let memory = [
        ("Memory (current)", state.memory.usage),
        ("Memory (peak)", state.memory.usage_peak),
        ("Swap (current)", state.memory.swap_usage),
        ("Swap (peak)", state.memory.swap_usage_peak),
    ];
    let used = memory.into_iter().filter(|(_, bytes)| *bytes != 0);
    section("Memory usage", used.map(|(what, bytes)| format!("    {what}: {}", binary(bytes))).collect());
    section("Network usage", state.network.iter().flatten().map(|(name, network)| interface(name, network)).collect());
    text
}

fn interface(name: &str, network: &InstanceStateNetwork) -> String {
    let mut lines = vec![
        format!("    {name}:"),
        format!("      Type: {}", network.r#type),
        format!("      State: {}", network.state.to_uppercase()),
    ];
    for (what, value) in [("Host interface", &network.host_name), ("MAC address", &network.hwaddr)] {
        if !value.is_empty() {
            lines.push(format!("      {what}: {value}"));
        }
    }
    if network.mtu != 0 {
        lines.push(format!("      MTU: {}", network.mtu));
    }
    let counters = &network.counters;
    lines.push(format!("      Bytes received: {}", decimal(counters.bytes_received)));
    lines.push(format!("      Bytes sent: {}", decimal(counters.bytes_sent)));
    lines.push(format!("      Packets received: {}", counters.packets_received));
    lines.push(format!("      Packets sent: {}", counters.packets_sent));
    lines.push("      IP addresses:".to_owned());
    for address in &network.addresses {
        let family = format!("{}:", address.family);
        lines.push(format!("        {family:6} {}/{} ({})", address.address, address.netmask, address.scope));
    }
    lines.join("\n")
}

fn snapshots(instance: &InstanceFull) -> Result<String> {
    let Some(snapshots) = instance.snapshots.as_ref().filter(|all| !all.is_empty()) else {
        return Ok(String::new());
    };
    let rows: Vec<Vec<String>> = snapshots
        .iter()
        .map(|snapshot| {
            let name = snapshot.name.rsplit('/').next().unwrap_or_default().to_owned();
            vec![name, cell(snapshot.created_at), cell(snapshot.expires_at), yes_no(snapshot.stateful)]
        })
        .collect();
    let header = ["Name", "Taken at", "Expires at", "Stateful"];
    Ok(format!("\nSnapshots:\n{}", table::render("table", &header, &rows, snapshots)?))
}

fn backups(instance: &InstanceFull) -> Result<String> {
    let Some(backups) = instance.backups.as_ref().filter(|all| !all.is_empty()) else {
        return Ok(String::new());
    };
    let rows: Vec<Vec<String>> = backups
        .iter()
        .map(|backup| {
            vec![
                backup.name.clone(),
                cell(backup.created_at),
                cell(backup.expires_at),
                yes_no(backup.instance_only),
                yes_no(backup.optimized_storage),
            ]
        })
        .collect();
    let header = ["Name", "Taken at", "Expires at", "Instance Only", "Optimized Storage"];
    Ok(format!("\nBackups:\n{}", table::render("table", &header, &rows, backups)?))
}

/// A time in a table; one that never comes is a space, so that the cell is there.
fn cell(time: Time) -> String {
    if time.is_never() { " ".to_owned() } else { moment::local_minute(time) }
}

fn yes_no(value: bool) -> String {
    if value { "YES" } else { "NO" }.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_is_told_as_lxd_tells_it() {
        let all: Vec<InstanceFull> = serde_json::from_str(include_str!("../../../testdata/instances.json")).unwrap();
        let c10 = all.iter().find(|instance| instance.name == "c10").unwrap();
        // Times are in the zone of whoever looks; the recording was made in UTC.
        let text = text(c10, false).unwrap();
        let without_times = |text: &str| {
            let lines = text.lines().filter(|line| {
                !line.contains("/20") && !line.starts_with("Created:") && !line.starts_with("Last Used:")
            });
            lines.collect::<Vec<_>>().join("\n")
        };
        assert_eq!(without_times(&text), without_times(include_str!("../../../testdata/info.txt")));
    }
}
