//! Money that arrived from outside: each confirmed transaction is recorded once, over all orders.
//!
//! [`receive`] is the only way in. The workflow's activity calls it for the orders whose workflow runs, and
//! [`Store::confirm_closed`] for those whose workflow has ended.

use super::{
    Store, StoreError, micros, order_tx::OrderTx, payment_journal::Outcome, read::StoredOrder,
};
use jiff::Timestamp;
use orders_domain::{
    command::{CommandRequest, ConfirmPayment, KnownTransaction, Refusal},
    event::{ACTOR_ANONYMOUS, Change},
    fingerprint,
    movement::{Movement, MovementKind},
    received::MOST_REFUSED,
    step::Step,
};
use sqlx::Row;

/// Disputes that are passed on in one sweep.
const DISPUTES: i64 = 50;

/// What became of a confirmation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// It was recorded now.
    Recorded,
    /// It had been recorded before, perhaps under another request id.
    Again,
    /// It was refused. [`Refusal::is_recorded`] says whether that is an event of the order.
    Refused(Refusal),
}

/// A confirmation for a closed order, with the order after it.
#[derive(Clone, Debug)]
pub struct ReceivedClosed {
    /// What became of it.
    pub received: Received,
    /// The order.
    pub stored: StoredOrder,
}

/// What is known of a transaction.
struct Known {
    refusal: KnownTransaction,
    /// The order that has it, where that is another one.
    order_id: Option<String>,
}

/// Records a confirmation, or its refusal, in the transaction of its order. One that was `signalled` is
/// acknowledged already, so neither an outdated revision nor a reused request id may lose it.
///
/// # Errors
/// When the database cannot be used.
pub async fn receive(
    tx: &mut OrderTx,
    request: &CommandRequest,
    payment: &ConfirmPayment,
    signalled: bool,
) -> Result<Received, StoreError> {
    let order_id = tx.order().order_id.clone();
    let asked = request.fingerprint(&order_id);
    let mut request_id = request.request_id.clone();
    match tx.request(&request_id).await? {
        Some(before) if before.resource == order_id && before.fingerprint == asked => {
            return Ok(Received::Again);
        }
        // It gets an id of its own, which is the same for the same content.
        Some(_) if signalled => {
            request_id = format!("signal/{asked}");
            if tx.request(&request_id).await?.is_some() {
                return Ok(Received::Again);
            }
        }
        Some(_) => return Ok(Received::Refused(Refusal::RequestReused)),
        None => {}
    }
    let known = match receipt(tx, payment).await? {
        Found::Same => {
            tx.remember_request(&request_id, &asked);
            return Ok(Received::Again);
        }
        Found::Other(known) => Some(known),
        Found::Nothing => answered(tx, payment).await?,
    };
    let decision = if signalled {
        request.command.decide(tx.order(), tx.now())
    } else {
        request.decide(tx.order(), tx.now())
    };
    let change = match (decision, known) {
        (Err(refusal), _) if refusal.is_recorded() => {
            return refuse(tx, request, payment, refusal, None).await;
        }
        (Err(refusal), _) => return Ok(Received::Refused(refusal)),
        (Ok(_), Some(known)) => return refuse_known(tx, request, payment, known).await,
        (Ok(change), None) => change,
    };
    let counted = match &change {
        Change::PaymentConfirmed { counted, .. } => *counted,
        _ => 0,
    };
    if !insert(tx, payment, counted).await? {
        // With PostgreSQL, another order has confirmed the same transaction at this moment.
        let known = Known {
            refusal: KnownTransaction::OtherPayment,
            order_id: owner(tx, payment).await?,
        };
        return refuse_known(tx, request, payment, known).await;
    }
    if counted > 0 {
        let receipt = tx.order().effect(Step::ChargePayment);
        let movement = Movement {
            key: receipt.key(&order_id),
            payment_id: tx.order().payment.payment_id.clone(),
            kind: MovementKind::Confirm,
            amount: counted,
            original: None,
        };
        let moved = Outcome::moved(&payment.transaction_id);
        tx.book(&movement, &moved, actor(request)).await?;
    }
    tx.record_command(change, actor(request), &request_id, &request.attempt);
    // The answer shows what follows from the receipt, too.
    tx.settle()?;
    tx.remember_request(&request_id, &asked);
    Ok(Received::Recorded)
}

