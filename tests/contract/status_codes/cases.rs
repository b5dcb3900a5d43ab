//! The requests, each with what it is to be answered.

use super::{
    check::Case,
    stage::{COMMANDS, MAX_UNSTARTED, Stage},
    table::table,
};
use orders_server::error::Reason;
use orders_test_support::{Placing, unique};
use serde_json::{Value, json};

/// The reads, and what changes stock: what takes no command.
const OTHERS: [&str; 10] = [
    "GetOrder",
    "ListOrders",
    "ListOrderEvents",
    "GetStockItem",
    "ListStockItems",
    "SetStockItem",
    "AdjustStock",
    "ListSupplierOrders",
    "ListOrdersNeedingAttention",
    "ExplainOrder",
];

/// What only operators may ask. They name no revision.
const OF_OPERATORS: [&str; 2] = ["RetryOrder", "ResolvePayment"];

/// A good request of a command, to that order.
fn command(rpc: &str, order_id: &str) -> Value {
    let head = json!({"order_id": order_id, "request_id": unique("request")});
    let body = match rpc {
        "ConfirmPayment" => json!({
            "transaction_id": format!("TXN-{order_id}"),
            "amount": {"currency_code": "USD", "units": 19, "nanos": 990_000_000},
        }),
        "ReviewOrder" => json!({
            "decision": "REVIEW_DECISION_APPROVE",
            "reviewer": "admin@example.com",
        }),
        "UpdateShippingAddress" => json!({"shipping_address": address()}),
        "SignalOrder" => json!({"start_fulfillment": {}}),
        "RetryOrder" => json!({"reason": "it is back"}),
        "ResolvePayment" => json!({
            "actor": "grace",
            "step": "STEP_CHARGE_PAYMENT",
            "outcome": "PAYMENT_OUTCOME_SUCCEEDED",
            "transaction_id": format!("txn-{order_id}-charge_payment"),
            "evidence": "statement 7",
            "reason": "asked the bank",
        }),
        _ => json!({}),
    };
    with(head, body)
}

fn address() -> Value {
    json!({"line1": "2 New St", "city": "Boston", "postal_code": "02101", "country_code": "US"})
}

/// A good PlaceOrder.
fn placing(sku: &str) -> Value {
    let order = Placing::new("standard", sku).0;
    json!({
        "request_id": order.request_id,
        "order_id": order.order_id,
        "customer_id": "customer-1",
        "policy": "standard",
        "line_items": [{
            "sku": sku,
            "quantity": 1,
            "unit_price": {"currency_code": "USD", "units": 19, "nanos": 990_000_000},
        }],
        "shipping_address": address(),
        "payment_method": {"token": "tok-good"},
    })
}

/// A good request of what is no command.
fn other(stage: &Stage, rpc: &str) -> Value {
    match rpc {
        "GetOrder" | "ListOrderEvents" | "ExplainOrder" => json!({"order_id": stage.closed}),
        "GetStockItem" => json!({"sku": stage.sku}),
        "SetStockItem" => json!({
            "request_id": unique("request"),
            "stock_item": {"sku": stage.free_sku, "on_hand": 7},
        }),
        "AdjustStock" => json!({
            "request_id": unique("request"),
            "sku": stage.free_sku,
            "delta": 1,
            "reason": "goods received",
        }),
        _ => json!({}),
    }
}

/// The one with the fields of the other.
fn with(mut request: Value, fields: Value) -> Value {
    let (Value::Object(all), Value::Object(more)) = (&mut request, fields) else {
        panic!("a message is an object");
    };
    all.extend(more);
    request
}

