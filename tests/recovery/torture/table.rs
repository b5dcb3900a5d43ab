//! What the proof found: one row for each way to die, printed as a table and kept as JSON.

use serde_json::json;
use std::time::Duration;

/// What one part of the proof found.
#[derive(Default)]
pub struct Row {
    /// What was done to the orders.
    pub name: String,
    /// How often the part's own experiment was made.
    pub runs: usize,
    /// Kills, aborts and resets.
    pub kills: usize,
    /// Orders that were in it.
    pub orders: usize,
    /// Orders that did not end as they should, and what else is wrong.
    pub wrong: Vec<String>,
    /// What happened twice.
    pub double: Vec<String>,
    /// From a kill until the first command succeeded again.
    pub recovery: Option<Duration>,
    /// How long all of it took.
    pub took: Duration,
}

impl Row {
    /// A row without findings.
    pub fn new(name: &str) -> Row {
        Row {
            name: name.to_owned(),
            ..Row::default()
        }
    }

    /// Takes a recovery into account.
    pub fn recovered(&mut self, took: Duration) {
        self.recovery = self.recovery.max(Some(took));
    }

    /// Adds what another experiment of the same part found.
    pub fn add(&mut self, other: Row) {
        self.runs += other.runs;
        self.kills += other.kills;
        self.orders += other.orders;
        self.wrong.extend(other.wrong);
        self.double.extend(other.double);
        self.recovery = self.recovery.max(other.recovery);
    }

    /// Fails with all findings.
    pub fn assert_clean(&self) {
        let findings = self.wrong.iter().chain(&self.double);
        let findings: Vec<&str> = findings.map(String::as_str).collect();
        assert!(
            findings.is_empty(),
            "{}:\n{}",
            self.name,
            findings.join("\n")
        );
    }

    fn cells(&self) -> [String; 8] {
        let seconds = |time: Duration| format!("{:.1}", time.as_secs_f64());
        [
            self.name.clone(),
            self.runs.to_string(),
            self.kills.to_string(),
            self.orders.to_string(),
            self.wrong.len().to_string(),
            self.double.len().to_string(),
            self.recovery.map_or("-".to_owned(), seconds),
            seconds(self.took),
        ]
    }
}

const HEAD: [&str; 8] = [
    "what",
    "runs",
    "kills",
    "orders",
    "wrong ends",
    "double effects",
    "longest recovery (s)",
    "took (s)",
];

/// The rows as a table in Markdown.
pub fn table(rows: &[Row]) -> String {
    let head = HEAD.map(str::to_owned);
    let cells: Vec<[String; 8]> = rows.iter().map(Row::cells).collect();
    let width = |column: usize| {
        let all = cells.iter().chain([&head]);
        all.map(|row| row[column].len()).max().unwrap_or_default()
    };
    let line = |row: &[String; 8]| {
        let row = row.iter().enumerate().map(|(column, cell)| {
            let width = width(column);
            match column {
                0 => format!(" {cell:<width$} "),
                _ => format!(" {cell:>width$} "),
            }
        });
        format!("|{}|\n", row.collect::<Vec<_>>().join("|"))
    };
    let rule = std::array::from_fn(|column| match column {
        0 => "-".repeat(width(column)),
        _ => format!("{}:", "-".repeat(width(column) - 1)),
    });
    let mut text = line(&head) + &line(&rule);
    for row in &cells {
        text.push_str(&line(row));
    }
    text
}

/// The rows as JSON, with every finding.
pub fn json(seed: u64, rows: &[Row]) -> String {
    let row = |row: &Row| {
        json!({
            "what": row.name,
            "runs": row.runs,
            "kills": row.kills,
            "orders": row.orders,
            "wrong_ends": row.wrong,
            "double_effects": row.double,
            "longest_recovery_seconds": row.recovery.map(|time| time.as_secs_f64()),
            "seconds": row.took.as_secs_f64(),
        })
    };
    let rows: Vec<_> = rows.iter().map(row).collect();
    format!("{:#}\n", json!({ "seed": seed, "rows": rows }))
}
