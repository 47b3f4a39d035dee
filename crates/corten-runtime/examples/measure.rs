//! Measures start, exec and kill of a container: `measure MONITOR SPEC.json [ROUNDS]`, medians of wall and CPU time.
#![forbid(unsafe_code)]

use std::os::fd::AsFd;
use std::path::Path;
use std::time::{Duration, Instant};

use corten_runtime::Spec;
use corten_runtime::spec::ExecSpec;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(monitor), Some(path)) = (arguments.next(), arguments.next()) else {
        return Err("usage: measure MONITOR SPEC.json [ROUNDS]".into());
    };
    let rounds = arguments.next().map_or(Ok(20), |text| text.parse::<usize>())?;
    let spec: Spec = serde_json::from_slice(&std::fs::read(path)?)?;
    let [mut start, mut start_cpu, mut exec, mut exec_cpu, mut kill] = [const { Vec::new() }; 5];
    let mut memory = String::new();
    for _ in 0..rounds {
        let (before, cpu) = (Instant::now(), own_cpu());
        let container = corten_runtime::start(Path::new(&monitor), &spec)?;
        start.push(before.elapsed());
        start_cpu.push(own_cpu() - cpu + cpu_of(container.monitor_pid()) + cpu_of(container.init_pid()));
        let watch = container.watch()?;
        let null = std::fs::File::open("/dev/null")?;
        let argv = vec!["/bin/true".to_string()];
        let process = ExecSpec { argv, ..ExecSpec::default() };
        for _ in 0..10 {
            let (before, cpu) = (Instant::now(), own_cpu() + cpu_of(container.monitor_pid()));
            container.exec(&process, [null.as_fd(); 3], &[])?.wait()?;
            exec.push(before.elapsed());
            exec_cpu.push((own_cpu() + cpu_of(container.monitor_pid())).saturating_sub(cpu));
        }
        memory = std::fs::read_to_string(format!("/proc/{}/smaps_rollup", container.monitor_pid()))?;
        let before = Instant::now();
        container.kill()?;
        watch.wait()?;
        kill.push(before.elapsed());
    }
    for (what, times) in [
        ("start, wall", &mut start),
        ("start, CPU without init's own", &mut start_cpu),
        ("exec true, wall", &mut exec),
        ("exec true, CPU without its own", &mut exec_cpu),
        ("kill until told, wall", &mut kill),
    ] {
        times.sort();
        println!("{what}: median {:?}, best {:?}", times[times.len() / 2], times[0]);
    }
    for line in
        memory.lines().filter(|line| ["Rss", "Pss:", "Private_D", "Private_C"].iter().any(|key| line.starts_with(key)))
    {
        println!("monitor {line}");
    }
    Ok(())
}

/// CPU time of this process and of the children that it has waited for.
fn own_cpu() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields: Vec<u64> =
        text.rsplit(')').next().unwrap_or("").split_whitespace().skip(13).take(2).flat_map(str::parse).collect();
    cpu_of(rustix::process::getpid().as_raw_nonzero().get()) + Duration::from_millis(10 * fields.iter().sum::<u64>())
}

/// CPU time of a process with one thread, in the scheduler's own nanoseconds.
fn cpu_of(pid: i32) -> Duration {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap_or_default();
    Duration::from_nanos(text.split_whitespace().next().and_then(|text| text.parse().ok()).unwrap_or(0))
}
