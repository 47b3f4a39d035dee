//! The program itself, where no server is needed: flags, errors, exit statuses, the configuration file, aliases.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// A folder for one test, gone afterwards.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Scratch(folder)
    }

    fn configured(name: &str, text: &str) -> Scratch {
        let scratch = Scratch::new(name);
        std::fs::write(scratch.0.join("config.yml"), text).unwrap();
        scratch
    }

    /// Runs the client with a configuration in this folder and no server in reach.
    fn lxc(&self, words: &[&str]) -> Output {
        Command::new(env!("CARGO_BIN_EXE_lxc"))
            .args(words)
            .env_clear()
            .env("PATH", "/usr/bin:/bin")
            .env("LXD_CONF", &self.0)
            .env("LXD_DIR", "/nonexistent/lxd")
            .env("LXD_GLOBAL_CONF", "/nonexistent/etc")
            .output()
            .unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn error_of(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

fn text_of(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn mistakes_are_told_in_lxds_words_with_status_1() {
    let scratch = Scratch::new("mistakes");
    for (words, want) in [
        (&["foo"][..], "Error: unknown command \"foo\" for \"lxc\"\n"),
        (&["lst"], "Error: unknown command \"lst\" for \"lxc\"\n\nDid you mean this?\n\tlist\n\n"),
        (&["config", "foo"], "Error: unknown command \"foo\" for \"lxc config\"\n"),
        (&["list", "--foo"], "Error: unknown flag: --foo\n"),
        (&["list", "-x"], "Error: unknown shorthand flag: 'x' in -x\n"),
        (&["list", "--columns"], "Error: flag needs an argument: --columns\n"),
        (&["list", "-c"], "Error: flag needs an argument: 'c' in -c\n"),
        (
            &["stop", "c1", "--timeout", "x"],
            "Error: invalid argument \"x\" for \"--timeout\" flag: strconv.ParseInt: parsing \"x\": invalid syntax\n",
        ),
        (&["init", "a", "b", "c"], "Error: Invalid number of arguments\n"),
        (&["exec", "c1", "-t", "-T", "--", "true"], "Error: You can't pass -t and -T at the same time\n"),
        (&["list", "nope:"], "Error: The remote \"nope\" doesn't exist\n"),
        (&["list", "images:"], "Error: The remote isn't a private LXD server\n"),
        (&["query", "1.0"], "Error: Query path must start with /\n"),
        (
            &["list"],
            "Error: Get \"http://unix.socket/1.0\": dial unix /nonexistent/lxd/unix.socket: connect: no such file or directory\n",
        ),
    ] {
        let output = scratch.lxc(words);
        assert_eq!(error_of(&output), want, "{words:?}");
        assert_eq!(output.status.code(), Some(1), "{words:?}");
    }
}

#[test]
fn help_is_no_mistake() {
    let scratch = Scratch::new("help");
    for words in [&["--help"][..], &[], &["help"], &["launch", "--help"], &["launch"], &["help", "config", "device"]] {
        let output = scratch.lxc(words);
        assert!(text_of(&output).starts_with("Description:\n  "), "{words:?}");
        assert_eq!((error_of(&output).as_str(), output.status.code()), ("", Some(0)), "{words:?}");
    }
    // A group without a command shows how it is used, on the other stream.
    let output = scratch.lxc(&["image"]);
    assert!(error_of(&output).starts_with("Usage:\n  lxc image [flags]\n  lxc image [command]\n"));
    assert_eq!((text_of(&output).as_str(), output.status.code()), ("", Some(0)));
    assert_eq!(text_of(&scratch.lxc(&["--version"])), "5.0.2\n");
    assert!(!text_of(&scratch.lxc(&["--help"])).contains("  query "));
    assert!(text_of(&scratch.lxc(&["--help", "--all"])).contains("  query "));
}

#[test]
fn the_help_of_a_command_has_lxds_layout() {
    let scratch = Scratch::new("layout");
    let text = text_of(&scratch.lxc(&["start", "--help"]));
    let want = "Description:\n  Start instances\n\nUsage:\n  lxc start [<remote>:]<instance> [[<remote>:]<instance>...] [flags]\n\nFlags:\n      --all                   Run against all instances\n      --console[=\"console\"]   Immediately attach to the console\n      --stateless             Ignore the instance state\n\nGlobal Flags:\n      --debug          Show all debug messages\n";
    assert!(text.starts_with(want), "{text}");
}

#[test]
fn the_configuration_is_read_and_a_broken_one_is_told() {
    let scratch =
        Scratch::configured("configuration", "default-remote: far\nremotes:\n  far:\n    addr: https://127.0.0.1:1\n");
    assert_eq!(error_of(&scratch.lxc(&["list"])), "Error: Missing TLS client certificate and key\n");
    assert!(error_of(&scratch.lxc(&["list", "local:"])).contains("dial unix"));
    assert!(error_of(&scratch.lxc(&["--force-local", "list"])).contains("dial unix"));
    let broken = Scratch::configured("broken", "remotes: [\n");
    assert!(error_of(&broken.lxc(&["list"])).starts_with("Error: Unable to decode the configuration: "));
    // Help must come up even then.
    assert_eq!(broken.lxc(&["--help"]).status.code(), Some(0));
}

#[test]
fn aliases_lead_to_commands_and_programs() {
    let text = "aliases:\n  v: version @ARGS@\n  prog: /bin/echo got @ARG1@\n";
    let scratch = Scratch::configured("aliases", text);
    assert_eq!(text_of(&scratch.lxc(&["v"])), "Client version: 5.0.2\nServer version: unreachable\n");
    assert_eq!(text_of(&scratch.lxc(&["prog", "it"])), "got it\n");
    let output = scratch.lxc(&["prog"]);
    assert_eq!(error_of(&output), "Error: Found alias \"prog\" references an argument outside the given number\n");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn manual_pages_are_made_for_every_command() {
    let scratch = Scratch::new("pages");
    let folder = scratch.0.join("man");
    std::fs::create_dir(&folder).unwrap();
    let output = scratch.lxc(&["manpage", folder.to_str().unwrap()]);
    assert_eq!(error_of(&output), "");
    for page in ["lxc.1", "lxc.launch.1", "lxc.config.device.add.1"] {
        assert!(folder.join(page).exists(), "{page}");
    }
}
