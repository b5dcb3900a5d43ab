//! Payment effects: what the journal says is next, the intent before the provider is asked, and what
//! came of it afterwards.
//!
//! The embedded provider is asked inside of the step's transaction, with the intent and the outcome
//! beside its own row. A provider outside is asked between two transactions: the intent is committed
//! first, and whatever is lost after that is found by it.

use crate::provider::{
    Call, ExternalPaymentProvider, PaymentPort, PaymentRequest, ProviderError, Receipt,
};
use orders_domain::{
    command::{PaymentOutcome, Witness},
    effect::Effect,
    event::{ACTOR_PROCESS, Change},
    movement::{EntryPhase, Movement, MovementKind, Task},
    payment_method::PaymentToken,
    step::{CompensationOutcome, Step},
    text,
};
use orders_store::{
    StoreError, order_tx::OrderTx, payment_journal::Outcome, payment_resolution::Said,
};
use std::{sync::Arc, time::Duration};

/// What is next for a payment effect.
pub(super) enum Payment {
    /// To be recorded: it is done.
    Done(Change),
    /// A provider outside is to be asked, once the intent is committed.
    Outside(Question),
}

/// What a provider outside is asked.
pub(super) struct Question {
    provider: Arc<dyn ExternalPaymentProvider>,
    request: PaymentRequest,
    /// Whether it is only asked what became of the movement.
    resolve: bool,
    /// How long it may take.
    limit: Duration,
}

/// What it answered.
pub(super) struct Answered {
    movement: Movement,
    resolve: bool,
    answer: Result<Option<Receipt>, ProviderError>,
}

impl Question {
    /// Asks, outside of any transaction.
    pub(super) async fn ask(self) -> Answered {
        let (provider, request) = (self.provider, self.request);
        let call = async {
            match self.resolve {
                true => provider.resolve(&request).await,
                false => provider.perform(&request).await.map(Some),
            }
        };
        let answer = tokio::time::timeout(self.limit, call).await;
        let answer = answer.unwrap_or_else(|_| Err(silence(self.limit)));
        let answer = match &request.payment_token {
            Some(token) => answer.map_err(|error| without_token(error, token)),
            None => answer,
        };
        Answered {
            answer: checked(&request.movement, answer),
            movement: request.movement,
            resolve: self.resolve,
        }
    }
}

/// A provider's words end up in events and logs: a token that it repeats must not.
fn without_token(error: ProviderError, token: &PaymentToken) -> ProviderError {
    let redacted = |words: String| words.replace(token.expose(), "(the token)");
    match error {
        ProviderError::Refused(words) => ProviderError::Refused(redacted(words)),
        ProviderError::Failed(words) => ProviderError::Failed(redacted(words)),
        ProviderError::NoAnswer(words) => ProviderError::NoAnswer(redacted(words)),
        ProviderError::Wait(_) | ProviderError::Database(_) => error,
    }
}

impl Answered {
    /// The key of the movement that it is about.
    pub(super) fn key(&self) -> &str {
        &self.movement.key
    }

    /// What the provider says became of the movement; none when it could not be asked, or gave no answer that counts.
    pub(super) fn said(&self) -> Option<Said> {
        match &self.answer {
            Ok(Some(receipt)) => Some(Said::Moved {
                transaction_id: receipt.transaction_id.clone(),
                amount: receipt.amount,
            }),
            Ok(None) => Some(Said::NotMoved),
            Err(_) => None,
        }
    }

    /// Why the provider says nothing; none when it does.
    pub(super) fn error(&self) -> Option<&ProviderError> {
        self.answer.as_ref().err()
    }
}

/// The answer of a provider as far as it counts. One with another amount, or with an id that cannot be kept, says
/// nothing certain: the order does not go on with it, and whoever is on call learns of it.
fn checked(
    movement: &Movement,
    answer: Result<Option<Receipt>, ProviderError>,
) -> Result<Option<Receipt>, ProviderError> {
    let Some(receipt) = answer.map_err(ProviderError::bounded)? else {
        return Ok(None);
    };
    if !text::is_id(&receipt.transaction_id) {
        let most = text::ID_MOST;
        return Err(ProviderError::NoAnswer(format!(
            "the provider answered with a transaction_id that is not 1 to {most} printable characters"
        )));
    }
    if receipt.amount != movement.amount {
        let (asked, moved) = (movement.amount, receipt.amount);
        return Err(ProviderError::NoAnswer(format!(
            "the provider was asked to move {asked} and says that it moved {moved} as {} (minor units)",
            receipt.transaction_id
        )));
    }
    Ok(Some(receipt))
}

/// No answer came in time.
pub(super) fn silence(limit: Duration) -> ProviderError {
    ProviderError::NoAnswer(format!("no answer within {limit:?}"))
}