async fn refuse_known(
    tx: &mut OrderTx,
    request: &CommandRequest,
    payment: &ConfirmPayment,
    known: Known,
) -> Result<Received, StoreError> {
    let refusal = Refusal::TransactionKnown {
        transaction_id: payment.transaction_id.clone(),
        known: known.refusal,
    };
    refuse(tx, request, payment, refusal, known.order_id).await
}

/// Records a refusal once for each transaction and amount, and a bounded number of them for each order.
async fn refuse(
    tx: &mut OrderTx,
    request: &CommandRequest,
    payment: &ConfirmPayment,
    refusal: Refusal,
    other_order_id: Option<String>,
) -> Result<Received, StoreError> {
    let amount = payment.amount.to_string();
    let key = fingerprint([payment.transaction_id.as_str(), amount.as_str()]);
    let key = format!("refused_payment/{key}");
    let is_full = tx.order().payment.received.questioned >= MOST_REFUSED;
    if !is_full && !tx.has_key(&key).await? {
        let change = Change::PaymentRefused {
            transaction_id: payment.transaction_id.clone(),
            amount: payment.amount.clone(),
            reason: refusal.to_string(),
            other_order_id,
        };
        tx.record_refusal(change, actor(request), Some(&request.request_id), key);
    }
    Ok(Received::Refused(refusal))
}

/// What the receipts hold of a transaction.
enum Found {
    Nothing,
    /// The same receipt of the same order.
    Same,
    Other(Known),
}

async fn receipt(tx: &mut OrderTx, payment: &ConfirmPayment) -> Result<Found, StoreError> {
    let (order, db) = tx.parts();
    let row = sqlx::query(
        "SELECT order_id, amount, currency FROM payment_receipts WHERE transaction_id = $1",
    )
    .bind(&payment.transaction_id)
    .fetch_optional(db)
    .await?;
    let Some(row) = row else {
        return Ok(Found::Nothing);
    };
    let (order_id, currency): (&str, &str) = (row.try_get("order_id")?, row.try_get("currency")?);
    let minor: i64 = row.try_get("amount")?;
    if order_id != order.order_id {
        return Ok(Found::Other(Known {
            refusal: KnownTransaction::OtherPayment,
            order_id: Some(order_id.to_owned()),
        }));
    }
    if minor == payment.amount.minor && currency == payment.amount.currency {
        return Ok(Found::Same);
    }
    Ok(Found::Other(Known {
        refusal: KnownTransaction::OtherAmount {
            amount: order.money(minor),
        },
        order_id: None,
    }))
}

/// The order that has a receipt of the transaction.
async fn owner(tx: &mut OrderTx, payment: &ConfirmPayment) -> Result<Option<String>, StoreError> {
    let query = "SELECT order_id FROM payment_receipts WHERE transaction_id = $1";
    let order_id = sqlx::query_scalar(query)
        .bind(&payment.transaction_id)
        .fetch_optional(tx.parts().1)
        .await?;
    Ok(order_id)
}

/// Whether a payment provider has answered the id, for this order or another one.
async fn answered(tx: &mut OrderTx, payment: &ConfirmPayment) -> Result<Option<Known>, StoreError> {
    let order_id = sqlx::query_scalar(
        "SELECT p.order_id FROM payment_journal j JOIN payments p ON p.payment_id = j.payment_id
         WHERE j.transaction_id = $1 AND j.kind <> 'CONFIRM' LIMIT 1",
    )
    .bind(&payment.transaction_id)
    .fetch_optional(tx.parts().1)
    .await?;
    Ok(order_id.map(|order_id| Known {
        refusal: KnownTransaction::OtherPayment,
        order_id: Some(order_id),
    }))
}

