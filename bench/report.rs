//! The figures as a table for people and as JSON for programs.

use crate::{
    cost::Cost, open::Many, place::Placing, reads::Reads, shape::SHAPES, throughput::Throughput,
};
use serde::{Deserialize, Serialize};
use std::fmt::Write;

/// Everything that was measured; what was left out is missing.
#[derive(Debug, Default, Deserialize, Serialize)]
pub struct Report {
    /// Whether it is the quick form.
    pub quick: bool,
    /// What the server was started with, beside what it needs.
    pub server: Vec<String>,
    /// How long the last run took, in seconds.
    pub took_seconds: f64,
    /// Of each policy.
    pub throughput: Vec<Throughput>,
    /// Of one order of each policy.
    pub cost: Vec<Cost>,
    /// PlaceOrder.
    pub placing: Option<Placing>,
    /// Reads.
    pub reads: Option<Reads>,
    /// Many orders.
    pub many: Option<Many>,
}

/// A figure with what it should reach.
struct Goal {
    what: String,
    value: f64,
    reach: f64,
    at_least: bool,
}

impl Goal {
    fn at_least(what: impl Into<String>, value: f64, reach: f64) -> Goal {
        Goal {
            what: what.into(),
            value,
            reach,
            at_least: true,
        }
    }

    fn at_most(what: impl Into<String>, value: f64, reach: f64) -> Goal {
        Goal {
            what: what.into(),
            value,
            reach,
            at_least: false,
        }
    }

    fn line(&self) -> String {
        let (sign, reached) = match self.at_least {
            true => (">=", self.value >= self.reach),
            false => ("<=", self.value <= self.reach),
        };
        let verdict = if reached { "yes" } else { "**no**" };
        format!(
            "| {} | {:.2} | {sign} {} | {verdict} |\n",
            self.what, self.value, self.reach
        )
    }
}

impl Report {
    /// Takes what was measured of a policy, instead of what was known of it.
    pub fn take(&mut self, measured: Throughput) {
        let known = self.throughput.iter_mut();
        match known.into_iter().find(|of| of.policy == measured.policy) {
            Some(known) => *known = measured,
            None => self.throughput.push(measured),
        }
    }

    /// The tables, as Markdown.
    pub fn tables(&self) -> String {
        let mut text = String::new();
        if !self.server.is_empty() {
            let _ = writeln!(text, "\nWith `orders serve {}`.", self.server.join(" "));
        }
        self.rates(&mut text);
        self.costs(&mut text);
        let mut goals = String::new();
        self.goals(&mut goals);
        if !goals.is_empty() {
            text.push_str("\n| figure | value | reach | reached |\n|---|--:|--:|---|\n");
            text.push_str(&goals);
        }
        let _ = writeln!(text, "\nThe last run took {:.0} s.", self.took_seconds);
        text
    }

    fn rates(&self, text: &mut String) {
        if self.throughput.is_empty() {
            return;
        }
        text.push_str("\n| orders/s, p50 and p99 in ms | at once | orders | floor | twin | peer |\n|---|--:|--:|--:|--:|--:|\n");
        for policy in &self.throughput {
            for (at_once, rate) in &policy.ours {
                let cell = |rate: &crate::load::Rate| {
                    let (p50, p99) = (rate.p50 * 1_000.0, rate.p99 * 1_000.0);
                    format!("{:.1} ({p50:.0}, {p99:.0})", rate.per_second)
                };
                let floor = policy.floor.get(at_once).map(cell).unwrap_or_default();
                let most = policy.ours.keys().last() == Some(at_once);
                let [twin, peer] = match most {
                    true => [cell(&policy.twin), cell(&policy.peer)],
                    false => [String::new(), String::new()],
                };
                let ours = cell(rate);
                let name = &policy.policy;
                let _ = writeln!(
                    text,
                    "| {name} | {at_once} | {ours} | {floor} | {twin} | {peer} |"
                );
            }
        }
    }

