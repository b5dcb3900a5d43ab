//! Money that moves outside: a provider with its own books, asked between two transactions. Answers
//! are lost, calls come late or never, processes die before and after the call, and the order is
//! cancelled in between. Whatever happens, the books agree in the end, and nothing moves twice.

use super::{
    random::config,
    scenario::policy,
    story::{cancel, next_call, pay, pay_part, pickup, placed, review},
};
use crate::{
    command::{Command, CommandRequest, PaymentOutcome, Witness},
    effect::Effect,
    event::{Change, Event},
    movement::{Balance, Entry, EntryPhase, Journal, Movement, MovementKind, Task, expected},
    order::Order,
    phase,
    state::{OrderState, ReviewDecision},
    step::{CompensationOutcome, Step},
};
use jiff::Timestamp;
use proptest::{collection::vec, prelude::*};
use std::collections::{BTreeMap, BTreeSet};

/// A provider as the contract wants it.
#[derive(Default)]
struct Outside {
    moved: BTreeMap<String, (MovementKind, i64)>,
    closed: BTreeSet<String>,
}

impl Outside {
    /// Whether it moved, now or before.
    fn perform(&mut self, movement: &Movement) -> bool {
        if self.closed.contains(&movement.key) {
            return false;
        }
        let effect = (movement.kind, movement.amount);
        let before = self.moved.insert(movement.key.clone(), effect);
        assert!(
            before.is_none_or(|before| before == effect),
            "another effect"
        );
        true
    }

    fn resolve(&mut self, movement: &Movement) -> bool {
        let moved = self.moved.contains_key(&movement.key);
        if !moved {
            self.closed.insert(movement.key.clone());
        }
        moved
    }

    fn sum(&self, kinds: &[MovementKind]) -> i64 {
        let of = self.moved.values().filter(|(kind, _)| kinds.contains(kind));
        of.map(|(_, amount)| amount).sum()
    }
}

struct World {
    now: Timestamp,
    order: Order,
    journal: Journal,
    outside: Outside,
    /// Calls that nobody waits for any more, and that have not arrived yet.
    late: Vec<Movement>,
    /// The effects that had their outcome.
    had: BTreeSet<Effect>,
    dice: Vec<u8>,
}

impl World {
    fn roll(&mut self) -> u8 {
        // All is well once the dice are used up.
        self.dice.pop().unwrap_or(0)
    }

    fn append(&mut self, change: Change) {
        let about_money = change.is_about_money();
        let event = Event {
            revision: self.order.revision + 1,
            time: self.now,
            actor: "test".to_owned(),
            request_id: None,
            change,
        };
        if let Some(effect) = event.change.outcome_of() {
            assert!(self.had.insert(effect), "two effects are {effect}");
            assert!(!self.order.used_up.contains(&effect), "{effect} is used up");
        }
        self.order.apply(&event);
        if about_money && let Some(expected) = expected(&self.order) {
            assert_eq!(self.balance(), expected, "after {:?}", event.change);
        }
    }

    fn balance(&self) -> Balance {
        self.journal
            .balance()
            .expect("a journal without contradiction")
    }

    fn write(&mut self, movement: &Movement, phase: EntryPhase) {
        if phase != EntryPhase::Intent && self.journal.moved(&movement.key).is_some() {
            return;
        }
        self.journal.entries.push(Entry {
            key: movement.key.clone(),
            kind: movement.kind,
            phase,
            amount: movement.amount,
            transaction_id: (phase == EntryPhase::Succeeded).then(|| movement.key.clone()),
        });
        self.balance();
    }

    fn command(&mut self, command: Command) {
        let request = CommandRequest {
            request_id: "request".to_owned(),
            actor: "test".to_owned(),
            expected_revision: None,
            seen_revision: 0,
            attempt: String::new(),
            command,
        };
        let Ok(change) = request.decide(&self.order, self.now) else {
            return;
        };
        if let Change::PaymentConfirmed { counted, .. } = change {
            let movement = Movement {
                key: self
                    .order
                    .effect(Step::ChargePayment)
                    .key(&self.order.order_id),
                payment_id: self.order.payment.payment_id.clone(),
                kind: MovementKind::Confirm,
                amount: counted,
                original: None,
            };
            self.write(&movement, EntryPhase::Succeeded);
            self.outside.perform(&movement);
        }
        self.append(change);
    }

