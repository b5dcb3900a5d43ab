//! The workflow's side: asks what is next, has it done, folds the news. It may lag behind the
//! store in every way that a crash brings about.

use super::{
    scenario::Scenario,
    world::{Op, World},
};
use crate::{
    command::{Command, CommandRequest, ConfirmPickup},
    event::Change,
    order::{Deadline, Order},
    phase::todo,
    state::{DeadlineKind, OrderState},
    step::Step,
};

/// What goes wrong between the driver and the store.
#[derive(Clone, Copy, Debug)]
pub(super) enum Lag {
    None,
    /// Committed, then forgotten: the driver never hears of it.
    Forget,
    /// Not committed: nothing happened.
    RollBack,
    /// The driver starts anew from an older copy: that many parts of 256 of the log.
    Reset(u8),
    /// A step from before the crash is carried out late.
    LateStep(Step),
    /// The end of a wait from before the crash is noticed late: that many parts of 256.
    LateDeadline(u8),
}

struct Driver<'a> {
    scenario: &'a Scenario,
    /// What the driver knows; the store may be ahead.
    order: Order,
    arrived: usize,
    /// Every deadline that the order ever had.
    deadlines: Vec<Deadline>,
}

/// Runs an order to its end. `lags` are used up one by one; afterwards nothing goes wrong.
pub(super) fn run(scenario: &Scenario, lags: &[Lag]) -> World {
    let mut world = scenario.world();
    let mut driver = Driver {
        scenario,
        order: world.order.clone(),
        arrived: 0,
        deadlines: Vec::new(),
    };
    let mut lags = lags.iter().copied();
    for _ in 0..1_000 {
        let lag = lags.next().unwrap_or(Lag::None);
        driver.deliver(&mut world, lag);
        match lag {
            Lag::Reset(parts) => driver.reset(&world, parts),
            Lag::LateStep(step) => {
                let effect = world.order.effect(step);
                world.transact(&Op::Effect(effect));
            }
            Lag::LateDeadline(parts) => {
                let index = part(driver.deadlines.len(), parts);
                let late = driver.deadlines.get(index);
                // The one that the order waits for now is not late.
                if let Some(deadline) = late.filter(|late| !world.order.deadlines.contains(late)) {
                    world.transact(&Op::Deadline(*deadline));
                }
            }
            _ => {}
        }
        if let Some(op) = driver.next(&mut world) {
            driver.transact(&mut world, &op, lag);
        }
        if driver.order.state.is_closed() && driver.arrived == scenario.commands.len() {
            let news = world.news(driver.order.revision).iter();
            news.for_each(|event| driver.order.apply(event));
            assert_eq!(driver.order, world.order, "two folds of one log");
            return world;
        }
    }
    panic!("no end: {:#?}", world.order);
}

fn part(of: usize, parts: u8) -> usize {
    of * usize::from(parts) / 256
}

/// How much has happened, without what depends on when a wait is noticed to be over.
fn progress(world: &World) -> usize {
    let counts = |change: &Change| {
        !matches!(
            change,
            Change::PickupReminded
                | Change::CommandRefused { .. }
                | Change::PaymentRefused { .. }
                | Change::DeadlinePassed {
                    kind: DeadlineKind::Delivery
                }
        )
    };
    world
        .events
        .iter()
        .filter(|event| counts(&event.change))
        .count()
}

impl Driver<'_> {
    /// Hands over the commands that are due; after the end, all that are left.
    fn deliver(&mut self, world: &mut World, lag: Lag) {
        while let Some(arrival) = self.scenario.commands.get(self.arrived) {
            if arrival.at > progress(world) && !world.order.state.is_closed() {
                return;
            }
            self.arrived += 1;
            // Refused by an order that has not begun, the same command may do a moment later.
            let lag = match world.order.revision {
                1 => Lag::None,
                _ => lag,
            };
            if let (true, Some(deadline)) = (arrival.late, world.order.next_deadline()) {
                world.clock = world.clock.max(deadline.expire_time);
            }
            let number = u32::try_from(self.arrived).expect("few commands");
            let request = arrival.request(&world.order);
            let op = Op::Command(request, arrival.signal.then_some(number));
            self.transact(world, &op, lag);
            if matches!(lag, Lag::Forget | Lag::RollBack) {
                // Whoever did not hear of it does it again.
                self.transact(world, &op, Lag::None);
            }
        }
    }

    fn transact(&mut self, world: &mut World, op: &Op, lag: Lag) {
        let before = matches!(lag, Lag::RollBack).then(|| world.clone());
        world.transact(op);
        if let Some(before) = before {
            *world = before;
            return;
        }
        for deadline in &world.order.deadlines {
            if !self.deadlines.contains(deadline) {
                self.deadlines.push(*deadline);
            }
        }
        if !matches!(lag, Lag::Forget) {
            for event in world.news(self.order.revision) {
                self.order.apply(event);
            }
        }
    }

    fn reset(&mut self, world: &World, parts: u8) {
        let known = 1 + part(world.events.len(), parts);
        let mut order = Order::from_placed(&world.events[0]).expect("placed first");
        let log = world.events[..known.min(world.events.len())].iter();
        log.for_each(|event| order.apply(event));
        self.order = order;
    }

    /// What the workflow would have done next, as far as it knows; none when it only waited.
    fn next(&self, world: &mut World) -> Option<Op> {
        let todo = todo(&self.order, world.clock);
        if todo.record.is_some() {
            return Some(Op::Settle);
        }
        if let Some(effect) = todo.ready(world.clock).next() {
            return Some(Op::Effect(effect));
        }
        if todo.waits
            && let Some(command) = self.help(world)
        {
            return Some(Op::Command(command, None));
        }
        let Some(time) = todo.next_time() else {
            // The command came, and the driver forgot: its caller asks again.
            return todo.waits.then_some(Op::Settle);
        };
        world.clock = world.clock.max(time);
        let passed = todo
            .deadline
            .filter(|deadline| deadline.expire_time == time);
        passed.map(Op::Deadline)
    }

    /// People outside do what the order waits for.
    fn help(&self, world: &World) -> Option<CommandRequest> {
        let order = &world.order;
        let todo = todo(order, order.update_time);
        if todo.is_work() || !todo.waits {
            return None;
        }
        let samples: [Command; 7] = super::replies::samples(order).try_into().ok()?;
        let [payment, review, start, _, delivery, ..] = samples;
        let pickup = Command::ConfirmPickup(ConfirmPickup {
            tracking_number: Some("given by the driver".to_owned()),
        });
        let helpful = self.scenario.helpful;
        let command: Command = match order.state {
            OrderState::AwaitingPayment if helpful => payment,
            OrderState::AwaitingApproval if helpful => review,
            OrderState::AwaitingRelease if helpful => start,
            OrderState::InFulfillment if order.shipment.reminders >= 2 => pickup,
            OrderState::InTransit if order.deadlines.is_empty() => delivery,
            _ => return None,
        };
        Some(CommandRequest {
            request_id: format!("help-{}", order.state),
            actor: "helper".to_owned(),
            expected_revision: None,
            seen_revision: order.revision,
            attempt: String::new(),
            command,
        })
    }
}
