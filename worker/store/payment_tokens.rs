//! Payment tokens: kept from the placing until no authorization or charge can be due any more.
//!
//! A token is worth money, so it has a table of its own. No order, event, message or workflow holds
//! one; the payment activity reads it at the time of the call.

use super::{Store, StoreError, batch::Batch, order_tx::OrderTx, statement::values};
use orders_domain::{order::Order, payment_method::PaymentToken};
use sqlx::Pool;

/// The payment token of a new order.
#[derive(Clone, Copy, Debug)]
pub struct NewToken<'a> {
    /// The token.
    pub token: &'a PaymentToken,
    /// Whether it belongs to the order's customer from now on. A test token belongs to everybody.
    pub is_bound: bool,
}

/// A token as it is written with its order.
pub(super) struct Kept<'a> {
    token: &'a str,
    /// What its owner is known by; none for a token that belongs to everybody.
    hash: Option<String>,
}

impl Store {
    /// The token as it is to be written; none where the order never asks for one.
    pub(super) fn kept<'a>(&self, order: &Order, new: Option<NewToken<'a>>) -> Option<Kept<'a>> {
        let new = new.filter(|_| order.needs_payment_token())?;
        Some(Kept {
            token: new.token.expose(),
            hash: new.is_bound.then(|| new.token.hashed(&self.token_salt)),
        })
    }
}

impl Kept<'_> {
    /// Adds the statement that makes the token the customer's. It changes no row if the token is
    /// another customer's.
    pub(super) fn take_owner(&self, batch: &mut Batch, order: &Order) {
        let Some(hash) = &self.hash else { return };
        // A repeated token of the same customer is updated to what it is already: that counts as a
        // row, so it differs from the token of another customer.
        batch.add(
            "INSERT INTO payment_token_owners (token_hash, customer_id) VALUES ($1, $2)
             ON CONFLICT (token_hash) DO UPDATE SET customer_id = excluded.customer_id
             WHERE payment_token_owners.customer_id = excluded.customer_id",
            values![hash, &order.customer_id],
        );
    }

    /// Whether the token belongs to one customer.
    pub(super) fn is_bound(&self) -> bool {
        self.hash.is_some()
    }

    /// Adds the statement that keeps the token. Its payment is written before it.
    pub(super) fn insert(&self, batch: &mut Batch, order: &Order) {
        batch.add(
            "INSERT INTO payment_tokens (payment_id, customer_id, token) VALUES ($1, $2, $3)",
            values![&order.payment.payment_id, &order.customer_id, self.token],
        );
    }
}

/// Adds the statement that deletes the token of an order that will never ask for it again.
pub(super) fn forget(batch: &mut Batch, payment_id: &str) {
    batch.add(
        "DELETE FROM payment_tokens WHERE payment_id = $1",
        values![payment_id],
    );
}

/// The salt of a database, made with its tables.
pub(super) async fn salt(readers: &Pool<super::Db>) -> Result<String, sqlx::Error> {
    sqlx::query_scalar("SELECT salt FROM payment_token_salt")
        .fetch_one(readers)
        .await
}

impl OrderTx {
    /// The order's payment token, for the payment activity; none when it is not kept (any more).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn payment_token(&mut self) -> Result<Option<PaymentToken>, StoreError> {
        let (order, db) = self.parts();
        let token: Option<String> =
            sqlx::query_scalar("SELECT token FROM payment_tokens WHERE payment_id = $1")
                .bind(&order.payment.payment_id)
                .fetch_optional(db)
                .await?;
        Ok(token.as_deref().and_then(PaymentToken::new))
    }
}

#[cfg(test)]
pub(super) mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;
    use crate::{
        place::Placing,
        samples::{open, placed},
    };
    use jiff::Timestamp;
    use orders_domain::event::{Change, Event};

    fn order_of(order_id: &str, customer_id: &str) -> Event {
        let mut event = placed(order_id, Timestamp::now());
        if let Change::Placed { order } = &mut event.change {
            order.customer_id = customer_id.to_owned();
        }
        event
    }

    async fn place(store: &Store, event: &Event, token: &str, is_bound: bool) -> Placing {
        let order_id = Order::from_placed(event).unwrap().order_id;
        let token = PaymentToken::new(token).unwrap();
        let token = NewToken {
            token: &token,
            is_bound,
        };
        let placing = store.place(event, &order_id, &order_id, Some(token));
        placing.await.unwrap()
    }

    async fn kept(store: &Store) -> Vec<String> {
        sqlx::query_scalar("SELECT token FROM payment_tokens ORDER BY token")
            .fetch_all(&store.readers)
            .await
            .unwrap()
    }

    /// Runs on either database.
    pub(crate) async fn belongs_to_its_customer_and_is_forgotten(store: &Store) {
        let ada = order_of("one", "ada");
        assert!(matches!(
            place(store, &ada, "pm-1", true).await,
            Placing::Placed(_)
        ));
        // The same request again, and the same customer again.
        assert!(matches!(
            place(store, &ada, "pm-1", true).await,
            Placing::Replayed(_)
        ));
        let again = place(store, &order_of("two", "ada"), "pm-1", true).await;
        assert!(matches!(again, Placing::Placed(_)));
        // Nothing is left of an order that was refused for its token.
        let thief = order_of("three", "mallory");
        let refused = place(store, &thief, "pm-1", true).await;
        assert!(matches!(refused, Placing::TokenOfAnother), "{refused:?}");
        assert!(store.order("three").await.unwrap().is_none());
        assert!(store.request("three").await.unwrap().is_none());
        assert!(matches!(
            place(store, &thief, "pm-2", true).await,
            Placing::Placed(_)
        ));
        // A test token belongs to everybody.
        for (order_id, customer) in [("four", "ada"), ("five", "mallory")] {
            let event = order_of(order_id, customer);
            let shared = place(store, &event, "tok-1", false).await;
            assert!(matches!(shared, Placing::Placed(_)));
        }
        assert_eq!(
            kept(store).await,
            ["pm-1", "pm-1", "pm-2", "tok-1", "tok-1"]
        );
        let hashes: Vec<String> = sqlx::query_scalar("SELECT token_hash FROM payment_token_owners")
            .fetch_all(&store.readers)
            .await
            .unwrap();
        assert_eq!(hashes.len(), 2);
        assert!(hashes.iter().all(|hash| hash.len() == 64));

        // It is there for the payment activity, and gone with the end of the order's way forward.
        let mut tx = store.lock_order("one", Timestamp::now()).await.unwrap();
        let token = tx.payment_token().await.unwrap();
        assert_eq!(token, PaymentToken::new("pm-1"));
        let reason = "changed my mind".to_owned();
        tx.record(Change::CancelRequested { reason });
        tx.commit(1, None).await.unwrap();
        assert_eq!(kept(store).await, ["pm-1", "pm-2", "tok-1", "tok-1"]);
        let mut tx = store.lock_order("one", Timestamp::now()).await.unwrap();
        assert_eq!(tx.payment_token().await.unwrap(), None);
        drop(tx);
        // Whose it was is still known.
        let refused = place(store, &order_of("six", "mallory"), "pm-1", true).await;
        assert!(matches!(refused, Placing::TokenOfAnother), "{refused:?}");
    }

    #[tokio::test]
    async fn a_token_belongs_to_its_customer_and_is_forgotten_in_time() {
        let folder = tempfile::tempdir().unwrap();
        let store = open(&folder.path().join("orders.db")).await;
        belongs_to_its_customer_and_is_forgotten(&store).await;
    }
}