    fn perhaps_cancelled(&mut self) {
        if self.roll() % 8 == 7 {
            self.command(cancel());
        }
    }

    fn is_next(&self, effect: Effect) -> bool {
        next_call(&self.order, self.now).is_some_and(|(next, _)| next == effect)
    }

    /// What worker/activities do for a payment effect, transaction by transaction.
    fn payment(&mut self, effect: Effect) {
        let task = self.journal.task(&self.order, effect);
        let (movement, resolve) = match task.expect("no contradiction").expect("a payment") {
            Task::Moved(entry) => return self.done(effect, Some(entry.amount)),
            Task::Nothing => return self.done(effect, None),
            Task::Move(movement) => (movement, false),
            Task::Resolve(movement) => (movement, true),
        };
        if !resolve {
            self.write(&movement, EntryPhase::Intent);
        }
        if !effect.step.is_compensation() && self.order.in_flight != Some(effect) {
            self.append(Change::PaymentInitiated { effect });
        }
        self.perhaps_cancelled();
        let mut answer = None;
        match self.roll() % 8 {
            // The process dies before it asks.
            7 => return,
            // The call is lost on its way, or comes late.
            6 => {}
            5 if !resolve => self.late.push(movement.clone()),
            // It fails for certain.
            4 if !resolve => answer = Some(EntryPhase::Failed),
            // The answer is lost.
            3 => {
                self.ask(&movement, resolve);
            }
            // The process dies after the answer.
            2 => {
                self.ask(&movement, resolve);
                return;
            }
            _ => answer = Some(self.ask(&movement, resolve)),
        }
        self.perhaps_cancelled();
        let phase = answer.unwrap_or(EntryPhase::Indeterminate);
        self.write(&movement, phase);
        // The provider has closed the key: what is to be given back goes on under another one.
        let is_own = movement.key == effect.key(&self.order.order_id);
        if phase == EntryPhase::NotHappened && is_own {
            self.append(Change::PaymentResolved {
                effect,
                outcome: PaymentOutcome::NotHappened,
                witness: Witness::Provider,
                new_key: true,
                transaction_id: String::new(),
                amount: 0,
                evidence: "the provider knows nothing of it".to_owned(),
                reason: String::new(),
            });
        }
        if !self.is_next(effect) {
            return;
        }
        match phase {
            EntryPhase::Failed | EntryPhase::Indeterminate => {
                let unknown =
                    phase == EntryPhase::Indeterminate || self.journal.is_open(&movement.key);
                let change = Change::AttemptFailed {
                    effect,
                    attempt: 1,
                    error: "as rolled".to_owned(),
                    unknown,
                    refused: false,
                };
                self.append(change);
            }
            EntryPhase::Declined => self.append(Change::PaymentDeclined {
                effect,
                reason: "closed".to_owned(),
            }),
            // The next turn finds it in the journal.
            _ => {}
        }
    }

    fn ask(&mut self, movement: &Movement, resolve: bool) -> EntryPhase {
        match resolve {
            true if self.outside.resolve(movement) => EntryPhase::Succeeded,
            true => EntryPhase::NotHappened,
            false if self.outside.perform(movement) => EntryPhase::Succeeded,
            false => EntryPhase::Declined,
        }
    }

    fn done(&mut self, effect: Effect, amount: Option<i64>) {
        let transaction_id = effect.key(&self.order.order_id);
        let moved = amount.unwrap_or_default();
        self.append(match effect.step {
            Step::AuthorizePayment => Change::PaymentAuthorized {
                effect,
                transaction_id,
                amount: moved,
            },
            Step::CapturePayment | Step::ChargePayment => Change::PaymentCaptured {
                effect,
                transaction_id,
                amount: moved,
            },
            _ => Change::Compensated {
                effect,
                outcome: match amount {
                    Some(_) => CompensationOutcome::Done,
                    None => CompensationOutcome::NotNeeded,
                },
                amount: moved,
            },
        });
    }

