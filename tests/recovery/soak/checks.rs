//! The invariants of orders, over everything that a run left behind: in the database, which is the truth, and
//! in what the API says. They are worked out apart from the server's own rules.

mod log;
mod money;
mod receipts;
mod requests;
mod stock;

use super::{
    books::{Books, Entry},
    play::Played,
};
use orders_domain::order::Order;
use std::collections::BTreeMap;

/// I1 to I8 (I9 is the supplier's, I10 is looked at by reading).
pub async fn all(books: &Books, played: &[Played]) {
    let entries = books.entries().await;
    assert_eq!(entries.len(), played.len(), "orders that nobody placed");
    for played in played {
        one(&entries[&played.plan.placing.order_id], played);
    }
    stock::i3_the_books_balance(books, &entries).await;
}

/// The same for one order alone.
pub fn one(entry: &Entry, played: &Played) {
    let name = format!(
        "{} ({})",
        played.plan.placing.order_id, played.plan.policy.name
    );
    log::the_order_is_the_fold_of_its_log(entry, &name);
    money::i1_what_is_kept_is_the_total_or_nothing(entry, played, &name);
    money::i2_captured_once(entry, &name);
    log::i4_dispatched_only_when_paid_and_approved(entry, &played.plan, &name);
    requests::i5_each_answer_shows(entry, &played.asked, &name);
    receipts::i5_money_from_outside_is_received_once(entry, &played.asked, &name);
    log::i6_each_deadline_once(entry, &name);
    log::i7_undone_in_reverse(entry, &name);
    stock::i3_nothing_is_held(entry, &name);
}

/// I3 over all orders.
pub async fn balance(books: &Books, entries: &BTreeMap<String, Entry>) {
    stock::i3_the_books_balance(books, entries).await;
}

/// How an order closed, in words.
pub fn reason(order: &Order) -> &'static str {
    order.close_reason().expect("a closed order").as_str()
}
