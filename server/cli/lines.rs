//! Lines of text, and tables.

use orders_domain::visible;
use std::fmt::Write;

/// The width of the names of a sheet.
const NAMES: usize = 15;

/// A text that grows line by line. What comes from the server cannot break a line, move the cursor of a
/// terminal or turn the text around it over: such characters are written as escapes.
#[derive(Debug, Default)]
pub struct Lines(String);

/// Which side the cells of a column keep to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

impl Lines {
    /// One more line.
    pub fn line(&mut self, text: impl AsRef<str>) {
        self.0.push_str(&visible::escaped(text.as_ref().trim_end()));
        self.0.push('\n');
    }

    /// A named value, beneath those before; nothing when it is empty.
    pub fn field(&mut self, name: &str, value: impl AsRef<str>) {
        if !value.as_ref().is_empty() {
            self.line(format!("{name:<NAMES$}{}", value.as_ref()));
        }
    }

    /// A named list, an entry on each line.
    pub fn fields(&mut self, name: &str, values: impl IntoIterator<Item = String>) {
        let mut name = name;
        for value in values {
            self.line(format!("{name:<NAMES$}{value}"));
            name = "";
        }
    }

    /// A table: a head, and rows of as many cells.
    pub fn table(&mut self, head: &[(&str, Side)], rows: &[Vec<String>]) {
        let widths: Vec<usize> = head
            .iter()
            .enumerate()
            .map(|(column, (title, _))| {
                let cells = rows.iter().filter_map(|row| row.get(column));
                let widest = cells.map(|cell| cell.chars().count()).max();
                widest.unwrap_or(0).max(title.chars().count())
            })
            .collect();
        let titles: Vec<String> = head.iter().map(|(title, _)| (*title).to_owned()).collect();
        for row in std::iter::once(&titles).chain(rows) {
            let mut line = String::new();
            for ((cell, width), (_, side)) in row.iter().zip(&widths).zip(head) {
                // Writing to a text cannot fail.
                let _ = match side {
                    Side::Left => write!(line, "{cell:<width$}  "),
                    Side::Right => write!(line, "{cell:>width$}  "),
                };
            }
            self.line(line);
        }
    }

    /// All lines, without the last line break.
    pub fn into_text(mut self) -> String {
        self.0.pop();
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_escaped() {
        let mut lines = Lines::default();
        lines.line("a\u{1b}[2Jb\nc\u{e4}");
        lines.line("ada\u{202e}gro.live\u{200b}");
        lines.field("name", "");
        lines.field("name", "value");
        lines.fields("many", ["1".to_owned(), "2".to_owned()]);
        assert_eq!(
            lines.into_text(),
            "a\\u{1b}[2Jb\\nc\u{e4}\nada\\u{202e}gro.live\\u{200b}\nname           value\nmany           1\n               2"
        );
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut lines = Lines::default();
        let head = [("SKU", Side::Left), ("ON HAND", Side::Right)];
        let rows = [
            vec!["console".to_owned(), "5".to_owned()],
            vec!["x".to_owned(), "10000000".to_owned()],
        ];
        lines.table(&head, &rows);
        let expected = "SKU       ON HAND\nconsole         5\nx        10000000";
        assert_eq!(lines.into_text(), expected);
    }
}
