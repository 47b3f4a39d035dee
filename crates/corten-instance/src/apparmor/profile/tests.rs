//! Profiles as they were agreed on, and what apparmor_parser says of them.

use std::path::{Path, PathBuf};

use super::*;

/// The kinds of containers whose profiles were agreed on: `testdata/apparmor-NAME`.
fn cases() -> Vec<(&'static str, bool, bool, bool, &'static str)> {
    vec![
        ("unprivileged", true, false, true, ""),
        ("privileged", false, false, false, ""),
        ("nesting", true, true, false, "\n/mnt/** r,\ndeny /srv/** w,\n"),
    ]
}

fn written((_, unprivileged, nesting, stacking, raw): (&str, bool, bool, bool, &str)) -> String {
    let names = Names::of("", "c1", Path::new("/var/lib/lxd"));
    text(&Facts { names: &names, unprivileged, nesting, stacking, raw })
}

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(format!("apparmor-{name}"))
}

#[test]
fn profiles_are_as_agreed() {
    for case in cases() {
        let (path, text) = (golden(case.0), written(case));
        if std::env::var_os("CORTEN_BLESS").is_some() {
            std::fs::write(&path, &text).expect("the golden file is written");
        }
        let agreed = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert_eq!(text, agreed, "differs from {}", path.display());
    }
}

#[test]
fn the_parser_takes_them() {
    let parser = corten_host::command::Command::new("apparmor_parser", "apparmor");
    if parser.find().is_none() {
        println!("skipped: apparmor_parser is not installed");
        return;
    }
    for case in cases() {
        // Neither loaded nor kept; the features of no kernel are asked for.
        let check = parser.clone().args(["--skip-kernel-load", "--skip-cache", "--quiet"]).arg(golden(case.0));
        check.run().unwrap_or_else(|error| panic!("{}: {error}", case.0));
    }
}
