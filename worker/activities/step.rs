//! Steps: a provider is asked, and its answer is recorded in the same transaction.
//!
//! # Which retry acts when
//!
//! | what happened | what tries again | when |
//! |---|---|---|
//! | the provider failed or did not answer, and the order's `retry_time` is less than 1 s away | this activity, in a new transaction | at `retry_time` |
//! | the same, and `retry_time` is later | the workflow, which waits for that time and calls the step anew | at `retry_time`, as the policy's backoff says |
//! | the provider refused to give money back | the workflow, as above; an operator may be quicker | an hour later (`REFUSED_WAIT`) |
//! | our own database failed: nothing is recorded, and it counts as no attempt | the local activity | after 0.1 s, doubling, at most 4 times or 12 s |
//! | it failed all that time | the same activity, scheduled by Temporal | after 1 s, doubling to 30 s, without limit |
//! | the activity was carried out, and the order did not move (store and workflow disagree) | the workflow | after 1 s, doubling to 1 min, or when the order moves |
//! | the process died | Temporal gives the workflow task to another worker, which finds what was committed | after the task's timeout, 3 s |
//! | Temporal lost the workflow, or a commit that it was to learn of | the sweep of any server | 10 s after the order was due |

use super::{
    News, OrderActivities, Progress, Recorded, StepInput, failed, fault, onward,
    payment::{self, Payment, Question},
};
use crate::provider::{Call, Parcel, PaymentPort, ProviderError, Providers};
use orders_domain::{
    effect::Effect,
    event::Change,
    later::later,
    step::{CompensationOutcome, Step},
    text,
};
use orders_store::{StoreError, ledger::Ledger, order_tx::OrderTx};
use std::time::{Duration, Instant};
use temporalio_sdk::activities::{ActivityContext, ActivityError};

/// How long attempts at an effect may be repeated in one activity. Short: meanwhile the order takes no command.
const QUICK_RETRIES: Duration = Duration::from_secs(1);

/// What became of asking a provider.
enum Answer {
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

/// Where the effects of one transaction came to an end.
enum End {
    /// There is nothing more to do here.
    Over,
    /// A provider asks for time.
    Wait(Duration),
    /// A provider outside is to be asked.
    Outside(Box<Question>),
}

/// Effects as one activity brings them about: from the one that it was called for on.
pub(super) struct Run<'a> {
    /// What the activity was told.
    pub input: &'a Progress,
    /// When it began.
    pub started: Instant,
    /// Whether it may wait for providers. Who has recorded a command does not.
    pub patient: bool,
    /// Whether it may go on with further effects.
    pub onward: bool,
}

impl OrderActivities {
    pub(super) async fn step(
        &self,
        ctx: &ActivityContext,
        input: StepInput,
    ) -> Result<News, ActivityError> {
        let StepInput { progress, effect } = input;
        fault::begins(effect.step.as_str(), &progress.order_id);
        let run = Run {
            input: &progress,
            started: Instant::now(),
            patient: true,
            onward: onward::is_allowed(ctx),
        };
        let done = self.effects(effect, ctx, &run).await;
        let recorded = done.map_err(|error| failed(ctx, &progress.order_id, &error))?;
        Ok(recorded.news)
    }

    /// Brings an effect about, and those that follow: in the same transaction as long as nobody is to be
    /// waited for. Each has its fence, its key and its event as if it were alone; together they happen or
    /// do not happen.
    pub(super) async fn effects(
        &self,
        mut effect: Effect,
        ctx: &ActivityContext,
        run: &Run<'_>,
    ) -> Result<Recorded, StoreError> {
        let Run { input, started, .. } = run;
        let mut attempt = Attempt::New;
        let mut answered = None;
        // Each effect has its own time for quick retries.
        let mut begun = *started;
        loop {
            // The workflow's clock stands still meanwhile; the order's goes on.
            let now = later(input.now, started.elapsed());
            let mut tx = self.lock(input, now).await?;
            let failed = match answered.take() {
                Some(answered) => payment::book_answer(&mut tx, effect, answered).await?,
                None => None,
            };
            // What it was for continues with the next number.
            if tx.order().used_up.contains(&effect) {
                effect = tx.order().effect(effect.step);
            }
            let (asked, mut done) = (effect, effect);
            let ran = self.in_one(&mut tx, &mut effect, &mut done, attempt, failed, run);
            let end = ran.await?;
            if effect != asked {
                begun = Instant::now();
            }
            match end {
                End::Outside(question) => {
                    let intent = format!("intent:{}", effect.step);
                    self.finish(tx, ctx, input.known, &intent).await?;
                    answered = Some(question.ask().await);
                    fault::after_commit(&format!("called:{}", effect.step));
                    continue;
                }
                End::Wait(time) if run.patient => {
                    let limit = tx.order().policy.attempt_timeout;
                    // The provider's slowness must not hold the database's write lock.
                    if tx.appended().len() == 0 {
                        drop(tx);
                    } else {
                        drop(
                            self.finish(tx, ctx, input.known, done.step.as_str())
                                .await?,
                        );
                    }
                    tokio::time::sleep(time.min(limit)).await;
                    attempt = match time <= limit {
                        true => Attempt::Waited,
                        false => Attempt::TimedOut,
                    };
                    continue;
                }
                End::Wait(_) | End::Over => {}
            }
            let again = soon_again(&tx, effect, begun).filter(|_| run.patient);
            let recorded = self
                .finish(tx, ctx, input.known, done.step.as_str())
                .await?;
            let Some(wait) = again else {
                return Ok(recorded);
            };
            tokio::time::sleep(wait).await;
            attempt = Attempt::New;
        }
    }

