//! What became of a payment whose answer was lost, or that was refused: whoever knows it is heard in turn (the
//! books, the provider, a named person), and what counts is written into the journal.

use super::{Connection, Store, StoreError, micros, order_tx::OrderTx, payment_journal::Outcome};
use jiff::Timestamp;
use orders_domain::{
    command::{Command, PaymentOutcome, Refusal, ResolvePayment, Witness},
    event::{ACTOR_PROCESS, Change},
    movement::{EntryPhase, Journal, Movement, MovementKind},
    state::VouchState,
    step::Step,
};
use sqlx::Row;

/// What a provider says became of a movement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    /// It moved.
    Moved {
        /// The provider's name for it.
        transaction_id: String,
        /// Minor units moved.
        amount: i64,
    },
    /// It did not, and it never will.
    NotMoved,
}

/// Whom the operator's word is held against.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// The embedded provider's ledger: only what is in it happened.
    Ledger,
    /// A provider outside of the process, asked before this transaction; none when it could not be asked, or did not
    /// answer.
    Outside(Option<Said>),
}

/// What is recorded of a resolution. The journal has its entry.
#[derive(Clone, Debug, PartialEq)]
pub struct Booked {
    /// The event.
    pub change: Change,
    /// Why the operator was wrong, if so.
    pub contradicted: Option<Refusal>,
}