    fn costs(&self, text: &mut String) {
        if self.cost.is_empty() {
            return;
        }
        text.push_str("\n| cost of one order | events | of the peer | of the twin | Actions | bytes | of the twin | CPU s per 1,000 | Temporal's | for the floor | for the twin |\n");
        text.push_str("|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|\n");
        for Cost {
            policy,
            order,
            twin,
        } in &self.cost
        {
            let of = self.throughput.iter().find(|of| of.policy == *policy);
            let peer = of.map(|of| of.peer_events.to_string()).unwrap_or_default();
            let seconds = |seconds: fn(&Throughput) -> f64| {
                of.map(|of| format!("{:.1}", seconds(of)))
                    .unwrap_or_default()
            };
            let left = format!(
                "{policy} | {} | {peer} | {} | {} | {} | {}",
                order.events, twin.events, order.actions, order.bytes, twin.bytes
            );
            let cpu = [
                seconds(|of| of.cpu_seconds_per_1000),
                seconds(|of| of.temporal_cpu_seconds_per_1000),
                seconds(|of| of.floor_temporal_cpu_seconds_per_1000),
                seconds(|of| of.twin_temporal_cpu_seconds_per_1000),
            ];
            let _ = writeln!(text, "| {left} | {} |", cpu.join(" | "));
        }
    }

    fn goals(&self, text: &mut String) {
        for of in &self.throughput {
            let Some(shape) = SHAPES.iter().find(|shape| shape.policy == of.policy) else {
                continue;
            };
            let policy = &of.policy;
            text.push_str(
                &Goal::at_least(
                    format!("{policy} against the floor"),
                    of.of_floor,
                    shape.of_floor,
                )
                .line(),
            );
            let of_twin = of.of_twin;
            let _ = writeln!(text, "| {policy} against its twin | {of_twin:.2} | | |");
            text.push_str(
                &Goal::at_least(
                    format!("{policy} against the Python SDK"),
                    of.of_peer,
                    shape.of_peer,
                )
                .line(),
            );
        }
        if let Some(placing) = &self.placing {
            let what = format!(
                "PlaceOrder ({:.1} ms) against StartWorkflow ({:.1} ms)",
                placing.place_order_ms, placing.start_workflow_ms
            );
            text.push_str(&Goal::at_most(what, placing.ratio, 1.3).line());
        }
        if let Some(reads) = &self.reads {
            let what = format!(
                "GetOrder ({:.0}/s) against an echo ({:.0}/s)",
                reads.get_order.per_second, reads.echo.per_second
            );
            text.push_str(&Goal::at_least(what, reads.get_of_echo, 0.5).line());
            let what = format!(
                "page at 100,000 orders (first {:.1} ms, thousandth {:.1} ms) against at 1,000 ({:.1} ms)",
                reads.first_page_at_100_000_ms, reads.thousandth_page_ms, reads.page_at_1_000_ms
            );
            text.push_str(&Goal::at_most(what, reads.page_ratio, 1.5).line());
            let _ = writeln!(
                text,
                "| WatchOrder delivery, ms after the event's time (an echo: {:.2} ms) | {:.2} | | |",
                reads.echo_ms, reads.watch_delivery_ms
            );
        }
        if let Some(many) = &self.many {
            self.many(many, text);
        }
    }

    fn many(&self, many: &Many, text: &mut String) {
        if !many.is_whole {
            text.push_str("| many orders: as far as the time allowed; all of them with `--only many` | | | |\n");
        }
        // The first one is before there were any.
        if let [_, first, .., last] | [_, first @ last] = many.open.as_slice() {
            let (most, none) = (&many.placing_at_most, &many.placing_at_none);
            let what = format!(
                "placing with {} open ({:.0}/s; {:.1} ms of processor each, {:.1} of Temporal) against none ({:.0}/s; {:.1}, {:.1})",
                last.orders,
                most.per_second,
                most.cpu_ms,
                most.temporal_cpu_ms,
                none.per_second,
                none.cpu_ms,
                none.temporal_cpu_ms
            );
            text.push_str(&Goal::at_least(what, many.placing_ratio, 0.9).line());
            let what = format!(
                "MiB with {} open orders ({:.0} with {})",
                last.orders, first.mib, first.orders
            );
            text.push_str(&Goal::at_most(what, last.mib, 200.0).line());
        }
        if let [first, .., last] = many.completed.as_slice() {
            let what = format!(
                "memory after {} completed ({:.0} MiB) against after {} ({:.0} MiB)",
                last.orders, last.mib, first.orders, first.mib
            );
            text.push_str(&Goal::at_most(what, last.mib / first.mib, 1.2).line());
        }
    }
}
