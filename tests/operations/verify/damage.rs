//! Damage done to a store by hand: one for each check.

use super::Orders;
use orders_store::verify::Check;
use sqlx::{Connection, SqliteConnection, sqlite::SqliteConnectOptions};
use std::path::Path;

/// SQL that makes a check fire; `also` are those that must fire with it.
pub struct Damage {
    pub check: Check,
    pub also: &'static [Check],
    /// `{done}`, `{cancelled}`, `{held}`, `{outside}` and `{sku}` stand for ids, in quotes.
    pub sql: &'static str,
}

const fn damage(check: Check, sql: &'static str) -> Damage {
    let also = &[];
    Damage { check, also, sql }
}

const fn with(check: Check, also: &'static [Check], sql: &'static str) -> Damage {
    Damage { check, also, sql }
}

pub const TABLE: &[Damage] = &[
    damage(
        Check::Unreadable,
        "UPDATE orders SET document = '{}' WHERE order_id = {done}",
    ),
    with(
        Check::EventGap,
        &[Check::Fold],
        "DELETE FROM order_events WHERE order_id = {done} AND revision = 2",
    ),
    damage(
        Check::EventRow,
        "UPDATE order_events SET type = 'HELD' WHERE order_id = {done} AND revision = 2",
    ),
    damage(
        Check::StepTwice,
        "UPDATE order_events SET effect = NULL
         WHERE order_id = {done} AND effect = 'capture_payment'",
    ),
    with(
        Check::AfterClose,
        &[Check::Fold],
        r#"INSERT INTO order_events (order_id, revision, type, time, body)
           SELECT order_id, revision + 1, 'FULFILLMENT_STARTED', time, json_set(body,
               '$.revision', revision + 1, '$.change', json('{"type":"FULFILLMENT_STARTED"}'))
           FROM order_events WHERE order_id = {done} AND type = 'CLOSED'"#,
    ),
    damage(
        Check::Fold,
        "UPDATE orders SET document = json_set(document, '$.cancel_reason', 'x')
         WHERE order_id = {done}",
    ),
    damage(
        Check::OrderRow,
        "UPDATE orders SET due_time = 1 WHERE order_id = {held}",
    ),
    damage(
        Check::PaymentRow,
        "UPDATE payments SET currency = 'EUR' WHERE order_id = {done}",
    ),
    damage(
        Check::PaymentSums,
        "DELETE FROM payment_journal WHERE key = {done} || '/authorize_payment'",
    ),
    with(
        Check::PaymentOrder,
        &[Check::PaymentSums, Check::PaymentKnown],
        "UPDATE payments SET authorized = 1 WHERE order_id = {done}",
    ),
    damage(
        Check::PaidTwice,
        "INSERT INTO payment_journal
             (payment_id, entry, key, kind, phase, amount, transaction_id, actor, time)
         SELECT payment_id, 99, {done} || '/again', 'CAPTURE', 'SUCCEEDED', 0, 'x', 'x', 1
         FROM payments WHERE order_id = {done}",
    ),
    damage(
        Check::PaymentKnown,
        "UPDATE payments SET authorized = authorized + 1 WHERE order_id = {done};
         UPDATE payment_journal SET amount = amount + 1 WHERE key = {done} || '/authorize_payment'",
    ),
    damage(
        Check::PaymentOpen,
        "INSERT INTO payment_journal (payment_id, entry, key, kind, phase, amount, actor, time)
         SELECT payment_id, 99, {done} || '/again', 'REFUND', 'INTENT', 1, 'x', 1
         FROM payments WHERE order_id = {done}",
    ),
    damage(
        Check::PaymentToken,
        "INSERT INTO payment_tokens (payment_id, customer_id, token)
         SELECT payment_id, 'x', 'x' FROM payments WHERE order_id = {done}",
    ),
    with(
        Check::PaymentBalance,
        &[Check::PaymentKnown],
        "UPDATE payments SET refunded = 0 WHERE order_id = {cancelled};
         DELETE FROM payment_journal WHERE key = {cancelled} || '/refund_payment'",
    ),
    with(
        Check::PaymentVouched,
        &[Check::Fold],
        r#"UPDATE orders SET document = json_set(document, '$.vouched', json('[{
               "effect": "charge_payment", "outcome": "SUCCEEDED", "transaction_id": "t",
               "actor": "grace", "time": "2026-01-01T00:00:00Z", "state": "UNCONFIRMED"}]'))
           WHERE order_id = {done}"#,
    ),
    with(
        Check::RefundByHand,
        &[Check::Fold],
        r#"UPDATE orders SET document = json_set(document, '$.vouched', json('[{
               "effect": "refund_payment", "outcome": "SUCCEEDED", "transaction_id": "t",
               "actor": "grace", "time": "2026-01-01T00:00:00Z", "state": "BY_HAND"}]'))
           WHERE order_id = {cancelled}"#,
    ),
    damage(
        Check::PaymentTaken,
        "UPDATE payment_journal SET transaction_id = (SELECT transaction_id FROM payment_journal
             WHERE key = {done} || '/capture_payment' AND phase = 'SUCCEEDED')
         WHERE key = {cancelled} || '/charge_payment' AND phase = 'SUCCEEDED'",
    ),
    damage(
        Check::PaymentDisputed,
        "UPDATE payment_journal SET transaction_id = (SELECT transaction_id FROM payment_receipts
             WHERE order_id = {outside})
         WHERE key = {cancelled} || '/charge_payment' AND phase = 'SUCCEEDED'",
    ),
    damage(
        Check::PaymentReceipts,
        "UPDATE payment_receipts SET currency = 'EUR' WHERE order_id = {outside}",
    ),
    with(
        Check::PaymentSurplus,
        &[Check::Fold, Check::PaymentReceipts],
        "UPDATE orders SET document = json_set(document, '$.payment.received.surplus', 5)
         WHERE order_id = {outside}",
    ),
    damage(
        Check::ReservationKnown,
        "UPDATE reservations SET quantity = quantity + 1 WHERE order_id = {cancelled}",
    ),
    with(
        Check::ReservationLeft,
        &[Check::ReservationKnown, Check::StockReserved],
        "UPDATE reservations SET state = 'RESERVED' WHERE order_id = {cancelled}",
    ),
    damage(
        Check::ShipmentKnown,
        "UPDATE shipments SET state = 'CANCELLED' WHERE order_id = {done}",
    ),
    damage(
        Check::MessageMissing,
        "DELETE FROM notifications WHERE order_id = {done} AND milestone = 'shipped'",
    ),
    damage(
        Check::MessageExtra,
        "INSERT INTO notifications (order_id, milestone, recipient, time)
         VALUES ({done}, 'refunded', 'x', 1)",
    ),
    damage(
        Check::MessageFailed,
        "UPDATE notifications SET state = 'FAILED'
         WHERE order_id = {done} AND milestone = 'shipped'",
    ),
    damage(
        Check::RequestMissing,
        "DELETE FROM requests WHERE resource = {done}",
    ),
    damage(
        Check::RequestTarget,
        "INSERT INTO requests VALUES ('x', 'nobody', 'f', 1, 1)",
    ),
    damage(
        Check::StockBooks,
        "UPDATE stock SET on_hand = on_hand + 1 WHERE sku = {sku}",
    ),
    damage(
        Check::StockAdjusted,
        "UPDATE stock SET adjusted = adjusted + 1, on_hand = on_hand + 1 WHERE sku = {sku}",
    ),
    damage(
        Check::StockReserved,
        "UPDATE stock SET reserved = reserved + 1 WHERE sku = {sku}",
    ),
    damage(
        Check::StockShipped,
        "UPDATE stock SET shipped = shipped + 1, on_hand = on_hand - 1 WHERE sku = {sku}",
    ),
    damage(
        Check::StockSupplied,
        "UPDATE stock SET supplied = supplied + 1, on_hand = on_hand + 1 WHERE sku = {sku}",
    ),
    damage(
        Check::SupplierTwice,
        "DROP INDEX supplier_orders_open;
         INSERT INTO supplier_orders (supplier_order_id, sku, quantity, state, cause, open_time)
         VALUES ('a', {sku}, 1, 'OPEN', 'x', 1), ('b', {sku}, 1, 'OPEN', 'y', 1)",
    ),
    damage(
        Check::SupplierLate,
        "INSERT INTO supplier_orders
             (supplier_order_id, sku, quantity, state, cause, open_time, due_time)
         VALUES ('a', {sku}, 1, 'OPEN', 'x', 1, 1)",
    ),
    damage(
        Check::Stray,
        "INSERT INTO shipments VALUES ('s', 'nobody', 'c', 't', 'REQUESTED', '{}', 1)",
    ),
];

/// Does it, with the database's own guards switched off.
pub async fn apply(file: &Path, sql: &str, orders: &Orders) {
    let options = SqliteConnectOptions::new()
        .filename(file)
        .foreign_keys(false)
        .pragma("ignore_check_constraints", "ON");
    let mut sql = sql.to_owned();
    let ids = [
        ("{done}", &orders.done),
        ("{cancelled}", &orders.cancelled),
        ("{held}", &orders.held),
        ("{outside}", &orders.outside),
        ("{sku}", &orders.sku),
    ];
    for (name, id) in ids {
        sql = sql.replace(name, &format!("'{id}'"));
    }
    let mut connection = SqliteConnection::connect_with(&options).await.unwrap();
    // The SQL is this file's own.
    let done = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).execute(&mut connection);
    assert!(
        done.await.unwrap().rows_affected() > 0,
        "nothing was damaged"
    );
    connection.close().await.unwrap();
}
