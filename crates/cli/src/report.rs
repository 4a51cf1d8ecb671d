//! What a command says: text for people, JSON for programs.

use comfy_table::presets::UTF8_HORIZONTAL_ONLY;
use comfy_table::{CellAlignment, ContentArrangement, Table};
use serde::Serialize;
use serde_json::Value;

/// What a command says.
#[derive(Clone, Debug)]
pub struct Report {
    /// For people.
    pub text: String,
    /// For programs.
    pub json: Value,
    /// Whether the exit code is 0.
    pub is_good: bool,
}

impl Report {
    /// A good report.
    pub fn new(text: impl Into<String>, json: impl Serialize) -> Self {
        // Only maps with keys that are no strings cannot be written, and there are none.
        let json = serde_json::to_value(json).unwrap_or_else(|error| Value::String(error.to_string()));
        Self { text: text.into(), json, is_good: true }
    }

    /// Prints it.
    pub fn print(&self, json: bool) {
        use std::io::Write;
        let text = if json { format!("{:#}", self.json) } else { self.text.trim_end().to_string() };
        // A reader that has seen enough is no error.
        let _ = writeln!(std::io::stdout(), "{text}");
    }
}

/// A table with a header; columns behind the first `left` are numbers.
pub fn table<const N: usize>(header: [&str; N], left: usize, rows: impl IntoIterator<Item = [String; N]>) -> String {
    let mut table = Table::new();
    table.load_preset(UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Disabled).set_header(header);
    for row in rows {
        table.add_row(row);
    }
    for column in table.column_iter_mut().skip(left) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table.trim_fmt()
}

/// Names and values below each other.
pub fn pairs<'a>(rows: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let rows: Vec<(&str, String)> = rows.into_iter().collect();
    let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or_default();
    rows.iter().map(|(name, value)| format!("{name:width$}  {value}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_aligned() {
        assert_eq!(pairs([("a", "1".into()), ("long", "2".into())]), "a     1\nlong  2\n");
        assert_eq!(pairs([]), "");
    }
}
