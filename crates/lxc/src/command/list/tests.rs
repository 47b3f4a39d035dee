//! Lists of recorded instances, against what LXD's client printed for them.

use super::*;

const INSTANCES: &str = include_str!("../../../testdata/instances.json");

fn show(columns: &str, format: &str, filters: &[&str]) -> String {
    let mut instances: Vec<InstanceFull> = serde_json::from_str(INSTANCES).unwrap();
    let tests = filter::compile(filters);
    instances.retain(|instance| tests.iter().all(|test| test.matches(instance)));
    render(format, &columns::parse(columns, &[DEFAULT], false).unwrap(), &instances).unwrap()
}

#[test]
fn tables_are_lxds_own() {
    assert_eq!(show(DEFAULT, "table", &[]), include_str!("../../../testdata/list-table.txt"));
    assert_eq!(
        show("nsPpamMuDNlcbfFd,volatile.uuid:U:8,devices:root.pool:P", "csv", &[]),
        include_str!("../../../testdata/list-all.csv")
    );
    assert_eq!(show("nt", "compact", &["c"]), include_str!("../../../testdata/list-compact.txt"));
}

#[test]
fn filters_choose() {
    for (filters, want) in [
        (&["c1"][..], "c1\nc10\n"),
        (&["c"], "c1\nc3\nc10\n"),
        (&["c[13]"], "c1\nc3\n"),
        (&["type=container,virtual-machine", "c3"], "c3\n"),
        (&["status=STOPPED"], "c3\n"),
        (&["ipv4=10.0.0.0/8"], "c10\n"),
        (&["ipv4=10.0.0.5"], "c10\n"),
        (&["user.nosuch=x"], ""),
        (&["i.os=Busy.*"], "c1\nc3\nc10\n"),
    ] {
        assert_eq!(show("n", "csv", filters), want, "{filters:?}");
    }
}

#[test]
fn bad_columns_are_told_in_lxds_words() {
    for (columns, want) in [
        ("nZ", "Unknown column shorthand char 'Z' in 'nZ'"),
        (",n", "Empty column entry (redundant, leading or trailing command) in ',n'"),
        ("n,foo.bar", "Invalid config key 'foo.bar' in 'foo.bar'"),
        ("user.x:", "Invalid name in 'user.x:', empty string is only allowed when defining maxWidth"),
        ("user.x::x", "Invalid max width (must be an integer) 'x' in 'user.x::x'"),
        ("user.x::-2", "Invalid max width (must -1, 0 or a positive integer) '-2' in 'user.x::-2'"),
        ("user.x:a:1:2", "Invalid config key column format (too many fields): 'user.x:a:1:2'"),
        ("nL", "Can't specify column L when not clustered"),
    ] {
        assert_eq!(columns::parse(columns, &[DEFAULT], false).err().unwrap().message, want);
    }
}