    /// What can be done in one transaction; `effect` is then the last that was begun, and `done` the last
    /// that was answered.
    async fn in_one(
        &self,
        tx: &mut OrderTx,
        effect: &mut Effect,
        done: &mut Effect,
        mut attempt: Attempt,
        mut failed: Option<ProviderError>,
        run: &Run<'_>,
    ) -> Result<End, StoreError> {
        // The fence: had already, cancelled meanwhile, or to be tried again only later, nothing is done.
        if !tx.todo().allows(*effect, tx.now()) {
            return Ok(End::Over);
        }
        loop {
            let outside = matches!(self.providers.payment, PaymentPort::External(_));
            if outside && effect.step.is_payment() && !run.patient {
                return Ok(End::Over);
            }
            let change = match self.ask(tx, *effect, attempt, failed.take()).await? {
                Answer::Outside(question) => return Ok(End::Outside(Box::new(question))),
                Answer::Wait(time) => return Ok(End::Wait(time)),
                Answer::Change(change) => change,
            };
            let is_failure = matches!(change, Change::AttemptFailed { .. });
            log_answer(tx, *effect, &change, run.started);
            tx.record(change);
            tx.settle()?;
            *done = *effect;
            match onward::after(tx, *effect, run) {
                Some(next) if !is_failure => {
                    fault::before_commit(effect.step.as_str(), &run.input.order_id);
                    *effect = next;
                    fault::begins(effect.step.as_str(), &run.input.order_id);
                    attempt = Attempt::New;
                }
                _ => return Ok(End::Over),
            }
        }
    }

    async fn ask(
        &self,
        tx: &mut OrderTx,
        effect: Effect,
        attempt: Attempt,
        failed: Option<ProviderError>,
    ) -> Result<Answer, StoreError> {
        let answer = match (failed, attempt) {
            (Some(error), _) => Err(error),
            (None, Attempt::TimedOut) => {
                if effect.step.is_payment() {
                    payment::no_answer(tx, effect).await?;
                }
                Err(payment::silence(tx.order().policy.attempt_timeout))
            }
            (None, _) => self.perform(tx, effect, attempt == Attempt::Waited).await,
        };
        let order = tx.order();
        let failure = |error: String, unknown, refused| {
            let before = order.fault_of(effect);
            Change::AttemptFailed {
                effect,
                attempt: before.map_or(0, |fault| fault.attempts) + 1,
                error,
                unknown,
                refused,
            }
        };
        Ok(match answer {
            Ok(answer) => answer,
            Err(ProviderError::Wait(time)) => Answer::Wait(time),
            Err(ProviderError::Refused(reason)) => Answer::Change(match refusal(effect, &reason) {
                Some(change) => change,
                // A refusal of something that must be done (an undo, say) is a failure. Of money, it asks for a
                // person at once.
                None => failure(reason, false, effect.step.is_payment()),
            }),
            Err(ProviderError::Failed(error)) => Answer::Change(failure(error, false, false)),
            Err(ProviderError::NoAnswer(error)) => Answer::Change(failure(error, true, false)),
            Err(ProviderError::Database(error)) => return Err(error),
        })
    }

    async fn perform(
        &self,
        tx: &mut OrderTx,
        effect: Effect,
        waited: bool,
    ) -> Result<Answer, ProviderError> {
        if effect.step.is_payment() {
            let paid = payment::pay(tx, &self.providers.payment, effect, waited).await?;
            return Ok(match paid {
                Payment::Done(change) => Answer::Change(change),
                Payment::Outside(question) => Answer::Outside(question),
            });
        }
        let now = tx.now();
        let (order, mut ledger) = tx.ledger();
        let call = Call {
            order,
            effect,
            now,
            waited,
        };
        let done = perform(&self.providers, &mut ledger, &call).await;
        done.map(Answer::Change).map_err(ProviderError::bounded)
    }
}