    /// Everything else goes well.
    fn other(&mut self, effect: Effect) {
        let (id, carrier, tracking) = ("id".to_owned(), "carrier".to_owned(), "T".to_owned());
        let change = match effect.step {
            Step::Screen => Change::Screened { effect },
            Step::ReserveInventory => Change::InventoryReserved {
                effect,
                reservation_id: id,
            },
            Step::PreparePackage => Change::PackagePrepared {
                effect,
                shipment_id: id,
                carrier,
                tracking_number: tracking,
            },
            Step::RequestPickup => Change::PickupRequested {
                effect,
                shipment_id: id,
                carrier,
                tracking_number: tracking,
            },
            Step::RedirectShipment => Change::ShipmentRedirected { effect },
            Step::DispatchShipment => Change::Shipped {
                effect,
                shipment_id: id,
                carrier,
                tracking_number: tracking,
                estimated_delivery_time: self.now,
            },
            Step::CommitReservation => Change::ReservationCommitted { effect },
            _ => Change::Compensated {
                effect,
                outcome: CompensationOutcome::Done,
                amount: 0,
            },
        };
        self.append(change);
    }

    fn wait(&mut self) {
        let deadline = self.order.next_deadline();
        let deadline = deadline.filter(|_| self.roll() % 4 == 3);
        if let Some(deadline) = deadline {
            self.now = self.now.max(deadline.expire_time);
            if let Some(change) = phase::deadline_passed(&self.order, &deadline, self.now) {
                self.append(change);
            }
            return;
        }
        let reject = self.roll() % 4 == 3;
        let command = match self.order.state {
            OrderState::AwaitingPayment if reject => pay_part(&self.order),
            OrderState::AwaitingPayment => pay(&self.order),
            OrderState::AwaitingApproval if reject => review(ReviewDecision::Reject),
            OrderState::AwaitingApproval => review(ReviewDecision::Approve),
            OrderState::AwaitingRelease => Command::StartFulfillment,
            OrderState::InFulfillment => pickup(None),
            _ => Command::ConfirmDelivery,
        };
        self.command(command);
    }

    fn turn(&mut self) {
        if !self.late.is_empty() && self.roll() % 4 == 3 {
            let movement = self.late.remove(0);
            self.outside.perform(&movement);
        }
        let todo = phase::todo(&self.order, self.now);
        if let Some(change) = todo.record {
            self.append(change);
        } else if let Some(due) = todo.due.first() {
            self.now = due.not_before.unwrap_or(self.now).max(self.now);
            if due.effect.step.is_payment() {
                self.payment(due.effect);
            } else {
                self.other(due.effect);
            }
        } else if todo.waits {
            self.wait();
        }
        self.perhaps_cancelled();
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn money_outside_is_moved_once_and_given_back(
        policy in policy(),
        price in prop_oneof![Just(100_i64), Just(1_000_000)],
        dice in vec(any::<u8>(), 0..80),
    ) {
        let order = placed(&policy, price).order;
        let total = order.total.minor;
        let mut world = World {
            now: order.place_time,
            order,
            journal: Journal::default(),
            outside: Outside::default(),
            late: Vec::new(),
            had: BTreeSet::new(),
            dice,
        };
        for _ in 0..400 {
            world.turn();
        }
        prop_assert!(world.order.state.is_closed(), "stuck in {:?}", world.order);
        // Whatever was still on its way arrives now, and changes nothing.
        for movement in std::mem::take(&mut world.late) {
            world.outside.perform(&movement);
        }
        let outside = &world.outside;
        let taken = outside.sum(&[
            MovementKind::Capture,
            MovementKind::Charge,
            MovementKind::Confirm,
        ]);
        let kept = taken - outside.sum(&[MovementKind::Refund]);
        let owed = if world.order.state == OrderState::Completed { total } else { 0 };
        prop_assert_eq!(kept, owed, "{:?}", world.journal);
        let balance = world.balance();
        prop_assert_eq!(balance.captured, taken);
        prop_assert_eq!(balance.kept(), owed);
        // What was held was taken, or given back.
        let held = outside.sum(&[MovementKind::Authorize]);
        let voided = outside.sum(&[MovementKind::Void]);
        prop_assert!(held == 0 || taken == held || voided == held, "{:?}", world.journal);
        prop_assert_eq!(world.journal.open().count(), 0);
    }
}
