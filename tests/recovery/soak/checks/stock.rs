//! I3: the stock.

use super::super::{
    books::{Books, Entry},
    plan::STOCK,
};
use orders_domain::state::OrderState;
use std::collections::BTreeMap;

/// I3: nothing is held for a closed order, and a completed one that reserves has shipped all of it.
pub fn i3_nothing_is_held(entry: &Entry, name: &str) {
    let order = &entry.order;
    assert!(order.state.is_closed(), "{name}: {}", order.state);
    let mut expected: BTreeMap<&str, i64> = BTreeMap::new();
    if order.policy.reserves() {
        for item in &order.line_items {
            *expected.entry(&item.sku).or_default() += item.quantity;
        }
    }
    let completed = order.state == OrderState::Completed;
    let state = if completed { "COMMITTED" } else { "RELEASED" };
    let mut kept: BTreeMap<&str, i64> = BTreeMap::new();
    for (sku, pieces, of) in &entry.reservations {
        assert_eq!(of, state, "{name}: I3: {sku}");
        kept.insert(sku, *pieces);
    }
    // An order that ended before it reserved has none.
    if completed || !kept.is_empty() {
        assert_eq!(kept, expected, "{name}: I3");
    }
}

/// I3: on hand + shipped - supplied - adjusted is 0 for every sku, nothing is reserved, and what left
/// is what the completed orders took.
pub async fn i3_the_books_balance(books: &Books, entries: &BTreeMap<String, Entry>) {
    let unbalanced =
        "SELECT count(*) FROM stock WHERE on_hand + shipped - supplied - adjusted <> 0";
    assert_eq!(books.number(unbalanced).await, 0, "I3");
    assert_eq!(
        books.number("SELECT sum(reserved) FROM stock").await,
        0,
        "I3"
    );
    let short = "SELECT count(*) FROM stock WHERE on_hand < 0 OR reserved > on_hand";
    assert_eq!(books.number(short).await, 0, "I3");
    let mut taken: BTreeMap<&str, i64> = BTreeMap::new();
    let reserving = entries
        .values()
        .filter(|entry| entry.order.policy.reserves());
    let completed = reserving.filter(|entry| entry.order.state == OrderState::Completed);
    for item in completed.flat_map(|entry| &entry.order.line_items) {
        *taken.entry(&item.sku).or_default() += item.quantity;
    }
    for (sku, adjusted, supplied, shipped) in books.stock().await {
        let taken = taken.get(sku.as_str()).copied().unwrap_or_default();
        assert_eq!(shipped, taken, "I3: {sku} shipped");
        let initial = STOCK.iter().find(|(name, _)| *name == sku);
        assert_eq!(
            initial.map(|(_, pieces)| *pieces),
            Some(adjusted),
            "I3: {sku}"
        );
        assert_eq!(supplied, 0, "I3: {sku}: nobody supplies it");
    }
}
