//! One order from placing to closed, with everything that happens around it.

use super::{
    plan::{self, Plan, is_long},
    send::{Answer, Asked, Line},
};
use orders::v1::{Command, DeliveryMode, Order, OrderState};
use std::{
    sync::Mutex,
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// The longest that an order may take: the presets wait seconds between attempts, and each kill
/// costs some more.
const LONGEST: Duration = Duration::from_secs(300);

/// Between two looks at an order.
const LOOK: Duration = Duration::from_millis(150);

/// An order that was played to its end.
pub struct Played {
    /// What was to happen.
    pub plan: Plan,
    /// What was asked of it, and what the callers heard.
    pub asked: Vec<(Asked, Answer)>,
    /// How it closed.
    pub order: Order,
}

/// Plays one order.
pub async fn play(line: &Line, plan: Plan) -> Played {
    place(line, &plan).await;
    let asked = Mutex::new(Vec::new());
    let closed = CancellationToken::new();
    let commands = commands(line, &plan, &asked, &closed);
    let help = help(line, &plan, &asked, &closed);
    let ((), order) = futures::join!(commands, help);
    Played {
        asked: asked.into_inner().unwrap(),
        plan,
        order,
    }
}

async fn place(line: &Line, plan: &Plan) {
    let mut placing = plan.placing_now();
    let mut tries = 0;
    while let Err(status) = line.place(&placing).await {
        // The release has passed while the server was away: it is another request now.
        tries += 1;
        assert!(plan.policy.hold && tries < 50, "{placing:?}: {status:?}");
        placing = plan.placing_now();
    }
    if plan.twice {
        let again = line.place(&placing).await.unwrap();
        assert!(again.revision >= 1);
        placing.customer_id = "somebody else".to_owned();
        line.place(&placing).await.unwrap_err();
    }
}

/// Sends what is planned, at its time; after the order's end at once.
async fn commands(
    line: &Line,
    plan: &Plan,
    asked: &Mutex<Vec<(Asked, Answer)>>,
    closed: &CancellationToken,
) {
    let begin = tokio::time::Instant::now();
    for planned in &plan.commands {
        tokio::select! {
            () = closed.cancelled() => {}
            () = tokio::time::sleep_until(begin + planned.after) => {}
        }
        let mut command = planned.asked.clone();
        if let Some(distance) = planned.expects {
            let order = line.get(&command.order_id).await;
            command.expected_revision = Some((order.revision + distance).max(1));
        }
        let answer = line.send(&command).await;
        asked.lock().unwrap().push((command, answer));
    }
}

/// Does what the order waits for, where nothing else would end the wait soon, until it is closed.
async fn help(
    line: &Line,
    plan: &Plan,
    asked: &Mutex<Vec<(Asked, Answer)>>,
    closed: &CancellationToken,
) -> Order {
    let begin = Instant::now();
    let mut dice = plan.dice.clone();
    for count in 0.. {
        let order = line.get(&plan.placing.order_id).await;
        if order.close_time.is_some() {
            closed.cancel();
            return order;
        }
        assert!(begin.elapsed() < LONGEST, "no end: {order:#?}");
        // Not at once: reminders and deadlines have their chance, too.
        if let Some(number) = needed(plan, &order).filter(|_| dice.chance(40)) {
            let order_id = &plan.placing.order_id;
            let command = plan::command(order_id, number, plan.cents(), true);
            let command = plan.asked(&format!("help-{count}"), command, dice.chance(50));
            let answer = line.send(&command).await;
            asked.lock().unwrap().push((command, answer));
        }
        tokio::time::sleep(LOOK).await;
    }
    unreachable!("the loop has no end")
}

/// The number of the command that the order needs.
fn needed(plan: &Plan, order: &Order) -> Option<usize> {
    let policy = &plan.policy;
    let allowed = |command: Command| order.allowed_commands().any(|c| c == command);
    match order.state() {
        OrderState::AwaitingPayment if plan.helpful || is_long(policy.payment_timeout) => Some(0),
        OrderState::AwaitingApproval if plan.helpful || is_long(policy.approval_timeout) => Some(1),
        OrderState::AwaitingRelease if plan.helpful || is_long(policy.release_grace_period) => {
            Some(2)
        }
        OrderState::InFulfillment if allowed(Command::ConfirmPickup) => Some(3),
        OrderState::InTransit if allowed(Command::ConfirmDelivery) => {
            let by_hand = policy.delivery_mode() == DeliveryMode::Confirm;
            (by_hand || is_long(policy.delivery_after)).then_some(4)
        }
        _ => None,
    }
}
