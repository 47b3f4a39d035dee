//! Tables for the eye: `+---+` between all rows, capitals centred in the head, cells of several lines.

use unicode_width::UnicodeWidthChar;

/// A table with lines around and between all rows.
pub fn table(header: &[&str], rows: &[Vec<String>]) -> String {
    let grid = Grid::new(header, rows);
    let mut out = grid.rule();
    for lines in &grid.head {
        out.push('|');
        for (cell, width) in lines.iter().zip(&grid.widths) {
            out.push_str(&format!(" {} |", centred(cell, *width)));
        }
        out.push('\n');
    }
    out.push_str(&grid.rule());
    for row in &grid.rows {
        for line in row {
            for (cell, width) in line.iter().zip(&grid.widths) {
                out.push_str(&format!("| {} ", filled(cell, *width)));
            }
            out.push_str("|\n");
        }
        out.push_str(&grid.rule());
    }
    out
}

/// The same without any lines.
pub fn compact(header: &[&str], rows: &[Vec<String>]) -> String {
    let grid = Grid::new(header, rows);
    let mut out = String::new();
    for lines in &grid.head {
        out.push(' ');
        for (cell, width) in lines.iter().zip(&grid.widths) {
            out.push_str(&format!(" {} ", centred(cell, *width)));
        }
        out.push_str(" \n");
    }
    for line in grid.rows.iter().flatten() {
        out.push(' ');
        for (cell, width) in line.iter().zip(&grid.widths) {
            out.push_str(&format!(" {} ", filled(cell, *width)));
        }
        out.push_str(" \n");
    }
    out
}

/// Cells cut into lines, and how wide each column must be.
struct Grid {
    widths: Vec<usize>,
    /// Lines of the head, each with a cell per column.
    head: Vec<Vec<String>>,
    /// For each row its lines, each with a cell per column.
    rows: Vec<Vec<Vec<String>>>,
}

impl Grid {
    fn new(header: &[&str], rows: &[Vec<String>]) -> Grid {
        let columns = rows.iter().map(Vec::len).chain([header.len()]).max().unwrap_or(0);
        let titles: Vec<&str> = header.iter().copied().chain(std::iter::repeat("")).take(columns).collect();
        let mut widths: Vec<usize> = titles.iter().map(|title| widest(title)).collect();
        for row in rows {
            for (cell, width) in row.iter().zip(&mut widths) {
                *width = (*width).max(widest(cell));
            }
        }
        let head = lines(&titles, "").into_iter().map(|line| line.iter().map(|cell| title(cell)).collect()).collect();
        let cells = |row: &Vec<String>| -> Vec<Vec<String>> {
            lines(&row.iter().map(String::as_str).collect::<Vec<_>>(), "  ")
        };
        Grid { widths, head, rows: rows.iter().map(cells).collect() }
    }

    fn rule(&self) -> String {
        let mut out = String::from("+");
        for width in &self.widths {
            out.push_str(&"-".repeat(width + 2));
            out.push('+');
        }
        out.push('\n');
        out
    }
}

/// Turns cells of several lines into lines of cells; cells with fewer lines are continued with `filler`.
fn lines(cells: &[&str], filler: &str) -> Vec<Vec<String>> {
    let cut: Vec<Vec<&str>> = cells.iter().map(|cell| cell.split('\n').collect()).collect();
    let height = cut.iter().map(Vec::len).max().unwrap_or(0);
    (0..height)
        .map(|line| cut.iter().map(|cell| cell.get(line).copied().unwrap_or(filler).to_owned()).collect())
        .collect()
}

/// A heading: capitals, with spaces for underscores and for points that are not inside a number.
fn title(name: &str) -> String {
    let characters: Vec<char> = name.chars().collect();
    let numeric = |place: Option<usize>| {
        place.and_then(|place| characters.get(place)).is_some_and(|c| c.is_ascii_digit() || *c == ' ')
    };
    let spaced: String = characters
        .iter()
        .enumerate()
        .map(|(place, &character)| {
            let word_before = place > 0 && !numeric(place.checked_sub(1));
            let word_after = place + 1 < characters.len() && !numeric(Some(place + 1));
            match character {
                '_' => ' ',
                '.' if word_before || word_after => ' ',
                _ => character,
            }
        })
        .collect();
    match spaced.trim() {
        "" if !name.is_empty() => " ".to_owned(),
        trimmed => trimmed.to_uppercase(),
    }
}

/// How many columns of a terminal the widest line takes.
fn widest(cell: &str) -> usize {
    cell.split('\n').map(width).max().unwrap_or(0)
}

/// How many columns of a terminal a line takes; control characters take none.
pub fn width(line: &str) -> usize {
    line.chars().map(|character| character.width().unwrap_or(0)).sum()
}

fn filled(cell: &str, to: usize) -> String {
    format!("{cell}{}", " ".repeat(to.saturating_sub(width(cell))))
}

fn centred(cell: &str, to: usize) -> String {
    let gap = to.saturating_sub(width(cell));
    format!("{}{cell}{}", " ".repeat(gap / 2), " ".repeat(gap - gap / 2))
}
