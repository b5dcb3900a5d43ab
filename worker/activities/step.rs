//! One step: a provider is asked, and its answer is recorded in the same transaction.

use super::{
    News, OrderActivities, Progress, Recorded, failed, fault,
    payment::{self, Payment, Question},
};
use crate::{
    domain::{
        apply::later,
        event::Change,
        phase::Todo,
        step::{CompensationOutcome, Step},
    },
    provider::{Call, ProviderError, Providers},
    store::{Connection, StoreError, order_tx::OrderTx},
};
use std::time::{Duration, Instant};
use temporalio_sdk::activities::{ActivityContext, ActivityError};

/// How long attempts may be repeated in one activity. Short: meanwhile the order takes no command.
const QUICK_RETRIES: Duration = Duration::from_secs(1);

/// What became of asking a provider.
pub(super) enum Answer {
    /// To be recorded.
    Change(Change),
    /// To be asked again after this long, outside of the transaction.
    Wait(Duration),
    /// Somebody outside is to be asked, once this transaction is committed.
    Outside(Question),
}

/// How far an attempt is.
#[derive(Clone, Copy, PartialEq)]
enum Attempt {
    /// Not asked yet.
    New,
    /// The time that the provider asked for is over.
    Waited,
    /// The provider asked for more time than an attempt has.
    TimedOut,
}

impl OrderActivities {
    pub(super) async fn step(
        &self,
        step: Step,
        ctx: &ActivityContext,
        input: Progress,
    ) -> Result<News, ActivityError> {
        let started = Instant::now();
        fault::begins(step.as_str(), &input.order_id);
        let run = self.try_step(step, ctx, &input, started);
        let recorded = run
            .await
            .map_err(|error| failed(ctx, &input.order_id, &error))?;
        Ok(self
            .onward(ctx, &input, Some(step), recorded, started)
            .await)
    }

    async fn try_step(
        &self,
        step: Step,
        ctx: &ActivityContext,
        input: &Progress,
        started: Instant,
    ) -> Result<Recorded, StoreError> {
        let mut attempt = Attempt::New;
        let mut answered = None;
        loop {
            // The workflow's clock stands still meanwhile; the order's goes on.
            let now = later(input.now, started.elapsed());
            let mut tx = self.store.lock_order(&input.order_id, now).await?;
            let failed = match answered.take() {
                Some(answered) => payment::book_answer(&mut tx, step, answered).await?,
                None => None,
            };
            if is_next(&tx, step) {
                match self.ask(&mut tx, step, attempt, failed).await? {
                    Answer::Outside(question) => {
                        let intent = format!("intent:{step}");
                        self.finish(tx, ctx, input.known, &intent).await?;
                        answered = Some(question.ask().await);
                        fault::after_commit(&format!("called:{step}"));
                        continue;
                    }
                    Answer::Wait(time) => {
                        let limit = tx.order().policy.attempt_timeout;
                        // The provider's slowness must not hold the database's write lock.
                        drop(tx);
                        tokio::time::sleep(time.min(limit)).await;
                        attempt = match time <= limit {
                            true => Attempt::Waited,
                            false => Attempt::TimedOut,
                        };
                        continue;
                    }
                    Answer::Change(change) => {
                        record(&mut tx, step, change, started).await?;
                    }
                }
            }
            let again = soon_again(&tx, step, started);
            let recorded = self.finish(tx, ctx, input.known, step.as_str()).await?;
            let Some(wait) = again else {
                return Ok(recorded);
            };
            tokio::time::sleep(wait).await;
            attempt = Attempt::New;
        }
    }

    /// Asks a provider that was not asked yet.
    pub(super) async fn ask_once(
        &self,
        tx: &mut OrderTx,
        step: Step,
    ) -> Result<Answer, StoreError> {
        self.ask(tx, step, Attempt::New, None).await
    }

    async fn ask(
        &self,
        tx: &mut OrderTx,
        step: Step,
        attempt: Attempt,
        failed: Option<ProviderError>,
    ) -> Result<Answer, StoreError> {
        let answer = match (failed, attempt) {
            (Some(error), _) => Err(error),
            (None, Attempt::TimedOut) => {
                if step.is_payment() {
                    payment::no_answer(tx, step).await?;
                }
                Err(payment::silence(tx.order().policy.attempt_timeout))
            }
            (None, _) => self.perform(tx, step, attempt == Attempt::Waited).await,
        };
        let order = tx.order();
        let failure = |error: String, unknown| {
            let before = order.fault.as_ref().filter(|fault| fault.step == step);
            Change::AttemptFailed {
                step,
                attempt: before.map_or(0, |fault| fault.attempts) + 1,
                error,
                unknown,
            }
        };
        Ok(match answer {
            Ok(answer) => answer,
            Err(ProviderError::Wait(time)) => Answer::Wait(time),
            Err(ProviderError::Refused(reason)) => Answer::Change(match refusal(step, &reason) {
                Some(change) => change,
                // A refusal of something that must be done (an undo, say) is a failure.
                None => failure(reason, false),
            }),
            Err(ProviderError::Failed(error)) => Answer::Change(failure(error, false)),
            Err(ProviderError::NoAnswer(error)) => Answer::Change(failure(error, true)),
            Err(ProviderError::Database(error)) => return Err(error),
        })
    }

