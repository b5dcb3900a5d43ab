//! What became of a payment whose answer was lost, or that was refused: whoever knows it is heard in turn (the
//! books, the provider, a named person), and what counts is written into the journal.

use super::{Store, StoreError, micros, order_tx::OrderTx, payment_journal::Outcome};
use jiff::Timestamp;
use orders_domain::{
    command::{Command, KnownTransaction, PaymentOutcome, Refusal, ResolvePayment, Witness},
    effect::Effect,
    event::{ACTOR_PROCESS, Change},
    movement::{EntryPhase, Journal, Movement, MovementKind},
    operate::Verdict,
    state::VouchState,
};

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
    let effect = tx.order().effect(step);
    let key = effect.key(&tx.order().order_id);
    let is_refused = tx.order().is_refused(effect);
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
            let (_, mut ledger) = tx.ledger();
            let made = ledger.movement(&key).await?;
            Some(made.map_or(Said::NotMoved, |entry| Said::Moved {
                transaction_id: entry.transaction_id,
                amount: entry.amount,
            }))
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
    let Some(movement) = movement(tx, &journal, effect, &decided, said.as_ref()) else {
        return known(format!("{step} moves no money"));
    };
    let (change, outcome) = testimony(decided, resolved, said.as_ref(), is_ledger);
    if outcome.vouched
        && let Some(refusal) = known_elsewhere(tx, &resolved.transaction_id, &key).await?
    {
        return Ok(Err(refusal));
    }
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
                vouched: *witness == Witness::Person,
                ..Outcome::moved(transaction_id)
            },
            PaymentOutcome::NotHappened => Outcome::unmoved(EntryPhase::NotHappened, evidence),
        });
    }
    let outcome = outcome.unwrap_or_else(|| Outcome::unmoved(EntryPhase::NotHappened, evidence));
    (change, outcome)
}

/// Refuses a person's word that names a transaction which is known already: money that another movement
/// moved, or that a caller confirmed, did not move here.
async fn known_elsewhere(
    tx: &mut OrderTx,
    transaction_id: &str,
    key: &str,
) -> Result<Option<Refusal>, StoreError> {
    let row = sqlx::query(
        "SELECT 1 FROM payment_receipts WHERE transaction_id = $1
         UNION ALL
         SELECT 1 FROM payment_journal WHERE transaction_id = $1 AND kind <> 'CONFIRM' AND key <> $2
         LIMIT 1",
    )
    .bind(transaction_id)
    .bind(key)
    .fetch_optional(tx.parts().1)
    .await?;
    Ok(row.map(|_| Refusal::TransactionKnown {
        transaction_id: transaction_id.to_owned(),
        known: KnownTransaction::OtherPayment,
    }))
}

/// Whether the provider says something else than the operator, in words. Money that both gave back under
/// different names was given back twice.
fn contradiction(resolved: &ResolvePayment, change: &Change) -> Option<Refusal> {
    let Change::PaymentResolved {
        effect,
        outcome,
        transaction_id,
        ..
    } = change
    else {
        return None;
    };
    let is_twice = effect.step.is_compensation()
        && *outcome == PaymentOutcome::Succeeded
        && *transaction_id != resolved.transaction_id;
    if *outcome == resolved.outcome && !is_twice {
        return None;
    }
    let said = match outcome {
        PaymentOutcome::Succeeded => format!("it moved as {transaction_id}"),
        PaymentOutcome::NotHappened => "it never moved, and never will".to_owned(),
    };
    Some(Refusal::ProviderSays {
        step: effect.step,
        said: format!(
            "the payment provider says that {said}; that is recorded, and not your answer"
        ),
    })
}

/// The movement that is resolved: as it was intended, or as its effect makes it.
fn movement(
    tx: &OrderTx,
    journal: &Journal,
    effect: Effect,
    decided: &Change,
    said: Option<&Said>,
) -> Option<Movement> {
    let order = tx.order();
    let key = effect.key(&order.order_id);
    let intended = journal.entries.iter().find(|entry| entry.key == key);
    let amount = match (said, intended, decided) {
        (Some(Said::Moved { amount, .. }), _, _) => *amount,
        (_, Some(entry), _) => entry.amount,
        // What an effect that did not happen would have moved matters to nobody.
        (_, None, Change::PaymentResolved { amount, .. }) => *amount,
        _ => 0,
    };
    Some(Movement {
        payment_id: order.payment.payment_id.clone(),
        kind: MovementKind::of(effect.step)?,
        amount,
        original: None,
        key,
    })
}

/// Records what the provider says of a payment that a person vouched for, in the books and as an event.
/// Does nothing where that is recorded already, or nobody vouched for it.
///
/// # Errors
/// When the database cannot be used.
pub async fn verify(
    tx: &mut OrderTx,
    effect: Effect,
    said: &Said,
    actor: &str,
) -> Result<(), StoreError> {
    let mut doubtful = tx.order().doubtful();
    let Some(vouched) = doubtful.find(|vouched| vouched.effect == effect).cloned() else {
        return Ok(());
    };
    drop(doubtful);
    let (outcome, transaction_id, amount) = match said {
        Said::Moved {
            transaction_id,
            amount,
        } => (PaymentOutcome::Succeeded, transaction_id.clone(), *amount),
        Said::NotMoved => (PaymentOutcome::NotHappened, String::new(), 0),
    };
    let is_known = vouched.state == VouchState::Contradicted && vouched.outcome != outcome;
    if is_known {
        return Ok(());
    }
    let verdict = tx.order().verdict(effect, outcome);
    let phase = match (verdict, outcome) {
        (Verdict::Confirmed, PaymentOutcome::Succeeded) => Some(EntryPhase::Confirmed),
        (Verdict::TakenBack, _) => Some(EntryPhase::Refuted),
        (Verdict::Moved, _) => Some(EntryPhase::Succeeded),
        (Verdict::Confirmed | Verdict::Kept, _) => None,
    };
    if let (Some(phase), Some(kind)) = (phase, MovementKind::of(effect.step)) {
        let key = effect.key(&tx.order().order_id);
        let journal = tx.journal().await?;
        let intended = journal.entries.iter().find(|entry| entry.key == key);
        let movement = Movement {
            payment_id: tx.order().payment.payment_id.clone(),
            kind,
            amount: intended.map_or(amount, |entry| entry.amount),
            original: None,
            key,
        };
        let outcome = match said {
            Said::Moved { transaction_id, .. } => Outcome {
                phase,
                ..Outcome::moved(transaction_id)
            },
            Said::NotMoved => Outcome::unmoved(phase, "the provider knows nothing of it"),
        };
        tx.book_verdict(&movement, &outcome).await?;
    }
    let change = Change::PaymentVerified {
        effect,
        outcome,
        transaction_id,
        amount,
    };
    tx.record_answer(change, actor);
    tx.settle()
}

impl Store {
    /// The orders for which a person vouched and whose provider is to be asked by `now`, `limit` at most: those that
    /// wait longest come first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn vouched(&self, now: Timestamp, limit: i64) -> Result<Vec<String>, StoreError> {
        let order_ids = sqlx::query_scalar(
            "SELECT order_id FROM orders
             WHERE vouch_time IS NOT NULL AND vouch_time <= $1
             ORDER BY vouch_time, order_id LIMIT $2",
        )
        .bind(micros(now))
        .bind(limit)
        .fetch_all(&self.readers)
        .await?;
        Ok(order_ids)
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
