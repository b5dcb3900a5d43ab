//! What an operator says became of a payment, held against the books and written into the journal.

use super::{Connection, StoreError, order_tx::OrderTx, payment_journal::Outcome};
use crate::domain::{
    command::{PaymentOutcome, Refusal, ResolvePayment},
    movement::{EntryPhase, Journal, Movement, MovementKind},
    step::Step,
};
use sqlx::Row;

/// Who else knows what became of a movement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witness {
    /// The embedded provider's ledger: only what stands there happened.
    Ledger,
    /// A provider outside: the operator has asked it, by other means.
    Outside,
}

/// Books what an operator says became of `amount` of a payment, in the transaction of its event; or
/// refuses it, because the books hold something else.
///
/// # Errors
/// When the database cannot be used.
pub async fn book(
    tx: &mut OrderTx,
    resolved: &ResolvePayment,
    amount: i64,
    witness: Witness,
    actor: &str,
) -> Result<Result<(), Refusal>, StoreError> {
    let step = resolved.step;
    let key = tx.order().effect_key(step);
    let known = |known: String| Ok(Err(Refusal::PaymentKnown { step, known }));
    let happened = resolved.outcome == PaymentOutcome::Succeeded;
    let journal = tx.journal().await?;
    let moved = journal.moved(&key);
    let mut transaction_id = moved.and_then(|entry| entry.transaction_id.clone());
    if witness == Witness::Ledger && transaction_id.is_none() {
        let (_, db) = tx.parts();
        transaction_id = ledger(db, &key).await?;
    }
    match transaction_id {
        Some(id) if !happened || id != resolved.transaction_id => {
            return known(format!("the payment journal holds {key} as {id}"));
        }
        None if happened && witness == Witness::Ledger => {
            return known(format!("the payment journal holds no movement {key}"));
        }
        _ => {}
    }
    let movement = movement(tx, &journal, step, amount);
    let Some(movement) = movement else {
        return known(format!("{step} moves no money"));
    };
    let balance = journal.balance();
    let balance = balance.map_err(|error| StoreError::Corrupt(error.to_string()))?;
    if happened
        && journal.moved(&key).is_none()
        && let Err(imbalance) = balance.after(movement.kind, movement.amount)
    {
        return known(format!(
            "{imbalance}: say first what became of what it undoes"
        ));
    }
    let outcome = match happened {
        true => Outcome {
            evidence: resolved.evidence.clone(),
            ..Outcome::moved(&resolved.transaction_id)
        },
        false => Outcome::unmoved(EntryPhase::NotHappened, &resolved.evidence),
    };
    tx.book(&movement, &outcome, actor).await?;
    Ok(Ok(()))
}

/// The movement that is resolved: as it was intended, or as its step makes it.
fn movement(tx: &OrderTx, journal: &Journal, step: Step, amount: i64) -> Option<Movement> {
    let order = tx.order();
    let key = order.effect_key(step);
    let intended = journal.entries.iter().find(|entry| entry.key == key);
    Some(Movement {
        payment_id: order.payment.payment_id.clone(),
        kind: MovementKind::of(step)?,
        amount: intended.map_or(amount, |entry| entry.amount),
        original: None,
        key,
    })
}

/// What the embedded provider calls the movement of a key, if it made one.
async fn ledger(db: &mut Connection, key: &str) -> Result<Option<String>, StoreError> {
    let row = sqlx::query("SELECT transaction_id FROM payment_entries WHERE key = $1")
        .bind(key)
        .fetch_optional(db)
        .await?;
    Ok(row.map(|row| row.try_get(0)).transpose()?)
}