/// Books what became of a payment, by the word of `source` or, where that says nothing, by the operator's own, in the
/// transaction of its event; or refuses it, because the books hold something else.
///
/// # Errors
/// When the database cannot be used.
pub async fn book(
    tx: &mut OrderTx,
    resolved: &ResolvePayment,
    source: Source,
    actor: &str,
) -> Result<Result<Booked, Refusal>, StoreError> {
    let step = resolved.step;
    let key = tx.order().effect_key(step);
    let is_refused = tx.order().refused_payment() == Some(step);
    let known = |known: String| Ok(Err(Refusal::PaymentKnown { step, known }));
    // What the operator's word alone would record.
    let decided = Command::ResolvePayment(resolved.clone()).decide(tx.order(), tx.now());
    let decided = match decided {
        Ok(decided) => decided,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let journal = tx.journal().await?;
    let has_happened = resolved.outcome == PaymentOutcome::Succeeded;
    let in_journal = journal.moved(&key).map(|entry| Said::Moved {
        transaction_id: entry.transaction_id.clone().unwrap_or_default(),
        amount: entry.amount,
    });
    let is_ledger = source == Source::Ledger;
    let said = match (in_journal, source) {
        (Some(said), _) => Some(said),
        (None, Source::Outside(said)) => said,
        (None, Source::Ledger) => {
            let (_, db) = tx.parts();
            Some(ledger(db, &key).await?)
        }
    };
    // Money that was given back by other means shows under none of the provider's keys.
    let said = said.filter(|said| !(is_refused && has_happened && *said == Said::NotMoved));
    // Our own ledger has no side effects: whoever contradicts it is refused, and nothing changes.
    match &said {
        Some(Said::Moved { transaction_id, .. })
            if is_ledger && (!has_happened || *transaction_id != resolved.transaction_id) =>
        {
            return known(format!(
                "the payment journal holds {key} as {transaction_id}"
            ));
        }
        Some(Said::NotMoved) if is_ledger && has_happened => {
            return known(format!("the payment journal holds no movement {key}"));
        }
        _ => {}
    }
    let Some(movement) = movement(tx, &journal, step, &decided, said.as_ref()) else {
        return known(format!("{step} moves no money"));
    };
    let (change, outcome) = testimony(decided, resolved, said.as_ref(), is_ledger);
    let balance = journal.balance();
    let balance = balance.map_err(|error| StoreError::Corrupt(error.to_string()))?;
    if outcome.phase == EntryPhase::Succeeded
        && journal.moved(&key).is_none()
        && let Err(imbalance) = balance.after(movement.kind, movement.amount)
    {
        return known(format!(
            "{imbalance}: say first what became of what it undoes"
        ));
    }
    let by = match &change {
        Change::PaymentResolved {
            witness: Witness::Provider,
            ..
        } if !is_ledger => ACTOR_PROCESS,
        _ => actor,
    };
    tx.book(&movement, &outcome, by).await?;
    let contradicted = contradiction(resolved, &change);
    Ok(Ok(Booked {
        change,
        contradicted,
    }))
}

/// What is recorded, by the provider's word where there is one, and what of it belongs in the journal.
fn testimony(
    decided: Change,
    resolved: &ResolvePayment,
    said: Option<&Said>,
    is_ledger: bool,
) -> (Change, Outcome) {
    let evidence = &resolved.evidence;
    let (mut change, mut outcome) = (decided, None);
    if let Change::PaymentResolved {
        outcome: became,
        witness,
        new_key,
        transaction_id,
        amount,
        ..
    } = &mut change
    {
        match said {
            Some(Said::Moved {
                transaction_id: id,
                amount: moved,
            }) => {
                *became = PaymentOutcome::Succeeded;
                *witness = Witness::Provider;
                *new_key = false;
                transaction_id.clone_from(id);
                *amount = *moved;
            }
            Some(Said::NotMoved) => {
                *became = PaymentOutcome::NotHappened;
                *witness = Witness::Provider;
                // A provider that is asked for a key which moved nothing closes it. Our ledger does not.
                *new_key |= !is_ledger;
                transaction_id.clear();
                *amount = 0;
            }
            None => {}
        }
        outcome = Some(match became {
            PaymentOutcome::Succeeded => Outcome {
                evidence: evidence.clone(),
                ..Outcome::moved(transaction_id)
            },
            PaymentOutcome::NotHappened => Outcome::unmoved(EntryPhase::NotHappened, evidence),
        });
    }
    let outcome = outcome.unwrap_or_else(|| Outcome::unmoved(EntryPhase::NotHappened, evidence));
    (change, outcome)
}

/// Whether the provider says another outcome than the operator, in words.
fn contradiction(resolved: &ResolvePayment, change: &Change) -> Option<Refusal> {
    let Change::PaymentResolved {
        step,
        outcome,
        transaction_id,
        ..
    } = change
    else {
        return None;
    };
    if *outcome == resolved.outcome {
        return None;
    }
    let said = match outcome {
        PaymentOutcome::Succeeded => format!("it moved as {transaction_id}"),
        PaymentOutcome::NotHappened => "it never moved, and never will".to_owned(),
    };
    Some(Refusal::ProviderSays {
        step: *step,
        said: format!(
            "the payment provider says that {said}; that is recorded, and not your answer"
        ),
    })
}

/// The movement that is resolved: as it was intended, or as its step makes it.
fn movement(
    tx: &OrderTx,
    journal: &Journal,
    step: Step,
    decided: &Change,
    said: Option<&Said>,
) -> Option<Movement> {
    let order = tx.order();
    let key = order.effect_key(step);
    let intended = journal.entries.iter().find(|entry| entry.key == key);
    let amount = match (said, intended, decided) {
        (Some(Said::Moved { amount, .. }), _, _) => *amount,
        (_, Some(entry), _) => entry.amount,
        // What a step that did not happen would have moved matters to nobody.
        (_, None, Change::PaymentResolved { amount, .. }) => *amount,
        _ => 0,
    };
    Some(Movement {
        payment_id: order.payment.payment_id.clone(),
        kind: MovementKind::of(step)?,
        amount,
        original: None,
        key,
    })
}

/// What the embedded provider knows of the movement of a key.
async fn ledger(db: &mut Connection, key: &str) -> Result<Said, StoreError> {
    let row = sqlx::query("SELECT transaction_id, amount FROM payment_entries WHERE key = $1")
        .bind(key)
        .fetch_optional(db)
        .await?;
    Ok(match row {
        Some(row) => Said::Moved {
            transaction_id: row.try_get(0)?,
            amount: row.try_get(1)?,
        },
        None => Said::NotMoved,
    })
}

/// What is recorded when the provider says what it knows of a payment that a person vouched for; none where that is
/// recorded already, or nobody vouched for it.
pub fn verified(tx: &OrderTx, step: Step, said: &Said) -> Option<Change> {
    let mut vouched = tx.order().doubtful();
    let vouched = vouched.find(|vouched| vouched.step == step)?;
    let (outcome, transaction_id) = match said {
        Said::Moved { transaction_id, .. } => (PaymentOutcome::Succeeded, transaction_id.clone()),
        Said::NotMoved => (PaymentOutcome::NotHappened, String::new()),
    };
    let known = vouched.state == VouchState::Contradicted;
    if known && vouched.outcome != outcome {
        return None;
    }
    Some(Change::PaymentVerified {
        step,
        outcome,
        transaction_id,
    })
}

impl Store {
    /// The orders for which a person vouched and whose provider is to be asked by `now`, `limit` at most: those that
    /// wait longest come first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn vouched(&self, now: Timestamp, limit: i64) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(
            "SELECT order_id FROM orders
             WHERE vouch_time IS NOT NULL AND vouch_time <= $1
             ORDER BY vouch_time, order_id LIMIT $2",
        )
        .bind(micros(now))
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
    }

    /// Has the provider of an order asked at `time` about what a person vouched for, or, with none, not again. Only while
    /// the order is at `revision`: afterwards it may be about something else.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn ask_vouched_at(
        &self,
        order_id: &str,
        revision: i64,
        time: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let mut tx = self.write().await?;
        sqlx::query("UPDATE orders SET vouch_time = $1 WHERE order_id = $2 AND revision = $3")
            .bind(time.map(micros))
            .bind(order_id)
            .bind(revision)
            .execute(&mut *tx)
            .await?;
        tx.commit().await
    }
}