/// False when the transaction has a receipt already.
async fn insert(
    tx: &mut OrderTx,
    payment: &ConfirmPayment,
    counted: i64,
) -> Result<bool, StoreError> {
    let time = micros(tx.now());
    let (order, db) = tx.parts();
    let written = sqlx::query(
        "INSERT INTO payment_receipts
             (transaction_id, order_id, payment_id, receipt, amount, currency, counted, time)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (transaction_id) DO NOTHING",
    )
    .bind(&payment.transaction_id)
    .bind(&order.order_id)
    .bind(&order.payment.payment_id)
    .bind(i64::from(order.payment.received.count) + 1)
    .bind(payment.amount.minor)
    .bind(&payment.amount.currency)
    .bind(counted)
    .bind(time)
    .execute(db)
    .await?;
    Ok(written.rows_affected() == 1)
}

fn actor(request: &CommandRequest) -> &str {
    match request.actor.as_str() {
        "" => ACTOR_ANONYMOUS,
        actor => actor,
    }
}

impl OrderTx {
    /// Notes that a payment provider has answered an id that a caller confirmed before, on this order at
    /// once and on the caller's with the next sweep. It never fails because the id is taken.
    pub(super) async fn note_answered(&mut self, transaction_id: &str) -> Result<(), StoreError> {
        let order_id = sqlx::query_scalar(
            "UPDATE payment_receipts SET disputed = CASE disputed WHEN 0 THEN 1 ELSE disputed END
             WHERE transaction_id = $1 RETURNING order_id",
        )
        .bind(transaction_id)
        .fetch_optional(self.parts().1)
        .await?;
        let Some(order_id) = order_id else {
            return Ok(());
        };
        self.dispute(transaction_id, order_id).await
    }

    /// Records once that a transaction is in question.
    async fn dispute(
        &mut self,
        transaction_id: &str,
        other_order_id: String,
    ) -> Result<(), StoreError> {
        let key = format!("disputed_payment/{}", fingerprint([transaction_id]));
        if self.has_key(&key).await? {
            return Ok(());
        }
        let change = Change::PaymentDisputed {
            transaction_id: transaction_id.to_owned(),
            other_order_id,
        };
        self.record_found(change, key);
        Ok(())
    }
}

impl Store {
    /// Records a confirmation for a closed order, whose workflow may have ended. None for an order that is
    /// open: its workflow has to do it.
    ///
    /// # Errors
    /// When there is no such order, or the database cannot be used.
    pub async fn confirm_closed(
        &self,
        order_id: &str,
        request: &CommandRequest,
        payment: &ConfirmPayment,
        now: Timestamp,
    ) -> Result<Option<ReceivedClosed>, StoreError> {
        let mut tx = self.lock_order(order_id, now).await?;
        if !tx.order().state.is_closed() {
            return Ok(None);
        }
        let known = tx.order().revision;
        let received = receive(&mut tx, request, payment, false).await?;
        let stored = tx.stored();
        tx.commit(known, None).await?;
        Ok(Some(ReceivedClosed { received, stored }))
    }

    /// Records on the orders of callers that a payment provider has answered their transaction since.
    ///
    /// # Errors
    /// When the database cannot be used; the next call continues.
    pub async fn pass_on_disputes(&self, now: Timestamp) -> Result<(), StoreError> {
        let rows = sqlx::query(
            "SELECT r.transaction_id, r.order_id, MIN(p.order_id) AS other_order_id
             FROM payment_receipts r
             JOIN payment_journal j ON j.transaction_id = r.transaction_id
                 AND j.kind <> 'CONFIRM' AND j.vouched = 0
             JOIN payments p ON p.payment_id = j.payment_id
             WHERE r.disputed = 1 GROUP BY r.transaction_id, r.order_id
             ORDER BY r.transaction_id LIMIT $1",
        )
        .bind(DISPUTES)
        .fetch_all(&self.readers)
        .await?;
        for row in &rows {
            let transaction_id: &str = row.try_get("transaction_id")?;
            let order_id: &str = row.try_get("order_id")?;
            let mut tx = self.lock_order(order_id, now).await?;
            let known = tx.order().revision;
            tx.dispute(transaction_id, row.try_get("other_order_id")?)
                .await?;
            sqlx::query("UPDATE payment_receipts SET disputed = 2 WHERE transaction_id = $1")
                .bind(transaction_id)
                .execute(tx.parts().1)
                .await?;
            tx.keep();
            tx.commit(known, None).await?;
            tracing::warn!(
                order_id,
                transaction_id,
                "a confirmed transaction is in question"
            );
        }
        Ok(())
    }
}