/// The wait before the next attempt at the same effect, if it is so short that it need not go by way of
/// Temporal: a timer of its own costs more than the attempt. No other effect is held back for it.
fn soon_again(tx: &OrderTx, effect: Effect, begun: Instant) -> Option<Duration> {
    let todo = tx.todo();
    if todo.ready(tx.now()).any(|ready| ready != effect) {
        return None;
    }
    let due = todo.due.iter().find(|due| due.effect == effect)?;
    let wait = Duration::try_from(due.not_before?.duration_since(tx.now())).ok()?;
    (begun.elapsed() + wait <= QUICK_RETRIES).then_some(wait)
}

async fn perform(
    providers: &Providers,
    ledger: &mut Ledger<'_>,
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
    let effect = call.effect;
    Ok(match effect.step {
        Step::Screen => {
            fraud.screen(ledger, call).await?;
            Change::Screened { effect }
        }
        Step::ReserveInventory => Change::InventoryReserved {
            effect,
            reservation_id: id(inventory.reserve(ledger, call).await?)?,
        },
        Step::PreparePackage => {
            let parcel = parcel(shipping.prepare(ledger, call).await?)?;
            Change::PackagePrepared {
                effect,
                shipment_id: parcel.shipment_id,
                carrier: parcel.carrier,
                tracking_number: parcel.tracking_number,
            }
        }
        Step::RequestPickup => {
            let parcel = parcel(shipping.request_pickup(ledger, call).await?)?;
            Change::PickupRequested {
                effect,
                shipment_id: parcel.shipment_id,
                carrier: parcel.carrier,
                tracking_number: parcel.tracking_number,
            }
        }
        Step::RedirectShipment => {
            shipping.redirect(ledger, call).await?;
            Change::ShipmentRedirected { effect }
        }
        Step::DispatchShipment => {
            let parcel = parcel(shipping.dispatch(ledger, call).await?)?;
            Change::Shipped {
                effect,
                shipment_id: parcel.shipment_id,
                carrier: parcel.carrier,
                tracking_number: parcel.tracking_number,
                estimated_delivery_time: call.order.estimated_delivery(call.now),
            }
        }
        Step::CommitReservation => {
            inventory.commit(ledger, call).await?;
            Change::ReservationCommitted { effect }
        }
        Step::CancelShipment => Change::Compensated {
            effect,
            outcome: undone(shipping.cancel(ledger, call).await?),
            amount: 0,
        },
        Step::ReleaseReservation => Change::Compensated {
            effect,
            outcome: undone(inventory.release(ledger, call).await?),
            amount: 0,
        },
        // Asked by way of the journal.
        Step::AuthorizePayment
        | Step::CapturePayment
        | Step::ChargePayment
        | Step::RefundPayment
        | Step::VoidAuthorization => {
            let wrong = format!("{effect} is a payment");
            return Err(StoreError::Corrupt(wrong).into());
        }
    })
}

/// An id as it can be kept. One that cannot be is an answer that says nothing.
fn id(id: String) -> Result<String, ProviderError> {
    if text::is_id(&id) {
        return Ok(id);
    }
    let most = text::ID_MOST;
    Err(ProviderError::NoAnswer(format!(
        "the provider answered with a name that is not 1 to {most} printable characters"
    )))
}

fn parcel(parcel: Parcel) -> Result<Parcel, ProviderError> {
    Ok(Parcel {
        shipment_id: id(parcel.shipment_id)?,
        carrier: id(parcel.carrier)?,
        tracking_number: id(parcel.tracking_number)?,
    })
}

/// What a provider's business refusal means for the order; none where it may not refuse.
fn refusal(effect: Effect, reason: &str) -> Option<Change> {
    let reason = reason.to_owned();
    match effect.step {
        Step::Screen => Some(Change::FraudDetected { effect, reason }),
        Step::ReserveInventory => Some(Change::OutOfStock { effect, reason }),
        Step::AuthorizePayment | Step::CapturePayment | Step::ChargePayment => {
            Some(Change::PaymentDeclined { effect, reason })
        }
        _ => None,
    }
}

fn log_answer(tx: &OrderTx, effect: Effect, change: &Change, started: Instant) {
    let order_id = &tx.order().order_id;
    let ms = started.elapsed().as_millis() as u64;
    match change {
        Change::AttemptFailed { attempt, error, .. } => {
            tracing::warn!(order_id, %effect, attempt, error, ms, "attempt failed");
        }
        _ => tracing::debug!(order_id, %effect, outcome = change.type_name(), ms, "answered"),
    }
}
