//! Taking an order in: row, request and first event in one transaction.

use super::{
    Connection, Store, StoreError, Tx,
    append::{Appended, insert_events},
    batch::Batch,
    is_duplicate, micros, outbox,
    payment_tokens::{Kept, NewToken},
    read::{StoredOrder, StoredRequest, load, request},
    remember::remember_new_request,
    statement::values,
};
use orders_domain::{event::Event, message::Message, order::Order};

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
    /// The payment token belongs to another customer.
    TokenOfAnother,
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
    /// id with the same fingerprint gives the same order. Its payment token is kept apart from it.
    ///
    /// # Errors
    /// When the database cannot be used; the same call again is safe.
    pub async fn place(
        &self,
        placed: &Event,
        request_id: &str,
        fingerprint: &str,
        token: Option<NewToken<'_>>,
    ) -> Result<Placing, StoreError> {
        let order = Order::from_placed(placed)
            .ok_or_else(|| StoreError::Corrupt("an order is placed by PLACED".to_owned()))?;
        let asked = StoredRequest {
            resource: order.order_id.clone(),
            fingerprint: fingerprint.to_owned(),
            revision: 1,
        };
        let message = Message::of(placed, &order);
        let new = Intake {
            request_id,
            asked: &asked,
            order: &order,
            token: self.kept(&order, token),
            document: serde_json::to_string(&order)?,
            placed: Appended {
                event: placed.clone(),
                effect: Some("place".to_owned()),
            },
            messages: Vec::from_iter(message.map(|message| (message, placed.revision))),
        };
        let found = match self.place_new(&new).await? {
            true => None,
            false => self.place_or_find(&new).await?,
        };
        if let Some(found) = found {
            return Ok(found);
        }
        Ok(Placing::Placed(StoredOrder {
            order,
            run_id: None,
            workflow_started: false,
        }))
    }

    /// Takes an order in of which nothing is there, as mostly, without looking first; false, and nothing
    /// has happened, where something is.
    async fn place_new(&self, new: &Intake<'_>) -> Result<bool, StoreError> {
        let mut tx = self.write().await?;
        let mut batch = Batch::new(self.dialect);
        new.take_request(&mut batch);
        new.take_order(&mut batch);
        new.take_payment(&mut batch);
        new.take_token(&mut batch);
        new.insert_rest(&mut batch)?;
        let changed = match batch.run(&mut tx).await {
            // Of an event: there is an order of that id.
            Err(StoreError::Unavailable(error)) if is_duplicate(&error) => return Ok(false),
            changed => changed?,
        };
        let is_new = changed.iter().all(|rows| *rows == 1);
        if is_new {
            self.commit_new(tx, new).await?;
        }
        Ok(is_new)
    }

    /// The same one key after the other, to see which of them something is there of. None when that has
    /// gone meanwhile, and the order is new after all.
    async fn place_or_find(&self, new: &Intake<'_>) -> Result<Option<Placing>, StoreError> {
        let (order, fingerprint) = (new.order, &new.asked.fingerprint);
        let mut tx = self.write().await?;
        // Where several write at once, who is not first waits here for the one who is, and finds what that
        // one has committed; always in this sequence, so that no two wait for each other.
        if !self
            .is_new(&mut tx, |batch| new.take_request(batch))
            .await?
        {
            let before = request(&mut tx, new.request_id).await?;
            let before = before.ok_or_else(|| StoreError::Corrupt("a request vanished".into()))?;
            return Ok(Some(match load(&mut tx, &before.resource).await? {
                Some(stored) if before.fingerprint == *fingerprint => Placing::Replayed(stored),
                _ => Placing::RequestReused,
            }));
        }
        if !self.is_new(&mut tx, |batch| new.take_order(batch)).await? {
            let before = fingerprint_of(&mut tx, &order.order_id).await?;
            if before.as_ref() != Some(fingerprint) {
                return Ok(Some(Placing::OrderExists));
            }
            let stored = load(&mut tx, &order.order_id).await?;
            tx.commit().await?;
            return stored
                .map(|stored| Some(Placing::Replayed(stored)))
                .ok_or_else(|| StoreError::NoOrder(order.order_id.clone()));
        }
        if !self
            .is_new(&mut tx, |batch| new.take_payment(batch))
            .await?
        {
            return Ok(Some(Placing::PaymentExists));
        }
        let is_bound = new.token.as_ref().is_some_and(Kept::is_bound);
        if is_bound && !self.is_new(&mut tx, |batch| new.take_token(batch)).await? {
            return Ok(Some(Placing::TokenOfAnother));
        }
        let mut batch = Batch::new(self.dialect);
        new.insert_rest(&mut batch)?;
        batch.run(&mut tx).await?;
        self.commit_new(tx, new).await?;
        Ok(None)
    }

    /// Commits a new order, and tells those who wait for its event and its messages, even when the caller
    /// has stopped waiting.
    async fn commit_new(&self, tx: Tx, new: &Intake<'_>) -> Result<(), StoreError> {
        let (appended, outbox) = (self.appended.clone(), self.outbox.clone());
        let has_messages = !new.messages.is_empty();
        tx.commit_then(move || {
            if has_messages {
                outbox.tell();
            }
            appended.tell();
        })
        .await
    }

    /// Whether a key was free, and is taken now.
    async fn is_new(
        &self,
        tx: &mut Connection,
        take: impl FnOnce(&mut Batch),
    ) -> Result<bool, StoreError> {
        let mut batch = Batch::new(self.dialect);
        take(&mut batch);
        Ok(batch.run(tx).await? == [1])
    }

    /// Notes that Temporal has the workflow of an order.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn confirm_start(&self, order_id: &str) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE orders SET workflow_started = 1 WHERE order_id = $1")
            .bind(order_id)
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    }
}

