//! Runs a command in a running container: `into RUN_DIR COMMAND…`, with this terminal's or pipe's ends.
#![forbid(unsafe_code)]

use std::path::Path;

use corten_runtime::Container;
use corten_runtime::spec::ExecSpec;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let run_dir = arguments.next().ok_or("usage: into RUN_DIR COMMAND…")?;
    let container = Container::find(Path::new(&run_dir))?.ok_or("the container is not running")?;
    let env = vec!["PATH=/usr/sbin:/usr/bin:/sbin:/bin".to_string(), "TERM=xterm".to_string()];
    let spec = ExecSpec { argv: arguments.collect(), env, cwd: "/root".into(), ..ExecSpec::default() };
    let stdio = [rustix::stdio::stdin(), rustix::stdio::stdout(), rustix::stdio::stderr()];
    let status = container.exec(&spec, stdio, &[])?.wait()?;
    std::process::exit(status)
}
