//! The environment and place of a command that is run in an instance, as LXD makes them: pure.

use std::collections::BTreeMap;

use corten_api::instance_exec::InstanceExecPost;
use corten_instance::instance::Instance;
use corten_runtime::spec::ExecSpec;

/// Where programs are looked for.
const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
/// Folders that are added when the container has the first of each pair.
const MORE_PATHS: [(&str, &str); 2] = [("snap", "/snap/bin"), ("etc/NIXOS", "/run/current-system/sw/bin")];

/// What the runtime is told; `has` says whether the container has a path.
pub fn exec_spec(post: &InstanceExecPost, instance: &Instance, has: impl Fn(&str) -> bool) -> ExecSpec {
    let mut environment: BTreeMap<String, String> = post.environment.clone();
    for (key, value) in &instance.expanded_config {
        if let Some(name) = key.strip_prefix("environment.") {
            environment.entry(name.to_string()).or_insert_with(|| value.clone());
        }
    }
    let mut default = |name: &str, value: String| {
        environment.entry(name.to_string()).or_insert(value);
    };
    let more = MORE_PATHS.iter().filter(|(path, _)| has(path)).map(|(_, folder)| format!(":{folder}"));
    default("PATH", format!("{PATH}{}", more.collect::<String>()));
    if post.user == 0 {
        default("HOME", "/root".to_string());
        default("USER", "root".to_string());
    }
    default("LANG", "C.UTF-8".to_string());
    let home = environment.get("HOME").filter(|home| has(home.trim_start_matches('/')));
    // A place that nobody asked for may be missing.
    let cwd = if post.cwd.is_empty() { home.map_or("/", String::as_str) } else { post.cwd.as_str() }.into();
    ExecSpec {
        argv: post.command.clone(),
        env: environment.into_iter().map(|(name, value)| format!("{name}={value}")).collect(),
        cwd,
        uid: post.user,
        gid: post.group,
        groups: Vec::new(),
        tty: post.interactive,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use corten_instance::instance::Config;

    #[test]
    fn the_command_wins_over_the_instance_and_both_over_the_defaults() {
        let expanded_config = Config::from([
            ("environment.A".to_string(), "instance".to_string()),
            ("environment.B".to_string(), "instance".to_string()),
        ]);
        let instance = Instance { expanded_config, ..Instance::default() };
        let environment = BTreeMap::from([("A".to_string(), "command".to_string())]);
        let post = InstanceExecPost { command: vec!["true".to_string()], environment, ..InstanceExecPost::default() };
        let spec = exec_spec(&post, &instance, |path| path == "snap" || path == "root");
        let path = format!("PATH={PATH}:/snap/bin");
        assert_eq!(spec.env, ["A=command", "B=instance", "HOME=/root", "LANG=C.UTF-8", &path, "USER=root"]);
        assert_eq!(spec.cwd.to_str(), Some("/root"));
        let other = InstanceExecPost { user: 1000, cwd: "/tmp".to_string(), ..post };
        let spec = exec_spec(&other, &instance, |_| false);
        assert!(!spec.env.iter().any(|line| line.starts_with("HOME=")));
        assert_eq!(spec.cwd.to_str(), Some("/tmp"));
    }
}
