//! Taking an order in: row, request and first event in one transaction.

use super::{
    Connection, Store, StoreError,
    append::{Appended, insert_events},
    micros, outbox,
    read::{StoredOrder, StoredRequest, load, remember_new_request, request},
};
use crate::domain::{event::Event, message::Message, order::Order};
use sqlx::Row;

/// What became of a placing.
#[derive(Debug)]
pub enum Placing {
    /// The order is new.
    Placed(StoredOrder),
    /// The same was placed before: this is the order as it is now.
    Replayed(StoredOrder),
    /// The request id was used for something else.
    RequestReused,
    /// The order id belongs to an order with another content.
    OrderExists,
    /// The payment id belongs to another order.
    PaymentExists,
}

impl Store {
    /// Whether the same was placed before, by that request id or order id (may be empty), with
    /// that fingerprint: then it is the same order, whatever has become of the policies and of the
    /// time since.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn placed_before(
        &self,
        request_id: &str,
        order_id: &str,
        fingerprint: &str,
    ) -> Result<Option<StoredOrder>, StoreError> {
        // Nobody has looked at these yet. No text in the database holds a NUL, and PostgreSQL does not
        // even take one as a question.
        if [request_id, order_id].iter().any(|id| id.contains('\0')) {
            return Ok(None);
        }
        let mut reader = self.readers.acquire().await?;
        if let Some(before) = request(&mut reader, request_id).await? {
            return match before.fingerprint == fingerprint {
                true => load(&mut reader, &before.resource).await,
                false => Ok(None),
            };
        }
        match fingerprint_of(&mut reader, order_id).await? {
            Some(before) if before == fingerprint => load(&mut reader, order_id).await,
            _ => Ok(None),
        }
    }

    /// Takes an order in. `fingerprint` stands for what was asked: the same request id or order
    /// id with the same fingerprint gives the same order.
    ///
    /// # Errors
    /// When the database cannot be used; the same call again is safe.
    pub async fn place(
        &self,
        placed: &Event,
        request_id: &str,
        fingerprint: &str,
    ) -> Result<Placing, StoreError> {
        let order = Order::from_placed(placed)
            .ok_or_else(|| StoreError::Corrupt("an order is placed by PLACED".to_owned()))?;
        let mut tx = self.write().await?;
        let now = micros(order.place_time);
        let asked = StoredRequest {
            resource: order.order_id.clone(),
            fingerprint: fingerprint.to_owned(),
            revision: 1,
        };
        // Written first, and looked at only where it is not new: mostly it is. Where several write at
        // once, who is not first waits here for the one who is, and finds what that one has committed;
        // always in this sequence, so that no two wait for each other.
        if !remember_new_request(&mut tx, request_id, &asked, now).await? {
            let before = request(&mut tx, request_id).await?;
            let before = before.ok_or_else(|| StoreError::Corrupt("a request vanished".into()))?;
            return match load(&mut tx, &before.resource).await? {
                Some(stored) if before.fingerprint == fingerprint => Ok(Placing::Replayed(stored)),
                _ => Ok(Placing::RequestReused),
            };
        }
        if !insert_order(&mut tx, &order, fingerprint).await? {
            let before = fingerprint_of(&mut tx, &order.order_id).await?;
            if before.as_deref() != Some(fingerprint) {
                return Ok(Placing::OrderExists);
            }
            let stored = load(&mut tx, &order.order_id).await?;
            tx.commit().await?;
            return stored
                .map(Placing::Replayed)
                .ok_or_else(|| StoreError::NoOrder(order.order_id.clone()));
        }
        if !insert_payment(&mut tx, &order).await? {
            return Ok(Placing::PaymentExists);
        }
        let appended = Appended {
            event: placed.clone(),
            step_key: Some("place".to_owned()),
        };
        insert_events(&mut tx, &order.order_id, &[appended]).await?;
        let message = Message::of(placed, &order);
        let messages = Vec::from_iter(message.map(|message| (message, placed.revision)));
        outbox::insert(&mut tx, &messages).await?;
        tx.commit().await?;
        if !messages.is_empty() {
            self.outbox.tell();
        }
        self.appended.tell();
        Ok(Placing::Placed(StoredOrder {
            order,
            run_id: None,
            workflow_started: false,
        }))
    }

    /// Notes that Temporal has the workflow of an order.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn confirm_start(&self, order_id: &str) -> Result<(), StoreError> {
        sqlx::query("UPDATE orders SET workflow_started = 1 WHERE order_id = $1")
            .bind(order_id)
            .execute(&self.writer)
            .await?;
        Ok(())
    }
}

async fn fingerprint_of(
    connection: &mut Connection,
    order_id: &str,
) -> Result<Option<String>, StoreError> {
    let row = sqlx::query("SELECT fingerprint FROM orders WHERE order_id = $1")
        .bind(order_id)
        .fetch_optional(connection)
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}

/// False when there is an order of that id.
async fn insert_order(
    connection: &mut Connection,
    order: &Order,
    fingerprint: &str,
) -> Result<bool, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO orders (order_id, customer_id, policy, state, revision, place_time,
             update_time, due_time, fingerprint, document)
         VALUES ($1, $2, $3, $4, $5, $6, $6, $6, $7, $8)
         ON CONFLICT (order_id) DO NOTHING",
    )
    .bind(&order.order_id)
    .bind(&order.customer_id)
    .bind(&order.policy.name)
    .bind(order.state.as_str())
    .bind(order.revision)
    .bind(micros(order.place_time))
    .bind(fingerprint)
    .bind(serde_json::to_string(order)?)
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}

/// False when there is a payment of that id.
async fn insert_payment(connection: &mut Connection, order: &Order) -> Result<bool, StoreError> {
    let inserted = sqlx::query(
        "INSERT INTO payments (payment_id, order_id, currency) VALUES ($1, $2, $3)
         ON CONFLICT (payment_id) DO NOTHING",
    )
    .bind(&order.payment.payment_id)
    .bind(&order.order_id)
    .bind(&order.total.currency)
    .execute(connection)
    .await?;
    Ok(inserted.rows_affected() == 1)
}