/// Books what a provider outside answered, whatever has become of the order meanwhile: money may have
/// moved. Gives why it did not, if so.
pub(super) async fn book_answer(
    tx: &mut OrderTx,
    effect: Effect,
    answered: Answered,
) -> Result<Option<ProviderError>, StoreError> {
    let Answered {
        movement,
        resolve,
        answer,
    } = answered;
    let outcome = outcome(effect.step, resolve, &answer);
    if let Some(outcome) = outcome {
        tx.book(&movement, &outcome, ACTOR_PROCESS).await?;
    }
    let is_unmoved = matches!(answer, Ok(None));
    let is_open = tx.journal().await?.is_open(&movement.key);
    let is_own = movement.key == effect.key(&tx.order().order_id);
    let is_used_up = is_own && tx.order().used_up.contains(&effect);
    // A provider that is asked in vain closes the key: what is to be given back goes on under another one.
    if resolve && is_unmoved && is_own && !is_used_up && effect.step.is_compensation() {
        let closed = Change::PaymentResolved {
            effect,
            outcome: PaymentOutcome::NotHappened,
            witness: Witness::Provider,
            new_key: true,
            transaction_id: String::new(),
            amount: 0,
            evidence: "the provider knows nothing of it".to_owned(),
            reason: String::new(),
        };
        tx.record_answer(closed, ACTOR_PROCESS);
    }
    Ok(match answer {
        Ok(_) => None,
        // The key was closed meanwhile, because somebody had the provider asked what became of it: the step goes on
        // under another one.
        Err(ProviderError::Refused(_)) if is_used_up => None,
        // This attempt moved nothing; an earlier one of the same key may have.
        Err(ProviderError::Failed(error)) if is_open => Some(ProviderError::NoAnswer(error)),
        Err(error) => Some(error),
    })
}

/// Does what the journal says is next for a payment effect.
pub(super) async fn pay(
    tx: &mut OrderTx,
    port: &PaymentPort,
    effect: Effect,
    waited: bool,
) -> Result<Payment, ProviderError> {
    let step = effect.step;
    loop {
        let (movement, resolve) = match task(tx, effect).await? {
            Task::Moved(entry) => {
                let receipt = Receipt {
                    transaction_id: entry.transaction_id.unwrap_or_default(),
                    amount: entry.amount,
                };
                return Ok(Payment::Done(change(effect, Some(receipt))));
            }
            Task::Nothing => return Ok(Payment::Done(change(effect, None))),
            Task::Move(movement) => (movement, false),
            Task::Resolve(movement) => (movement, true),
        };
        // Whatever builds on the first movement, or only asks for it, does so by its key.
        let is_first = MovementKind::of(step).is_some_and(MovementKind::needs_token);
        let token = if is_first && !resolve {
            tx.payment_token().await?
        } else {
            None
        };
        let provider = match port {
            PaymentPort::Embedded(provider) => provider,
            PaymentPort::External(provider) => {
                if !resolve && let Some(why) = why_by_hand(tx, &movement).await? {
                    return Err(ProviderError::Refused(why.to_owned()));
                }
                if is_first && !resolve && token.is_none() {
                    let missing = "the payment token of the order is missing".to_owned();
                    return Err(ProviderError::Failed(missing));
                }
                if !resolve {
                    tx.intend(&movement).await?;
                }
                // A cancellation that comes meanwhile must know what to ask for.
                if !step.is_compensation() && tx.order().in_flight != Some(effect) {
                    tx.record(Change::PaymentInitiated { effect });
                }
                let asked = question(tx, provider, movement, resolve, token);
                return Ok(Payment::Outside(asked));
            }
        };
        let now = tx.now();
        let (order, mut ledger) = tx.ledger();
        let call = Call {
            order,
            effect,
            now,
            waited,
        };
        let answer = match resolve {
            true => provider.resolve(&mut ledger, &call, &movement).await,
            false => {
                let moved = provider.perform(&mut ledger, &call, &movement, token.as_ref());
                moved.await.map(Some)
            }
        };
        let answer = checked(&movement, answer);
        let outcome = outcome(step, resolve, &answer);
        enter(tx, &movement, resolve, outcome).await?;
        answer?;
    }
}

/// Why an external provider is not asked to give back what it never took.
const OUTSIDE: &str = "the money was received from outside: give it back by hand";

/// Why an external provider is not asked to give back what only a person says that it took.
const VOUCHED: &str = "the provider has not confirmed the payment that a person vouched for: give the money \
                       back by hand, or have the provider asked again by RetryOrder";

/// Why a refund, or a release, is not asked of an external provider: it would be of a transaction that is only a
/// text of a caller or an operator, and could be somebody else's.
async fn why_by_hand(
    tx: &mut OrderTx,
    movement: &Movement,
) -> Result<Option<&'static str>, StoreError> {
    if !matches!(movement.kind, MovementKind::Refund | MovementKind::Void) {
        return Ok(None);
    }
    if tx.journal().await?.is_from_outside() {
        return Ok(Some(OUTSIDE));
    }
    let is_vouched = tx.order().has_unconfirmed_payment();
    Ok(is_vouched.then_some(VOUCHED))
}

