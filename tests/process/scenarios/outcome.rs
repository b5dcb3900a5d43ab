//! What became of an order of the table, and what is wrong with it.

use super::{Money, Scenario};
use orders::v1::{CloseReason, CompensationOutcome, Order, OrderState, PaymentState, StockItem};
use orders_test_support::TestServer;

/// What became of an order.
#[derive(Debug)]
pub struct Outcome {
    /// For the printed table.
    pub line: String,
    /// What is not as the table says; empty when all is well.
    pub wrong: Vec<String>,
    /// The order, for whoever must find out why.
    pub _order: Option<Order>,
}

/// What may go by beside the waits, in seconds: the work itself.
const WORK: i64 = 25;

impl Outcome {
    /// The head of the printed table.
    pub const HEAD: &str = concat!(
        "policy           | path                                          ",
        "| closed as               | money     | undone, in this order                  | seconds"
    );

    /// Looks at a closed order, its money and its stock.
    pub async fn of(
        scenario: &Scenario,
        order: &Order,
        stock: &StockItem,
        server: &TestServer,
    ) -> Outcome {
        let undone: Vec<String> = order
            .compensations
            .iter()
            .map(|c| short(c.step().as_str_name(), "COMPENSATION_STEP_"))
            .collect();
        let reason = order.close_reason();
        let seconds =
            order.close_time.as_ref().unwrap().seconds - order.place_time.as_ref().unwrap().seconds;
        let line = format!(
            "{:16} | {:45} | {:23} | {:9} | {:38} | {seconds}",
            scenario.policy,
            scenario.path,
            short(reason.as_str_name(), "CLOSE_REASON_"),
            format!("{:?}", scenario.end.money),
            undone.join(" "),
        );
        let mut wrong = Vec::new();
        let mut expect = |what: &str, is: String, should: String| {
            if is != should {
                wrong.push(format!("{what} is {is}, not {should}"));
            }
        };
        let end = &scenario.end;
        expect(
            "close reason",
            format!("{reason:?}"),
            format!("{:?}", end.reason),
        );
        let state = closed_state(end.reason);
        expect(
            "state",
            format!("{:?}", order.state()),
            format!("{state:?}"),
        );
        let planned = end.undone.iter();
        let planned: Vec<String> = planned
            .map(|step| short(step.as_str_name(), "COMPENSATION_STEP_"))
            .collect();
        expect("undone", undone.join(" "), planned.join(" "));
        for compensation in &order.compensations {
            let outcome = compensation.outcome();
            expect(
                "the undo's outcome",
                format!("{outcome:?}"),
                format!("{:?}", CompensationOutcome::Done),
            );
        }
        expect(
            "money (state, held, taken, given back)",
            money(order, server).await,
            planned_money(scenario),
        );
        expect(
            "stock (on hand, reserved)",
            format!("{:?}", (stock.on_hand(), stock.reserved)),
            format!("{:?}", (planned_on_hand(scenario), 0)),
        );
        if let Some(planned) = end.seconds
            && !(planned..=planned + WORK).contains(&seconds)
        {
            wrong.push(format!("{seconds} s, not {planned}"));
        }
        let _order = (!wrong.is_empty()).then(|| order.clone());
        Outcome {
            line,
            wrong,
            _order,
        }
    }
}

fn short(name: &str, prefix: &str) -> String {
    name.trim_start_matches(prefix).to_owned()
}

fn closed_state(reason: CloseReason) -> OrderState {
    match reason {
        CloseReason::Completed => OrderState::Completed,
        CloseReason::CustomerCancelled
        | CloseReason::PaymentTimeout
        | CloseReason::ReleaseDeadlinePassed
        | CloseReason::FulfillmentFailed => OrderState::Cancelled,
        _ => OrderState::Rejected,
    }
}

/// The payment's state, and the journal's sums of it: held and not let go, taken, given back.
async fn money(order: &Order, server: &TestServer) -> String {
    let payment = order.payment.as_ref().unwrap();
    let mut sums = Vec::new();
    for sum in [
        "SELECT authorized * (1 - voided) FROM payments WHERE order_id = $1",
        "SELECT captured FROM payments WHERE order_id = $1",
        "SELECT refunded FROM payments WHERE order_id = $1",
    ] {
        sums.push(server.count(sum, &order.order_id).await);
    }
    format!("{:?} {sums:?}", payment.state())
}

fn planned_money(scenario: &Scenario) -> String {
    let all = scenario.cents();
    let (state, sums) = match scenario.end.money {
        Money::Untouched if scenario.end.reason == CloseReason::PaymentDeclined => {
            (PaymentState::Declined, [0, 0, 0])
        }
        Money::Untouched => (PaymentState::None, [0, 0, 0]),
        Money::Voided => (PaymentState::Voided, [0, 0, 0]),
        Money::Refunded => (PaymentState::Refunded, [all, all, all]),
        Money::Captured => (PaymentState::Captured, [all, all, 0]),
    };
    format!("{state:?} {sums:?}")
}

/// One piece was on the shelf. A completed order took it, unless its policy keeps no stock.
fn planned_on_hand(scenario: &Scenario) -> i64 {
    let took = scenario.end.reason == CloseReason::Completed && scenario.policy != "shipping-lane";
    if took { 0 } else { 1 }
}
