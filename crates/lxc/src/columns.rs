//! Columns chosen by letters, for lists that have `--columns`.

use corten_api::error::{Error, Result};

/// A column of a list of `T`.
pub struct Column<T: ?Sized> {
    /// The letter that asks for it.
    pub letter: char,
    /// Its heading.
    pub title: &'static str,
    /// Its cell for one thing.
    pub cell: fn(&T) -> String,
}

/// Reads letters, perhaps separated by commas. Letters in `hidden` are left out of the default, and refused otherwise
/// (`L` when there is no cluster).
///
/// # Errors
/// In LXD's words, for letters that are unknown or mean nothing here, and for empty parts between commas.
pub fn parse<'a, T: ?Sized>(
    columns: &'a [Column<T>],
    wanted: &str,
    default: &str,
    clustered: bool,
) -> Result<Vec<&'a Column<T>>> {
    if !clustered && wanted != default && wanted.contains('L') {
        return Err(Error::invalid("Can't specify column L when not clustered"));
    }
    let wanted = if clustered { wanted.to_owned() } else { wanted.replace('L', "") };
    let mut found = Vec::with_capacity(wanted.len());
    for entry in wanted.split(',') {
        if entry.is_empty() {
            return Err(Error::invalid(format!(
                "Empty column entry (redundant, leading or trailing command) in '{wanted}'"
            )));
        }
        for letter in entry.chars() {
            let Some(column) = columns.iter().find(|column| column.letter == letter) else {
                return Err(Error::invalid(format!("Unknown column shorthand char '{letter}' in '{entry}'")));
            };
            found.push(column);
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column<str>; 3] = [
        Column { letter: 'n', title: "NAME", cell: |name| name.to_owned() },
        Column { letter: 's', title: "SIZE", cell: |name| name.len().to_string() },
        Column { letter: 'L', title: "LOCATION", cell: |_| "none".to_owned() },
    ];

    #[test]
    fn letters_choose_columns() {
        let titles = |wanted, clustered| {
            parse(&COLUMNS, wanted, "nsL", clustered)
                .map(|found| found.iter().map(|column| column.title).collect::<Vec<_>>().join(" "))
                .map_err(|error| error.message)
        };
        assert_eq!(titles("nsL", false).unwrap(), "NAME SIZE");
        assert_eq!(titles("nsL", true).unwrap(), "NAME SIZE LOCATION");
        assert_eq!(titles("s,n", false).unwrap(), "SIZE NAME");
        assert_eq!(titles("sL", false).unwrap_err(), "Can't specify column L when not clustered");
        assert_eq!(titles("sx", false).unwrap_err(), "Unknown column shorthand char 'x' in 'sx'");
        assert_eq!(
            titles("s,,n", false).unwrap_err(),
            "Empty column entry (redundant, leading or trailing command) in 's,,n'"
        );
    }
}
