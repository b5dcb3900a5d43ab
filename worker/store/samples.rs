//! Orders for tests.

#![allow(clippy::unwrap_used, reason = "tests")]

use super::{
    Store,
    database::Database,
    migrate::Migrations,
    payment_tokens::NewToken,
    place::Placing,
    stock::StockItem,
    stock_command::{StockCommand, StockOutcome, StockRequest},
};
use jiff::Timestamp;
use orders_domain::{
    effect::Effect,
    event::{Change, Event},
    money::Money,
    order::LineItem,
    payment_method::{PaymentMethod, PaymentMethodType, PaymentToken},
    place::{NewOrder, place},
    policy::book::PolicyBook,
    step::Step,
};
use orders_test_support::postgres;
use sqlx::Row;
use std::path::Path;

/// An order of the policy `standard`.
pub fn placed(order_id: &str, now: Timestamp) -> Event {
    placed_by("standard", order_id, now)
}

/// An order of that policy.
pub fn placed_by(policy: &str, order_id: &str, now: Timestamp) -> Event {
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
            last4: String::new(),
        }),
        payment_token: None,
        payment_id: None,
        release_time: None,
    };
    let book = PolicyBook::presets().unwrap();
    place(new, book.get(policy).unwrap(), "me", order_id, now).unwrap()
}

/// A store at `path`, or in the PostgreSQL database that stands for it when the environment says so.
pub async fn open(path: &Path) -> Store {
    match postgres::chosen() {
        true => open_postgres(path).await,
        false => Store::open(path).await.unwrap(),
    }
}

/// A store in the PostgreSQL database that belongs to `path`.
pub async fn open_postgres(path: &Path) -> Store {
    let database = Database::server(&postgres::Postgres::shared().database(path), 8).unwrap();
    Store::connect(&database, Migrations::Apply).await.unwrap()
}

/// Places an order.
pub async fn take_in(store: &Store, order_id: &str, now: Timestamp) {
    take_in_placed(store, &placed(order_id, now), order_id).await;
}

/// Places the order of that event.
pub async fn take_in_placed(store: &Store, placed: &Event, order_id: &str) {
    let token = PaymentToken::new("tok-1").unwrap();
    let token = NewToken {
        token: &token,
        is_bound: false,
    };
    let placing = store.place(placed, order_id, order_id, Some(token)).await;
    assert!(matches!(placing.unwrap(), Placing::Placed(_)));
}

impl Store {
    /// The state, attempts and last error of a message.
    pub async fn message_state(
        &self,
        order_id: &str,
        milestone: &str,
    ) -> (String, i64, Option<String>) {
        let row = sqlx::query(
            "SELECT state, attempts, last_error FROM notifications
             WHERE order_id = $1 AND milestone = $2",
        )
        .bind(order_id)
        .bind(milestone)
        .fetch_one(&self.readers)
        .await
        .unwrap();
        (row.get("state"), row.get("attempts"), row.get("last_error"))
    }
}

/// A request that sets how many pieces of a SKU there are.
pub fn set_stock(sku: &str, on_hand: i64, request_id: &str) -> StockRequest {
    StockRequest {
        request_id: request_id.to_owned(),
        actor: "me".to_owned(),
        expected_revision: None,
        sku: sku.to_owned(),
        command: StockCommand::Set {
            on_hand: Some(on_hand),
            reorder_point: None,
            reorder_level: None,
        },
    }
}

/// Puts pieces of a SKU on the shelf.
pub async fn stock(store: &Store, sku: &str, on_hand: i64) -> StockItem {
    let asked = set_stock(sku, on_hand, &format!("stock/{sku}/{on_hand}"));
    match store.change_stock(&asked, Timestamp::now()).await.unwrap() {
        StockOutcome::Done { item, .. } => item,
        StockOutcome::Refused(refusal) => panic!("{refusal:?}"),
    }
}

/// The fraud check let an order pass.
pub fn screened() -> Change {
    Change::Screened {
        effect: Effect::first(Step::Screen),
    }
}