/// What is refused while everything works.
pub fn refused(stage: &Stage) -> Vec<Case> {
    let used = json!({"request_id": stage.used_request_id});
    let mut cases = Vec::new();
    for rpc in COMMANDS {
        let good = || command(rpc, &stage.waiting[rpc]);
        let mut case =
            |fields, reason| cases.push(Case::refused(rpc, with(good(), fields), reason));
        case(json!({"request_id": ""}), Reason::InvalidRequest);
        case(json!({"order_id": "no-such-order"}), Reason::OrderNotFound);
        case(used.clone(), Reason::RequestIdReused);
        let closed = json!({"order_id": stage.closed});
        if rpc == "SignalOrder" {
            case(closed, Reason::OrderClosed);
        } else {
            // Money is a fact also for a closed order.
            if rpc != "ConfirmPayment" {
                case(closed, Reason::CommandNotAllowed);
            }
        }
        if !OF_OPERATORS.contains(&rpc) {
            case(json!({"expected_revision": 1}), Reason::RevisionMismatch);
        }
    }
    let place = |fields| with(placing(&stage.sku), fields);
    let nobody = json!({"order_id": "no-such-order"});
    let negative = json!({"page_size": -1});
    let rows = [
        (
            "PlaceOrder",
            place(json!({"customer_id": ""})),
            Reason::InvalidRequest,
        ),
        ("PlaceOrder", place(used.clone()), Reason::RequestIdReused),
        (
            "PlaceOrder",
            place(json!({"order_id": stage.closed})),
            Reason::OrderIdExists,
        ),
        (
            "PlaceOrder",
            place(json!({"payment_id": stage.used_payment_id})),
            Reason::PaymentIdExists,
        ),
        (
            "PlaceOrder",
            place(json!({
                "customer_id": "customer-2",
                "payment_method": {"token": stage.used_token},
            })),
            Reason::PaymentTokenOfAnotherCustomer,
        ),
        ("GetOrder", json!({}), Reason::InvalidRequest),
        ("GetOrder", nobody.clone(), Reason::OrderNotFound),
        ("ListOrders", negative.clone(), Reason::InvalidRequest),
        ("ListOrderEvents", json!({}), Reason::InvalidRequest),
        ("ListOrderEvents", nobody, Reason::OrderNotFound),
        ("GetStockItem", json!({}), Reason::InvalidRequest),
        (
            "GetStockItem",
            json!({"sku": "no-such-sku"}),
            Reason::StockItemNotFound,
        ),
        ("ListStockItems", negative.clone(), Reason::InvalidRequest),
        (
            "SetStockItem",
            with(other(stage, "SetStockItem"), json!({"request_id": ""})),
            Reason::InvalidRequest,
        ),
        (
            "SetStockItem",
            with(other(stage, "SetStockItem"), used.clone()),
            Reason::RequestIdReused,
        ),
        (
            "SetStockItem",
            with(
                other(stage, "SetStockItem"),
                json!({"stock_item": {"sku": stage.sku, "on_hand": 0}}),
            ),
            Reason::StockReserved,
        ),
        (
            "SetStockItem",
            with(
                other(stage, "SetStockItem"),
                // Above the reorder level that is kept.
                json!({"stock_item": {"sku": stage.free_sku, "reorder_point": 100}}),
            ),
            Reason::StockOutOfRange,
        ),
        (
            "SetStockItem",
            with(
                other(stage, "SetStockItem"),
                json!({"expected_revision": 1_000_000}),
            ),
            Reason::RevisionMismatch,
        ),
        (
            "AdjustStock",
            with(other(stage, "AdjustStock"), json!({"delta": 0})),
            Reason::InvalidRequest,
        ),
        (
            "AdjustStock",
            with(other(stage, "AdjustStock"), json!({"sku": "no-such-sku"})),
            Reason::StockItemNotFound,
        ),
        (
            "AdjustStock",
            with(other(stage, "AdjustStock"), used),
            Reason::RequestIdReused,
        ),
        (
            "AdjustStock",
            with(
                other(stage, "AdjustStock"),
                json!({"sku": stage.sku, "delta": -1_000_000}),
            ),
            Reason::StockReserved,
        ),
        (
            "AdjustStock",
            with(other(stage, "AdjustStock"), json!({"delta": 1_000_000_000})),
            Reason::StockOutOfRange,
        ),
        (
            "AdjustStock",
            with(
                other(stage, "AdjustStock"),
                json!({"expected_revision": 1_000_000}),
            ),
            Reason::RevisionMismatch,
        ),
        (
            "ListSupplierOrders",
            negative.clone(),
            Reason::InvalidRequest,
        ),
        (
            "ListOrdersNeedingAttention",
            negative,
            Reason::InvalidRequest,
        ),
        ("ExplainOrder", json!({}), Reason::InvalidRequest),
        (
            "ExplainOrder",
            json!({"order_id": "no-such-order"}),
            Reason::OrderNotFound,
        ),
        (
            "SignalOrder",
            json!({
                "order_id": stage.waiting["SignalOrder"],
                "request_id": unique("request"),
                "confirm_delivery": {},
            }),
            Reason::CommandNotAllowed,
        ),
        (
            "ResolvePayment",
            with(
                command("ResolvePayment", &stage.waiting["ResolvePayment"]),
                json!({"step": "STEP_REFUND_PAYMENT"}),
            ),
            Reason::PaymentOutcomeKnown,
        ),
    ];
    cases.extend(rows.map(|(rpc, request, reason)| Case::refused(rpc, request, reason)));
    cases
}

