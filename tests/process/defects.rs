//! Sixteen defects that were found in the five systems which the policies unify: one test each, which
//! fails where the defect is there. `cargo test defect_06` finds the sixth.
//!
//! | number | what the test is about | file |
//! |---|---|---|
//! | 01 02 04 08 14 | whose money, how much, how often | `money` |
//! | 03 09 10 | what is refused, and what must arrive | `refused` |
//! | 05 06 13 | stock, and answers that are refusals | `stock` |
//! | 07 15 16 | ids, and a log that cannot disagree | `identity` |
//! | 11 12 | failures that go on | `failures` |

mod failures;
mod identity;
mod money;
mod refused;
mod stock;

use orders_test_support::TestServer;

/// Movements of one order's money, of any kind.
const MOVEMENTS: &str = "SELECT count(*) FROM payment_entries e JOIN payments p USING (payment_id)
                         WHERE p.order_id = $1";
/// Times that one order's money was taken.
const CHARGES: &str = "SELECT count(*) FROM payment_entries e JOIN payments p USING (payment_id)
                       WHERE p.order_id = $1 AND e.kind IN ('CAPTURE', 'CHARGE', 'CONFIRM')";
/// Times that one order's money was given back.
const REFUNDS: &str = "SELECT count(*) FROM payment_entries e JOIN payments p USING (payment_id)
                       WHERE p.order_id = $1 AND e.kind = 'REFUND'";
/// What was taken from the customer, in minor units.
const CAPTURED: &str = "SELECT captured FROM payments WHERE order_id = $1";
/// What the customer has paid and not got back, in minor units.
const KEPT: &str = "SELECT captured - refunded FROM payments WHERE order_id = $1";

/// The row of an order and its log say the same: as many events as revisions, the last one's order
/// being the row's.
async fn assert_row_and_log_agree(server: &TestServer, order_id: &str) {
    let gap = "SELECT o.revision - count(*) + o.revision - max(e.revision)
               FROM orders o JOIN order_events e USING (order_id) WHERE o.order_id = $1
               GROUP BY o.order_id";
    assert_eq!(server.count(gap, order_id).await, 0, "{order_id}");
    let times = "SELECT o.update_time - max(e.time)
                 FROM orders o JOIN order_events e USING (order_id) WHERE o.order_id = $1
               GROUP BY o.order_id";
    assert_eq!(server.count(times, order_id).await, 0, "{order_id}");
}
