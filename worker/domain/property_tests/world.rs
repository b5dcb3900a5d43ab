//! The store's side: one order, locked by each transaction, which does what worker/activities do:
//! lock, look at the fence, ask, record, settle what follows.

use super::{
    invariants,
    ledger::{Answer, Ledger, Reply},
};
use crate::domain::{
    command::{CommandRequest, Refusal},
    event::{ACTOR_PROCESS, Change, Event},
    order::{Deadline, Order},
    phase::{self, Todo},
    step::Step,
};
use jiff::Timestamp;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// What a process asks of the world: one transaction.
#[allow(clippy::large_enum_variant, reason = "a story has some tens of them")]
#[derive(Clone, Debug)]
pub(super) enum Op {
    Settle,
    Step(Step),
    Deadline(Deadline),
    /// With the number of the signal, where it is one.
    Command(CommandRequest, Option<u32>),
}

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
            Op::Step(step) => self.step(*step, now),
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

    fn step(&mut self, step: Step, now: Timestamp) {
        let fence = match phase::todo(&self.order, now) {
            Todo::Call {
                step: next,
                not_before,
            } => next == step && not_before.is_none_or(|time| time <= now),
            _ => false,
        };
        if !fence {
            return;
        }
        let answer = self.answer(step);
        let failure = |order: &Order, unknown, refused| Change::AttemptFailed {
            step,
            attempt: 1 + order
                .fault
                .as_ref()
                .filter(|fault| fault.step == step)
                .map_or(0, |fault| fault.attempts),
            error: "as scripted".to_owned(),
            unknown,
            refused,
        };
        let change = match self.ledger.ask(&self.order, step, answer, now) {
            Reply::Change(change) => change,
            Reply::Failed => failure(&self.order, false, false),
            Reply::NoAnswer => failure(&self.order, true, false),
            Reply::Refused => {
                let failed = || failure(&self.order, false, step.is_payment());
                refusal(step).unwrap_or_else(failed)
            }
        };
        let failed = matches!(change, Change::AttemptFailed { .. });
        // The database takes the outcome of a step once.
        if !failed {
            let key = self.order.step_key(step);
            assert!(self.keys.insert(key), "{step} recorded twice");
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
        let fingerprint = request.fingerprint(&self.order.order_id);
        let decision = match self.requests.get(&request.request_id) {
            Some(before) if *before == fingerprint => return Outcome::Done { replayed: true },
            Some(_) => Err(Refusal::RequestReused),
            None => request.decide(&self.order, now),
        };
        let id = &request.request_id;
        match decision {
            Ok(change) => {
                match &change {
                    Change::PaymentConfirmed { .. } => self.ledger.confirm(&self.order),
                    Change::PickedUp { .. } => self.ledger.picked_up(&self.order),
                    _ => {}
                }
                self.append(change, &request.actor, Some(id), now);
                self.requests.insert(id.clone(), fingerprint);
                Outcome::Done { replayed: false }
            }
            Err(refusal) => {
                if let Some(number) = signal
                    && self.keys.insert(format!("refused_signal/{number}"))
                {
                    let change = Change::CommandRefused {
                        command: request.command.kind().to_string(),
                        reason: refusal.to_string(),
                    };
                    self.append(change, &request.actor, Some(id), now);
                }
                Outcome::Refused(refusal)
            }
        }
    }

    fn settle(&mut self, now: Timestamp) {
        for _ in 0..16 {
            match phase::todo(&self.order, now) {
                Todo::Record(change) => self.append(change, ACTOR_PROCESS, None, now),
                _ => return,
            }
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
        self.order.apply(&event);
        self.events.push(event);
    }
}

fn refusal(step: Step) -> Option<Change> {
    let reason = "as scripted".to_owned();
    match step {
        Step::Screen => Some(Change::FraudDetected { reason }),
        Step::ReserveInventory => Some(Change::OutOfStock { reason }),
        Step::AuthorizePayment | Step::CapturePayment | Step::ChargePayment => {
            Some(Change::PaymentDeclined { reason })
        }
        _ => None,
    }
}