/// What is done.
pub fn done(stage: &Stage) -> Vec<Case> {
    let mut cases: Vec<Case> = COMMANDS
        .map(|rpc| Case::done(rpc, command(rpc, &stage.ready[rpc])))
        .into();
    cases.extend(OTHERS.map(|rpc| Case::done(rpc, other(stage, rpc))));
    cases.push(Case::done("PlaceOrder", placing(&stage.sku)));
    cases.push(Case::done("ListPolicies", json!({})));
    cases
}

/// What is refused and leaves an event, once the orders of `done` are paid.
pub fn refused_and_recorded(stage: &Stage) -> Vec<Case> {
    let rpc = "ConfirmPayment";
    let paid = || command(rpc, &stage.ready[rpc]);
    let amount =
        |code: &str, units: i64| json!({"amount": {"currency_code": code, "units": units}});
    let other_order = json!({"order_id": stage.ready["StartFulfillment"]});
    let new = json!({"transaction_id": unique("TXN")});
    vec![
        Case::refused(
            rpc,
            with(paid(), amount("USD", 5)),
            Reason::TransactionIdExists,
        ),
        Case::refused(rpc, with(paid(), other_order), Reason::TransactionIdExists),
        Case::refused(
            rpc,
            with(with(paid(), new), amount("EUR", 5)),
            Reason::CurrencyMismatch,
        ),
    ]
}

/// Without a worker: one command more than Temporal keeps waiting for one order.
pub fn too_many(stage: &Stage) -> Vec<Case> {
    const KEPT: usize = 10;
    let commands = COMMANDS.iter().filter(|rpc| **rpc != "SignalOrder");
    let cases = commands.map(|rpc| {
        let request = || command(rpc, &stage.waiting[rpc]);
        let same = (0..=KEPT).map(|_| request()).collect();
        Case::one_of(rpc, same, Reason::TooManyCommands, Reason::DeadlineExceeded).timeout("5S")
    });
    cases.collect()
}

/// Everything that asks the database.
fn asking(stage: &Stage) -> Vec<(&'static str, Value)> {
    let commands = COMMANDS.map(|rpc| (rpc, command(rpc, &stage.waiting[rpc])));
    let others = OTHERS.map(|rpc| (rpc, other(stage, rpc)));
    let more = [
        ("PlaceOrder", placing(&stage.sku)),
        ("WatchOrder", json!({"order_id": stage.closed})),
        ("WatchOrders", json!({})),
    ];
    let all = commands.into_iter().chain(others).chain(more);
    let all: Vec<_> = all.collect();
    // But for ListPolicies.
    assert_eq!(all.len(), table().len() - 1);
    all
}

/// With the database locked, and little time.
pub fn late(stage: &Stage) -> Vec<Case> {
    let late = |(rpc, request)| Case::refused(rpc, request, Reason::DeadlineExceeded).timeout("1S");
    asking(stage).into_iter().map(late).collect()
}

/// With the database locked, and all connections to it waiting.
pub fn without_database(stage: &Stage) -> Vec<Case> {
    let away = |(rpc, request)| Case::refused(rpc, request, Reason::DatabaseUnavailable);
    asking(stage).into_iter().map(away).collect()
}

/// As many orders as may wait for Temporal, one more, and what else asks Temporal.
pub fn without_temporal(stage: &Stage) -> (Vec<Value>, Case, Vec<Case>) {
    let reason = Reason::TemporalUnavailable;
    let mut others: Vec<Case> = COMMANDS
        .map(|rpc| Case::refused(rpc, command(rpc, &stage.waiting[rpc]), reason))
        .into();
    let order_id = &stage.waiting["SignalOrder"];
    let strong = json!({"order_id": order_id, "consistency": "CONSISTENCY_STRONG"});
    others.push(Case::refused("GetOrder", strong, reason));
    let waiting = (0..MAX_UNSTARTED).map(|_| placing(&stage.sku)).collect();
    (
        waiting,
        Case::refused("PlaceOrder", placing(&stage.sku), reason),
        others,
    )
}
