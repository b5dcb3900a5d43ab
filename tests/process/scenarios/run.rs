//! Running the table: all orders up to the moment in which days must pass, then the days, for all of
//! them at once, then the rest.

use super::{Do, Scenario, outcome::Outcome, providers::Servers, table};
use futures::{StreamExt, stream};
use orders::{
    google::r#type::Money,
    v1::{
        CloseReason, ListPoliciesRequest, Order, OrderEvent, OrderEventType, PaymentMode, Policy,
        SecureOrder,
    },
};
use orders_test_support::{Client, eventually, sku};
use std::{collections::BTreeSet, time::Duration};

/// Longer than the longest wait of the policies that ship: the 90 days until the release of a
/// pre-order, and its 7 days of grace.
const DAYS: u64 = 98;
const DAY: i64 = 24 * 3600;

/// Orders that are driven at once. All at once would wait for the processor, and miss their moments.
const AT_ONCE: usize = 8;

/// An order of the table that was placed.
pub struct Running {
    /// Its way.
    pub scenario: Scenario,
    /// Its id.
    pub order_id: String,
    sku: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_policy_by_every_path() {
    let table = table::all();
    let servers = Servers::start(&table).await;
    let (_, mut outcomes) = drive(&servers, table).await;
    outcomes.sort_by_key(|outcome| outcome.line.clone());
    println!("{} policies by paths, {DAYS} days passed:", outcomes.len());
    println!("{}", Outcome::HEAD);
    for outcome in &outcomes {
        println!("{}", outcome.line);
    }
    let failed: Vec<&Outcome> = outcomes.iter().filter(|o| !o.wrong.is_empty()).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

/// Takes every order of a table to its end.
pub async fn drive(servers: &Servers, table: Vec<Scenario>) -> (Vec<Running>, Vec<Outcome>) {
    let running: Vec<Running> = stream::iter(table)
        .map(|scenario| begin(servers, scenario))
        .buffered(AT_ONCE)
        .collect()
        .await;
    servers
        .skipping
        .pass(Duration::from_secs(DAYS * DAY as u64))
        .await;
    let outcomes = stream::iter(&running)
        .map(|running| finish(servers, running))
        .buffered(AT_ONCE)
        .collect()
        .await;
    (running, outcomes)
}

/// Nothing that a policy can end with is missing in the table.
#[tokio::test]
async fn the_table_has_no_gaps() {
    let client = orders_test_support::shared().await.client().await;
    let request = ListPoliciesRequest {};
    let policies = client.orders.clone().list_policies(request).await.unwrap();
    let table = table::all();
    let shipped: BTreeSet<&str> = table.iter().map(|scenario| scenario.policy).collect();
    let policies = policies.into_inner().policies;
    let policies: Vec<&Policy> = policies
        .iter()
        .filter(|policy| shipped.contains(policy.name.as_str()))
        .collect();
    assert_eq!(policies.len(), 6);
    for policy in policies {
        let own = table.iter().filter(|s| s.policy == policy.name);
        let covered: BTreeSet<&str> = own.map(|s| s.end.reason.as_str_name()).collect();
        assert_eq!(covered, reachable(policy), "{}", policy.name);
    }
}

/// Every reason with which orders of a policy can close.
fn reachable(policy: &Policy) -> BTreeSet<&'static str> {
    let external = policy.payment_mode() == PaymentMode::External;
    let limited = policy.retry.as_ref().is_some_and(|r| r.max_attempts > 0);
    let reviewed = policy.approval_threshold_units.is_some();
    let reasons = [
        (CloseReason::Completed, true),
        (CloseReason::CustomerCancelled, true),
        (CloseReason::Fraud, policy.fraud_check),
        (
            CloseReason::OutOfStock,
            policy.secure_order() != SecureOrder::PayOnly,
        ),
        (CloseReason::PaymentDeclined, !external),
        (CloseReason::PaymentFailed, !external && limited),
        (CloseReason::PaymentTimeout, external),
        (CloseReason::ApprovalRejected, reviewed),
        (CloseReason::ApprovalTimeout, reviewed),
        (CloseReason::ReleaseDeadlinePassed, policy.hold),
        (CloseReason::FulfillmentFailed, limited),
    ];
    let reached = reasons.into_iter().filter(|(_, can)| *can);
    reached.map(|(reason, _)| reason.as_str_name()).collect()
}

async fn begin(servers: &Servers, scenario: Scenario) -> Running {
    let (_, client) = servers.of(&scenario);
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = scenario.placing(&sku);
    let order_id = placing.id();
    client.place(placing).await;
    for step in scenario.first_steps() {
        carry_out(client, &order_id, *step).await;
    }
    if let Some(Do::Pass(Some(seconds))) = scenario.last_steps().first() {
        assert_deadline(client, &order_id, *seconds).await;
    }
    Running {
        scenario,
        order_id,
        sku,
    }
}

async fn finish(servers: &Servers, running: &Running) -> Outcome {
    let Running {
        scenario,
        order_id,
        sku,
    } = running;
    let (server, client) = servers.of(scenario);
    for step in scenario.last_steps() {
        carry_out(client, order_id, *step).await;
    }
    let order = eventually(&format!("{scenario:?} to close"), async || {
        let order = client.get(order_id).await;
        order.close_time.is_some().then_some(order)
    })
    .await;
    let events = client.events(order_id).await;
    assert_reminded_daily(&events);
    Outcome::of(scenario, &order, &client.stock_item(sku).await, server).await
}

async fn carry_out(client: &Client, order_id: &str, step: Do) {
    match step {
        Do::Until(state) => drop(client.until(order_id, state).await),
        Do::UntilPickupRequested => drop(client.until_pickup_requested(order_id).await),
        Do::UntilFailed => {
            eventually("a failed attempt", async || {
                let failed = client.count_events(order_id, "ATTEMPT_FAILED").await;
                (failed > 0).then_some(())
            })
            .await;
        }
        Do::Cancel => drop(client.cancel(order_id).await.unwrap()),
        Do::Review(decision) => drop(client.review(order_id, decision).await.unwrap()),
        Do::StartFulfillment => drop(client.start_fulfillment(order_id).await.unwrap()),
        Do::ConfirmPickup => drop(client.confirm_pickup(order_id).await.unwrap()),
        Do::ConfirmDelivery => drop(client.confirm_delivery(order_id).await.unwrap()),
        Do::Pay => {
            let total: Money = client.get(order_id).await.total.unwrap();
            client.confirm_payment(order_id, total).await.unwrap();
        }
        // For all orders at once, between the two halves of the run.
        Do::Pass(_) => {}
    }
}

/// The order waits as long as its policy says, counted from what it waits since.
async fn assert_deadline(client: &Client, order_id: &str, seconds: i64) {
    let waits = |order: &Order| order.deadline.is_some();
    let order = client.until_that(order_id, "a deadline", waits).await;
    let expire = order.deadline.unwrap().expire_time.unwrap().seconds;
    let left = expire - order.update_time.unwrap().seconds;
    // A release is so many days after the placing, which was a moment before.
    assert!(
        (seconds - 10..=seconds + 1).contains(&left),
        "{left} s, not {seconds}"
    );
}

/// Reminders, where there are any, come 24 hours after the request or the reminder before, until
/// somebody has picked the parcel up.
fn assert_reminded_daily(events: &[OrderEvent]) {
    let time = |event: &OrderEvent| event.time.as_ref().unwrap().seconds;
    let requested = events
        .iter()
        .find(|event| event.r#type() == OrderEventType::PickupRequested);
    let reminders = events
        .iter()
        .filter(|event| event.r#type() == OrderEventType::PickupReminded);
    let times: Vec<i64> = requested.into_iter().chain(reminders).map(time).collect();
    for pair in times.windows(2) {
        let gap = pair[1] - pair[0];
        assert!((DAY..=DAY + 10).contains(&gap), "{gap} s are not 24 h");
    }
    let reminded = times.len().saturating_sub(1);
    assert!(
        reminded == 0 || reminded >= DAYS as usize - 2,
        "{reminded} reminders in {DAYS} days"
    );
}
