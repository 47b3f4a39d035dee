//! Tables as LXD 5.0.2's client prints them.

use serde_json::json;

use super::{json as json_text, order, render};

fn rows(cells: &[&[&str]]) -> Vec<Vec<String>> {
    cells.iter().map(|row| row.iter().map(|&cell| cell.to_owned()).collect()).collect()
}

#[test]
fn tables_are_drawn_as_lxd_draws_them() {
    let rows = rows(&[&["c1", "10.0.0.2 (eth0)\n10.0.0.3 (eth1)", ""], &["日本", "", "x"]]);
    let drawn = "\
+------+-----------------+---------+
| NAME |      IPV4       | USED BY |
+------+-----------------+---------+
| c1   | 10.0.0.2 (eth0) |         |
|      | 10.0.0.3 (eth1) |         |
+------+-----------------+---------+
| 日本 |                 | x       |
+------+-----------------+---------+
";
    assert_eq!(render("table", &["NAME", "IPV4", "USED_BY"], &rows, &()).unwrap(), drawn);
    let compact = "  NAME       IPV4        USED BY  \n  c1    10.0.0.2 (eth0)           \n        10.0.0.3 (eth1)           \n  日本                   x        \n";
    assert_eq!(render("compact", &["NAME", "IPV4", "USED BY"], &rows, &()).unwrap(), compact);
}

#[test]
fn empty_tables_keep_their_head() {
    assert_eq!(render("table", &["NAME", "X"], &[], &()).unwrap(), "+------+---+\n| NAME | X |\n+------+---+\n");
    assert_eq!(render("csv", &["NAME"], &[], &()).unwrap(), "");
}

#[test]
fn csv_quotes_what_needs_it() {
    let rows = rows(&[&["a", "", "b,c", "say \"x\"", " lead", "two\nlines", "plain text"]]);
    assert_eq!(
        render("csv", &[], &rows, &()).unwrap(),
        "a,,\"b,c\",\"say \"\"x\"\"\",\" lead\",\"two\nlines\",plain text\n"
    );
}

#[test]
fn raw_forms_and_unknown_ones() {
    let whole = json!([{"name": "a<b>&c", "load": 1.0, "big": 1e21, "small": 0.5}]);
    assert_eq!(
        render("json", &[], &[], &whole).unwrap(),
        "[{\"big\":1e+21,\"load\":1,\"name\":\"a\\u003cb\\u003e\\u0026c\",\"small\":0.5}]\n"
    );
    assert_eq!(render("yaml", &[], &[], &json!([])).unwrap(), "[]\n");
    assert_eq!(render("xml", &[], &[], &()).unwrap_err().message, "Invalid format \"xml\"");
    assert_eq!(json_text("a\nb").unwrap(), "\"a\\nb\"");
}

#[test]
fn rows_are_sorted_naturally_with_empty_cells_last() {
    let mut unsorted =
        rows(&[&["", "a"], &["c10", ""], &["c2", "b"], &["c02", "b"], &["c2", ""], &["1", "z"], &["C1", ""]]);
    order::by_cells(&mut unsorted);
    let sorted = rows(&[&["1", "z"], &["C1", ""], &["c2", "b"], &["c2", ""], &["c02", "b"], &["c10", ""], &["", "a"]]);
    assert_eq!(unsorted, sorted);
}
