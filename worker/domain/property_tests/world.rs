//! The store's side: one order, locked by each transaction, which does what worker/activities do:
//! lock, look at the fence, ask, record, settle what follows.

use super::{
    invariants,
    ledger::{Answer, Ledger, Reply},
};
use crate::{
    command::{Command, CommandRequest, ConfirmPayment, KnownTransaction, Refusal},
    effect::Effect,
    event::{ACTOR_PROCESS, Change, Event},
    money::Money,
    order::{Deadline, Order},
    phase,
    step::Step,
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What a process asks of the world: one transaction.
#[allow(clippy::large_enum_variant, reason = "a story has some tens of them")]
#[derive(Clone, Debug)]
pub(super) enum Op {
    Settle,
    Effect(Effect),
    Deadline(Deadline),
    /// With the number of the signal, where it is one.
    Command(CommandRequest, Option<u32>),
}

/// A transaction that another order has.
pub(super) const ELSEWHERE: &str = "txn elsewhere";

/// What became of a command.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Outcome {
    Done { replayed: bool },
    Refused(Refusal),
}

#[derive(Clone, Debug)]
pub(super) struct World {
    pub(super) clock: Timestamp,
    pub(super) order: Order,
    pub(super) events: Vec<Event>,
    pub(super) ledger: Ledger,
    /// How the next calls end, whichever they are; afterwards all is well.
    pub(super) answers: VecDeque<Answer>,
    /// How the next calls of a step end; goes before `answers`.
    pub(super) step_answers: BTreeMap<Step, VecDeque<Answer>>,
    /// The transactions of this order's receipts.
    pub(super) receipts: BTreeMap<String, Money>,
    requests: BTreeMap<String, String>,
    keys: BTreeSet<String>,
}

impl World {
    pub(super) fn new(placed: Event, ledger: Ledger) -> Self {
        let order = Order::from_placed(&placed).expect("an order is placed by PLACED");
        Self {
            clock: placed.time,
            order,
            events: vec![placed],
            ledger,
            answers: VecDeque::new(),
            step_answers: BTreeMap::new(),
            receipts: BTreeMap::new(),
            requests: BTreeMap::new(),
            keys: BTreeSet::new(),
        }
    }

    /// One transaction, with every invariant checked after it.
    pub(super) fn transact(&mut self, op: &Op) -> Option<Outcome> {
        let before = self.clone();
        let now = self.clock.max(self.order.update_time);
        let mut outcome = None;
        match op {
            Op::Settle => {}
            Op::Effect(effect) => self.call(*effect, now),
            Op::Deadline(deadline) => {
                if let Some(change) = phase::deadline_passed(&self.order, deadline, now) {
                    self.append(change, ACTOR_PROCESS, None, now);
                }
            }
            Op::Command(request, signal) => outcome = Some(self.command(request, *signal, now)),
        }
        self.settle(now);
        invariants::after(&before, self, op, outcome.as_ref());
        outcome
    }

    /// The events after `known`, as every activity answers with.
    pub(super) fn news(&self, known: i64) -> &[Event] {
        let from = usize::try_from(known).expect("a revision");
        &self.events[from..]
    }

    fn call(&mut self, effect: Effect, now: Timestamp) {
        if !phase::todo(&self.order, now).allows(effect, now) {
            return;
        }
        let step = effect.step;
        let answer = self.answer(step);
        let failure = |order: &Order, unknown, refused| Change::AttemptFailed {
            effect,
            attempt: 1 + order.fault_of(effect).map_or(0, |fault| fault.attempts),
            error: "as scripted".to_owned(),
            unknown,
            refused,
        };
        let change = match self.ledger.ask(&self.order, effect, answer, now) {
            Reply::Change(change) => change,
            Reply::Failed => failure(&self.order, false, false),
            Reply::NoAnswer => failure(&self.order, true, false),
            Reply::Refused => {
                let failed = || failure(&self.order, false, step.is_payment());
                refusal(effect).unwrap_or_else(failed)
            }
        };
        if !matches!(change, Change::AttemptFailed { .. }) {
            assert_eq!(change.outcome_of(), Some(effect));
        }
        self.append(change, ACTOR_PROCESS, None, now);
    }

    fn answer(&mut self, step: Step) -> Answer {
        let own = self.step_answers.get_mut(&step);
        own.and_then(VecDeque::pop_front)
            .or_else(|| self.answers.pop_front())
            .unwrap_or(Answer::Good)
    }

