//! What `orders verify` prints: a line for each finding, and a summary.

use super::Verdict;
use orders_domain::visible;
use orders_store::verify::{Counts, Finding, Severity};
use serde::Serialize;
use std::collections::BTreeMap;

/// Something that is wrong, and what was done about it.
#[derive(Debug, Serialize)]
pub(super) struct Said {
    #[serde(flatten)]
    pub(super) finding: Finding,
    /// What the repair did; none when there was none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) repaired: Option<&'static str>,
}

impl From<Finding> for Said {
    fn from(finding: Finding) -> Self {
        Self {
            finding,
            repaired: None,
        }
    }
}

/// What was compared with Temporal.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Compared {
    /// Open orders.
    pub(super) open_orders: u64,
    /// Open supplier orders.
    pub(super) open_supplier_orders: u64,
    /// Workflows of orders that Temporal runs.
    pub(super) running_workflows: u64,
    /// Whether Temporal could list them: without, workflows without orders are not found.
    pub(super) listed: bool,
}

#[derive(Debug, Serialize)]
struct Summary {
    checked: Counts,
    /// None when that was not asked for.
    compared: Option<Compared>,
    findings: u64,
    warnings: u64,
    repaired: u64,
    by_check: BTreeMap<&'static str, u64>,
}

pub(super) struct Report {
    json: bool,
    summary: Summary,
}

impl Report {
    pub(super) fn new(json: bool) -> Self {
        let summary = Summary {
            checked: Counts::default(),
            compared: None,
            findings: 0,
            warnings: 0,
            repaired: 0,
            by_check: BTreeMap::new(),
        };
        Self { json, summary }
    }

    /// Prints it at once: there may be too many to keep.
    pub(super) fn say(&mut self, said: Said) {
        let Said { finding, repaired } = &said;
        *self.summary.by_check.entry(finding.check).or_default() += 1;
        match (repaired, finding.severity) {
            (Some(_), _) => self.summary.repaired += 1,
            (None, Severity::Finding) => self.summary.findings += 1,
            (None, Severity::Warning) => self.summary.warnings += 1,
        }
        if self.json {
            return print_json(&said);
        }
        let of = match (&finding.order_id, &finding.sku) {
            (Some(order_id), _) => format!("order {order_id}: "),
            (None, Some(sku)) => format!("sku {sku}: "),
            (None, None) => String::new(),
        };
        println!(
            "{} {}: {of}{}",
            finding.severity,
            finding.check,
            visible::escaped(&finding.wrong)
        );
        match repaired {
            Some(done) => println!("    repaired: {done}"),
            None => println!("    {}", finding.advice),
        }
    }

    pub(super) fn checked(&mut self, counts: Counts) {
        self.summary.checked = counts;
    }

    pub(super) fn compared(&mut self, compared: Compared) {
        self.summary.compared = Some(compared);
    }

    /// Prints the summary.
    pub(super) fn end(self) -> Verdict {
        let Summary {
            checked,
            compared,
            findings,
            warnings,
            repaired,
            ..
        } = &self.summary;
        if self.json {
            print_json(&self.summary);
        } else {
            println!(
                "checked: {} orders ({} open), {} events, {} payment entries, {} skus, {} requests",
                checked.orders,
                checked.open_orders,
                checked.events,
                checked.payment_entries,
                checked.skus,
                checked.requests
            );
            match compared {
                Some(compared) => println!(
                    "compared with Temporal: {} open orders, {} open supplier orders, {}",
                    compared.open_orders,
                    compared.open_supplier_orders,
                    match compared.listed {
                        true => format!("{} running workflows", compared.running_workflows),
                        false => "no list of workflows (this Temporal has none)".to_owned(),
                    }
                ),
                None => println!("not compared with Temporal"),
            }
            println!("{findings} findings, {warnings} warnings, {repaired} repaired");
        }
        match *findings {
            0 => Verdict::Clean,
            _ => Verdict::Findings,
        }
    }
}

fn print_json(line: &impl Serialize) {
    // Numbers, texts and lists: nothing of it can fail to be JSON.
    if let Ok(line) = serde_json::to_string(line) {
        println!("{}", visible::in_json(line));
    }
}
