//! What only the store itself can show.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "tests")]

use super::{Store, StoreError, open::OpenError, overdue::Place, place::Placing};
use crate::domain::{
    event::Event,
    money::Money,
    order::LineItem,
    payment_method::{PaymentMethod, PaymentMethodType},
    place::{NewOrder, place},
    policy::book::PolicyBook,
};
use jiff::{SignedDuration, Timestamp};

fn placed(order_id: &str, now: Timestamp) -> Event {
    let new = NewOrder {
        order_id: order_id.to_owned(),
        customer_id: "customer".to_owned(),
        line_items: vec![LineItem {
            sku: "sku".to_owned(),
            name: String::new(),
            quantity: 1,
            unit_price: Money::new("USD", 100),
        }],
        shipping_address: Default::default(),
        payment_method: Some(PaymentMethod {
            kind: PaymentMethodType::CreditCard,
            token: "tok".to_owned(),
            last4: String::new(),
        }),
        payment_id: None,
        release_time: None,
    };
    let book = PolicyBook::presets().unwrap();
    place(new, book.get("standard").unwrap(), "me", order_id, now).unwrap()
}

async fn take_in(store: &Store, order_id: &str, now: Timestamp) {
    let placing = store
        .place(&placed(order_id, now), order_id, order_id)
        .await;
    assert!(matches!(placing.unwrap(), Placing::Placed(_)));
}

#[tokio::test]
async fn two_that_open_a_new_file_at_once_both_find_its_tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.db");
    let opened = futures::future::join_all((0..4).map(|_| Store::open(&path))).await;
    for store in opened {
        store.unwrap().ping().await.unwrap();
    }
}

#[tokio::test]
async fn a_database_of_a_newer_version_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("orders.db");
    let store = Store::open(&path).await.unwrap();
    sqlx::query(
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'of the future', 1, x'00', 0)",
    )
    .execute(&store.writer)
    .await
    .unwrap();
    store.close().await;
    let refused = Store::open(&path).await.unwrap_err();
    assert!(
        matches!(refused, OpenError::Newer { version: 9999, .. }),
        "{refused}"
    );
}

#[tokio::test]
async fn a_workflow_that_knows_more_than_the_database_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("orders.db")).await.unwrap();
    let now = Timestamp::now();
    take_in(&store, "order", now).await;
    let tx = store.lock_order("order", now).await.unwrap();
    let refused = tx.commit(2, None).await.unwrap_err();
    assert!(matches!(refused, StoreError::Corrupt(_)), "{refused}");
    let nobody = store.lock_order("nobody", now).await.err().unwrap();
    assert!(matches!(nobody, StoreError::NoOrder(_)), "{nobody}");
}

#[tokio::test]
async fn overdue_orders_are_found_page_by_page_and_a_broken_row_hides_none() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("orders.db")).await.unwrap();
    let now = Timestamp::now();
    for order_id in ["a", "b", "c", "d", "e"] {
        take_in(&store, order_id, now).await;
    }
    sqlx::query("UPDATE orders SET document = '{}' WHERE order_id = 'b'")
        .execute(&store.writer)
        .await
        .unwrap();
    let later = now + SignedDuration::from_secs(1);
    let mut place = Place::default();
    let mut found = Vec::new();
    loop {
        let page = store.overdue(later, &place, 2).await.unwrap();
        found.extend(
            page.orders
                .into_iter()
                .map(|overdue| overdue.order.order_id),
        );
        match page.next {
            Some(next) => place = next,
            None => break,
        }
    }
    assert_eq!(found, ["a", "c", "d", "e"]);
    let not_yet = store.overdue(now, &Place::default(), 10).await.unwrap();
    assert!(not_yet.orders.is_empty());
}

#[tokio::test]
async fn an_order_can_be_read_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("orders.db")).await.unwrap();
    let now = Timestamp::now();
    take_in(&store, "order", now).await;
    let mut tx = store.lock_order("order", now).await.unwrap();
    let screened = crate::domain::event::Change::Screened;
    tx.record(screened.clone(), Some("screen_order"))
        .await
        .unwrap();
    let events = tx.commit(1, Some("run")).await.unwrap();
    assert_eq!(events.len(), 1);
    let first = store.order_at("order", 1).await.unwrap().order;
    let second = store.order_at("order", 2).await.unwrap().order;
    assert!(!first.screened && second.screened);
    // The same step a second time is refused by the database itself.
    let mut tx = store.lock_order("order", now).await.unwrap();
    tx.record(screened, Some("screen_order")).await.unwrap_err();
    drop(tx);
    assert_eq!(store.order("order").await.unwrap().unwrap().order, second);
}