    fn command(
        &mut self,
        request: &CommandRequest,
        signal: Option<u32>,
        now: Timestamp,
    ) -> Outcome {
        if let Command::ConfirmPayment(payment) = &request.command {
            return self.confirm(request, payment, signal, now);
        }
        let fingerprint = request.fingerprint(&self.order.order_id);
        let decision = match self.requests.get(&request.request_id) {
            Some(before) if *before == fingerprint => return Outcome::Done { replayed: true },
            Some(_) => Err(Refusal::RequestReused),
            None => request.decide(&self.order, now),
        };
        let id = &request.request_id;
        match decision {
            Ok(change) => {
                if let Change::PickedUp { .. } = &change {
                    self.ledger.picked_up(&self.order)
                }
                self.append(change, &request.actor, Some(id), now);
                self.requests.insert(id.clone(), fingerprint);
                Outcome::Done { replayed: false }
            }
            Err(refusal) => self.refuse(request, refusal, signal, now),
        }
    }

    fn refuse(
        &mut self,
        request: &CommandRequest,
        refusal: Refusal,
        signal: Option<u32>,
        now: Timestamp,
    ) -> Outcome {
        if let Some(number) = signal
            && self.keys.insert(format!("refused_signal/{number}"))
        {
            let change = Change::CommandRefused {
                command: request.command.kind().to_string(),
                reason: refusal.to_string(),
            };
            self.append(change, &request.actor, Some(&request.request_id), now);
        }
        Outcome::Refused(refusal)
    }

    /// As store/receipts.rs does it.
    fn confirm(
        &mut self,
        request: &CommandRequest,
        payment: &ConfirmPayment,
        signal: Option<u32>,
        now: Timestamp,
    ) -> Outcome {
        let fingerprint = request.fingerprint(&self.order.order_id);
        let mut id = request.request_id.clone();
        match (self.requests.get(&id), signal) {
            (Some(before), _) if *before == fingerprint => return Outcome::Done { replayed: true },
            (Some(_), None) => return Outcome::Refused(Refusal::RequestReused),
            (Some(_), Some(_)) => id = format!("signal/{fingerprint}"),
            (None, _) => {}
        }
        let transaction_id = &payment.transaction_id;
        let before = self.receipts.get(transaction_id).cloned();
        let elsewhere = transaction_id == ELSEWHERE;
        let known = match before {
            Some(amount) if amount == payment.amount => {
                self.requests.insert(id, fingerprint);
                return Outcome::Done { replayed: true };
            }
            Some(amount) => Some(KnownTransaction::OtherAmount { amount }),
            None => elsewhere.then_some(KnownTransaction::OtherPayment),
        };
        let decision = match signal {
            None => request.decide(&self.order, now),
            Some(_) => request.command.decide(&self.order, now),
        };
        let refusal = match (decision, known) {
            (Err(refusal), _) if refusal.is_recorded() => refusal,
            (Err(refusal), _) => return self.refuse(request, refusal, signal, now),
            (Ok(_), Some(known)) => Refusal::TransactionKnown {
                transaction_id: transaction_id.clone(),
                known,
            },
            (Ok(change), None) => {
                if let Change::PaymentConfirmed { counted, .. } = &change {
                    self.ledger
                        .confirm(&self.order, payment.amount.minor, *counted);
                }
                self.append(change, &request.actor, Some(&id), now);
                self.receipts
                    .insert(transaction_id.clone(), payment.amount.clone());
                self.requests.insert(id, fingerprint);
                return Outcome::Done { replayed: false };
            }
        };
        if self
            .keys
            .insert(format!("refused/{transaction_id}/{}", payment.amount))
        {
            let change = Change::PaymentRefused {
                transaction_id: transaction_id.clone(),
                amount: payment.amount.clone(),
                reason: refusal.to_string(),
                other_order_id: elsewhere.then(|| "order-2".to_owned()),
            };
            self.append(change, &request.actor, Some(&id), now);
        }
        Outcome::Refused(refusal)
    }

    fn settle(&mut self, now: Timestamp) {
        for _ in 0..16 {
            let Some(change) = phase::todo(&self.order, now).record else {
                return;
            };
            self.append(change, ACTOR_PROCESS, None, now);
        }
        panic!("no end of changes in {}", self.order.state);
    }

    fn append(&mut self, change: Change, actor: &str, request_id: Option<&str>, now: Timestamp) {
        let event = Event {
            revision: self.order.revision + 1,
            time: now,
            actor: actor.to_owned(),
            request_id: request_id.map(str::to_owned),
            change,
        };
        // The database takes the outcome of an effect once.
        if let Some(effect) = event.change.outcome_of() {
            let is_new = self.keys.insert(effect.to_string());
            assert!(is_new, "{effect} recorded twice");
        }
        self.order.apply(&event);
        self.events.push(event);
    }
}

fn refusal(effect: Effect) -> Option<Change> {
    let reason = "as scripted".to_owned();
    match effect.step {
        Step::Screen => Some(Change::FraudDetected { effect, reason }),
        Step::ReserveInventory => Some(Change::OutOfStock { effect, reason }),
        Step::AuthorizePayment | Step::CapturePayment | Step::ChargePayment => {
            Some(Change::PaymentDeclined { effect, reason })
        }
        _ => None,
    }
}
