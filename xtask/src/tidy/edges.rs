//! Who may use whom: the dependencies of every crate are those that ARCHITECTURE.md's table allows.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use super::Finding;

const BOOK: &str = "ARCHITECTURE.md";
/// The table's first cell in its first line.
const TABLE: &str = "| crate | may use |";

/// Refuses dependencies that the table does not have, and rows that no crate needs.
///
/// # Errors
/// When a file cannot be read, or the table is not there.
pub fn check(project: &Path) -> Result<Vec<Finding>, String> {
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| format!("reading {}: {error}", path.display()));
    let table = table(&read(&project.join(BOOK))?)?;
    let mut found = Vec::new();
    let members = fs::read_dir(project.join("crates")).map_err(|error| format!("reading crates: {error}"))?;
    let mut folders: Vec<PathBuf> = members.flatten().map(|entry| entry.path()).collect();
    folders.push(project.join("xtask"));
    for folder in folders {
        let manifest = folder.join("Cargo.toml");
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let used = dependencies(&read(&manifest)?);
        let path = manifest.strip_prefix(project).unwrap_or(&manifest).to_path_buf();
        let mut say = |message: String| found.push(Finding { path: path.clone(), line: 0, message });
        let Some(allowed) = table.get(&name) else {
            say(format!("{BOOK}'s table has no row for {name}"));
            continue;
        };
        for extra in used.difference(allowed) {
            say(format!("{name} uses {extra}, which {BOOK}'s table does not allow"));
        }
        for unused in allowed.difference(&used) {
            say(format!("{BOOK}'s table lets {name} use {unused}, which it does not"));
        }
    }
    Ok(found)
}

/// The rows of the table: names in code quotes, the first of them the crate itself.
fn table(book: &str) -> Result<BTreeMap<String, BTreeSet<String>>, String> {
    let mut lines = book.lines().skip_while(|line| *line != TABLE);
    lines.next().ok_or_else(|| format!("{BOOK} has no table that begins with {TABLE:?}"))?;
    let rows = lines.skip(1).take_while(|line| line.starts_with('|'));
    Ok(rows
        .filter_map(|row| {
            let mut names = row.split('`').skip(1).step_by(2).map(str::to_string);
            Some((names.next()?, names.collect()))
        })
        .collect())
}

/// Our own crates in the section `[dependencies]`.
fn dependencies(manifest: &str) -> BTreeSet<String> {
    let lines = manifest.lines().skip_while(|line| *line != "[dependencies]").skip(1);
    let names = lines.take_while(|line| !line.starts_with('[')).filter_map(|line| line.split(['.', ' ', '=']).next());
    names.filter(|name| name.starts_with("corten-")).map(str::to_string).collect()
}

#[cfg(test)]
mod tests {
    use super::{dependencies, table};

    #[test]
    fn rows_and_manifests_are_read() {
        let book = "x\n| crate | may use |\n| --- | --- |\n| `a` | – |\n| `b` | `a`, `c` |\n\n| `d` | `e` |\n";
        let rows = table(book).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(rows["b"].iter().collect::<Vec<_>>(), ["a", "c"]);
        let manifest = "[dependencies]\ncorten-api.workspace = true\nserde = \"1\"\n[dev-dependencies]\ncorten-x = 1\n";
        assert_eq!(dependencies(manifest).iter().collect::<Vec<_>>(), ["corten-api"]);
    }
}