/// Writes that the provider was asked and never answered.
pub(super) async fn no_answer(tx: &mut OrderTx, effect: Effect) -> Result<(), StoreError> {
    let (movement, resolve) = match task(tx, effect).await? {
        Task::Move(movement) => (movement, false),
        Task::Resolve(movement) => (movement, true),
        Task::Moved(_) | Task::Nothing => return Ok(()),
    };
    let answer = Err(silence(tx.order().policy.attempt_timeout));
    let outcome = outcome(effect.step, resolve, &answer);
    enter(tx, &movement, resolve, outcome).await
}

async fn task(tx: &mut OrderTx, effect: Effect) -> Result<Task, StoreError> {
    let journal = tx.journal().await?;
    let task = journal.task(tx.order(), effect);
    let task = task.map_err(|error| StoreError::Corrupt(error.to_string()))?;
    task.ok_or_else(|| StoreError::Corrupt(format!("{effect} moves no money")))
}

/// What a provider outside is asked about `movement`: to make it, or with `resolve` what became of it.
pub(super) fn question(
    tx: &OrderTx,
    provider: &Arc<dyn ExternalPaymentProvider>,
    movement: Movement,
    resolve: bool,
    payment_token: Option<PaymentToken>,
) -> Question {
    let order = tx.order();
    Question {
        provider: provider.clone(),
        request: PaymentRequest {
            order_id: order.order_id.clone(),
            customer_id: order.customer_id.clone(),
            payment_token,
            currency: order.total.currency.clone(),
            movement,
        },
        resolve,
        limit: order.policy.attempt_timeout,
    }
}

/// Books an intent together with its outcome, where there is one: who asks for time was not asked yet, and
/// an intent that stays alone is money of which nobody knows what became.
async fn enter(
    tx: &mut OrderTx,
    movement: &Movement,
    resolve: bool,
    outcome: Option<Outcome>,
) -> Result<(), StoreError> {
    let Some(outcome) = outcome else {
        return Ok(());
    };
    if !resolve {
        tx.intend(movement).await?;
    }
    tx.book(movement, &outcome, ACTOR_PROCESS).await
}

/// What an answer is in the journal; none where nothing of this transaction is kept.
fn outcome(
    step: Step,
    resolve: bool,
    answer: &Result<Option<Receipt>, ProviderError>,
) -> Option<Outcome> {
    Some(match answer {
        Ok(Some(receipt)) => Outcome::moved(&receipt.transaction_id),
        Ok(None) => Outcome::unmoved(EntryPhase::NotHappened, "the provider knows nothing of it"),
        // A question that failed says nothing about the movement.
        Err(
            ProviderError::Refused(words)
            | ProviderError::Failed(words)
            | ProviderError::NoAnswer(words),
        ) if resolve => Outcome::unmoved(EntryPhase::Indeterminate, words),
        // What must be given back is asked for again: a refusal is not the end of it.
        Err(ProviderError::Refused(words)) if step.is_compensation() => {
            Outcome::unmoved(EntryPhase::Failed, words)
        }
        Err(ProviderError::Refused(words)) => Outcome::unmoved(EntryPhase::Declined, words),
        Err(ProviderError::Failed(words)) => Outcome::unmoved(EntryPhase::Failed, words),
        Err(ProviderError::NoAnswer(words)) => Outcome::unmoved(EntryPhase::Indeterminate, words),
        Err(ProviderError::Wait(_) | ProviderError::Database(_)) => return None,
    })
}

/// What a payment effect that was had means for the order; without a receipt there was nothing to do.
fn change(effect: Effect, receipt: Option<Receipt>) -> Change {
    let Receipt {
        transaction_id,
        amount,
    } = receipt.clone().unwrap_or(Receipt {
        transaction_id: String::new(),
        amount: 0,
    });
    match effect.step {
        Step::AuthorizePayment => Change::PaymentAuthorized {
            effect,
            transaction_id,
            amount,
        },
        Step::CapturePayment | Step::ChargePayment => Change::PaymentCaptured {
            effect,
            transaction_id,
            amount,
        },
        _ => Change::Compensated {
            effect,
            outcome: match receipt {
                Some(_) => CompensationOutcome::Done,
                None => CompensationOutcome::NotNeeded,
            },
            amount,
        },
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "tests")]
    use super::*;

    #[test]
    fn a_provider_that_repeats_the_token_does_not_get_it_into_the_events() {
        let token = PaymentToken::new("pm-secret").unwrap();
        let words = || "no such method: pm-secret".to_owned();
        for error in [
            ProviderError::Refused(words()),
            ProviderError::Failed(words()),
            ProviderError::NoAnswer(words()),
        ] {
            let said = without_token(error, &token).to_string();
            assert_eq!(said, "no such method: (the token)");
        }
    }
}
