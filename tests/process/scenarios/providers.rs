//! One server for each provider that fails, on the Temporal that skips time and on the dev server.

use super::{Failing, Scenario};
use futures::future::join_all;
use orders_test_support::{Client, ServerOptions, TestServer, TestTemporal, TimeSkipping};
use std::collections::BTreeSet;

/// The servers that the table needs, and their Temporals.
pub struct Servers {
    /// The Temporal in which days pass in milliseconds.
    pub skipping: TimeSkipping,
    /// The one in which time passes as usual. It runs what needs no skipping: the other skips no time
    /// any more once a shipping lane was cancelled, though both workflows have ended then.
    usual: TestTemporal,
    servers: Vec<(Kind, TestServer, Client)>,
}

/// Whether time is skipped, and which provider fails.
type Kind = (bool, Failing);

impl Servers {
    /// Starts all that the table needs.
    pub async fn start(table: &[Scenario]) -> Servers {
        let (skipping, usual) = tokio::join!(TimeSkipping::start(), TestTemporal::start());
        let kinds: BTreeSet<Kind> = table.iter().map(kind).collect();
        let starting = kinds.into_iter().map(|(skips, failing)| {
            let temporal = if skips {
                &skipping.address
            } else {
                &usual.address
            };
            let options = options(temporal, failing);
            async move {
                let server = TestServer::start(options).await;
                let client = server.client().await;
                ((skips, failing), server, client)
            }
        });
        let servers = join_all(starting).await;
        Servers {
            skipping,
            usual,
            servers,
        }
    }

    /// The server for a way of the table, and a client of it.
    pub fn of(&self, scenario: &Scenario) -> (&TestServer, &Client) {
        let wanted = kind(scenario);
        let found = self.servers.iter().find(|(kind, ..)| *kind == wanted);
        let (_, server, client) = found.expect("a server for each");
        (server, client)
    }

    /// Where the Temporal is that runs this way.
    pub fn temporal_of(&self, scenario: &Scenario) -> &str {
        match scenario.takes_days() {
            true => &self.skipping.address,
            false => &self.usual.address,
        }
    }
}

fn kind(scenario: &Scenario) -> Kind {
    (scenario.takes_days(), scenario.failing)
}

fn options(temporal: &str, failing: Failing) -> ServerOptions {
    let options = ServerOptions::with_temporal(temporal)
        .arg("--task-queue")
        .arg(&format!("{failing:?}"));
    let rule = match failing {
        Failing::Nobody => return options,
        Failing::Fraud => "fraud:error=1",
        Failing::Payment => "payment:error=1",
        Failing::Inventory => "inventory:error=1",
        Failing::Carrier => "shipping:error=1",
    };
    options.arg("--simulate").arg(rule)
}