    async fn perform(
        &self,
        tx: &mut OrderTx,
        step: Step,
        waited: bool,
    ) -> Result<Answer, ProviderError> {
        if step.is_payment() {
            let paid = payment::pay(tx, &self.providers.payment, step, waited).await?;
            return Ok(match paid {
                Payment::Done(change) => Answer::Change(change),
                Payment::Outside(question) => Answer::Outside(question),
            });
        }
        let now = tx.now();
        let (order, db) = tx.parts();
        let call = Call {
            order,
            step,
            now,
            waited,
        };
        perform(&self.providers, db, &call)
            .await
            .map(Answer::Change)
    }
}

/// The fence: a step is carried out only while the order itself, in this transaction, says that it
/// is next. Done already, cancelled meanwhile, or to be repeated only later: nothing is done.
fn is_next(tx: &OrderTx, step: Step) -> bool {
    match tx.todo() {
        Todo::Call {
            step: next,
            not_before,
        } => next == step && not_before.is_none_or(|time| time <= tx.now()),
        _ => false,
    }
}

/// The wait before the next attempt of the same step, if it is so short that it need not go by way of
/// Temporal: a timer of its own costs more than the attempt.
fn soon_again(tx: &OrderTx, step: Step, started: Instant) -> Option<Duration> {
    let Todo::Call {
        step: next,
        not_before: Some(time),
    } = tx.todo()
    else {
        return None;
    };
    let wait = Duration::try_from(time.duration_since(tx.now())).ok()?;
    (next == step && started.elapsed() + wait <= QUICK_RETRIES).then_some(wait)
}

async fn perform(
    providers: &Providers,
    db: &mut Connection,
    call: &Call<'_>,
) -> Result<Change, ProviderError> {
    let Providers {
        inventory,
        shipping,
        fraud,
        ..
    } = providers;
    let undone = |undone: bool| match undone {
        true => CompensationOutcome::Done,
        false => CompensationOutcome::NotNeeded,
    };
    let step = call.step;
    Ok(match step {
        Step::Screen => {
            fraud.screen(db, call).await?;
            Change::Screened
        }
        Step::ReserveInventory => Change::InventoryReserved {
            reservation_id: inventory.reserve(db, call).await?,
        },
        Step::PreparePackage => {
            let parcel = shipping.prepare(db, call).await?;
            Change::PackagePrepared {
                shipment_id: parcel.shipment_id,
                carrier: parcel.carrier,
                tracking_number: parcel.tracking_number,
            }
        }
        Step::RequestPickup => {
            let parcel = shipping.request_pickup(db, call).await?;
            Change::PickupRequested {
                shipment_id: parcel.shipment_id,
                carrier: parcel.carrier,
                tracking_number: parcel.tracking_number,
            }
        }
        Step::RedirectShipment => {
            shipping.redirect(db, call).await?;
            Change::ShipmentRedirected
        }
        Step::DispatchShipment => {
            let parcel = shipping.dispatch(db, call).await?;
            Change::Shipped {
                shipment_id: parcel.shipment_id,
                carrier: parcel.carrier,
                tracking_number: parcel.tracking_number,
                estimated_delivery_time: call.order.estimated_delivery(call.now),
            }
        }
        Step::CommitReservation => {
            inventory.commit(db, call).await?;
            Change::ReservationCommitted
        }
        Step::CancelShipment => Change::Compensated {
            step,
            outcome: undone(shipping.cancel(db, call).await?),
            amount: 0,
        },
        Step::ReleaseReservation => Change::Compensated {
            step,
            outcome: undone(inventory.release(db, call).await?),
            amount: 0,
        },
        // Asked by way of the journal.
        Step::AuthorizePayment
        | Step::CapturePayment
        | Step::ChargePayment
        | Step::RefundPayment
        | Step::VoidAuthorization => {
            let wrong = format!("{step} is a payment");
            return Err(StoreError::Corrupt(wrong).into());
        }
    })
}

/// What a provider's business refusal means for the order; none where it may not refuse.
fn refusal(step: Step, reason: &str) -> Option<Change> {
    let reason = reason.to_owned();
    match step {
        Step::Screen => Some(Change::FraudDetected { reason }),
        Step::ReserveInventory => Some(Change::OutOfStock { reason }),
        Step::AuthorizePayment | Step::CapturePayment | Step::ChargePayment => {
            Some(Change::PaymentDeclined { reason })
        }
        _ => None,
    }
}

/// Records an answer: once for each step, but for attempts that failed.
pub(super) async fn record(
    tx: &mut OrderTx,
    step: Step,
    change: Change,
    started: Instant,
) -> Result<(), StoreError> {
    log_answer(tx, step, &change, started);
    let failed = matches!(change, Change::AttemptFailed { .. });
    let key = (!failed).then(|| tx.order().step_key(step));
    tx.record(change, key.as_deref()).await
}

fn log_answer(tx: &OrderTx, step: Step, change: &Change, started: Instant) {
    let order_id = &tx.order().order_id;
    let ms = started.elapsed().as_millis() as u64;
    match change {
        Change::AttemptFailed { attempt, error, .. } => {
            tracing::warn!(order_id, %step, attempt, error, ms, "attempt failed");
        }
        _ => tracing::debug!(order_id, %step, outcome = change.type_name(), ms, "answered"),
    }
}