async fn fingerprint_of(
    connection: &mut Connection,
    order_id: &str,
) -> Result<Option<String>, StoreError> {
    let fingerprint = sqlx::query_scalar("SELECT fingerprint FROM orders WHERE order_id = $1")
        .bind(order_id)
        .fetch_optional(connection)
        .await?;
    Ok(fingerprint)
}

/// A new order that is to be inserted. It takes four keys: those of the request, the order, the payment
/// and the payment token. A statement that takes a key changes no row if the key is taken already.
struct Intake<'a> {
    request_id: &'a str,
    asked: &'a StoredRequest,
    order: &'a Order,
    token: Option<Kept<'a>>,
    document: String,
    placed: Appended,
    messages: Vec<(Message, i64)>,
}

impl Intake<'_> {
    fn take_request(&self, batch: &mut Batch) {
        let now = micros(self.order.place_time);
        remember_new_request(batch, self.request_id, self.asked, now);
    }

    fn take_order(&self, batch: &mut Batch) {
        let order = self.order;
        let now = micros(order.place_time);
        batch.add(
            "INSERT INTO orders (order_id, customer_id, policy, state, revision,
                 place_time, update_time, due_time, fingerprint, document)
             VALUES ($1, $2, $3, $4, $5, $6, $6, $6, $7, $8)
             ON CONFLICT (order_id) DO NOTHING",
            values![
                &order.order_id,
                &order.customer_id,
                &order.policy.name,
                order.state.as_str(),
                order.revision,
                now,
                &self.asked.fingerprint,
                &self.document,
            ],
        );
    }

    fn take_payment(&self, batch: &mut Batch) {
        let order = self.order;
        batch.add(
            "INSERT INTO payments (payment_id, order_id, currency) VALUES ($1, $2, $3)
             ON CONFLICT (payment_id) DO NOTHING",
            values![
                &order.payment.payment_id,
                &order.order_id,
                &order.total.currency,
            ],
        );
    }

    /// Takes the payment token for the customer, who may use it for several orders.
    fn take_token(&self, batch: &mut Batch) {
        if let Some(token) = &self.token {
            token.take_owner(batch, self.order);
        }
    }

    /// Inserts what belongs to the keys.
    fn insert_rest(&self, batch: &mut Batch) -> Result<(), StoreError> {
        if let Some(token) = &self.token {
            token.insert(batch, self.order);
        }
        insert_events(
            batch,
            &self.order.order_id,
            std::slice::from_ref(&self.placed),
        )?;
        outbox::insert(batch, &self.messages);
        Ok(())
    }
}
