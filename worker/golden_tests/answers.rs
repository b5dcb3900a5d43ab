//! Inputs and answers of activities, updates and workflows.

use super::{
    commands::request,
    events::event,
    orders::{deadline, money, second},
    sample::{Sample, time},
};
use crate::activities::{
    CommandInput, CommandNews, CommandReply, DeadlineInput, News, Progress, Signal, SignalsInput,
    SignalsNews, StepInput,
    replenishment::{Delivery, OnOrder, ReceiveInput, Received, Replenishment},
};
use orders_domain::{
    command::{Command, CommandKind, KnownTransaction, Refusal},
    effect::Effect,
    event::Change,
    money::Money,
    state::OrderState,
    step::Step,
};

/// One of each.
pub fn samples() -> Vec<Sample> {
    let mut samples = vec![
        Sample::new("progress", progress()),
        Sample::new("news", news()),
        Sample::new(
            "step-input",
            StepInput {
                progress: progress(),
                effect: second(Step::RedirectShipment),
            },
        ),
        Sample::new(
            "command-input",
            CommandInput {
                progress: progress(),
                request: request(Command::ConfirmDelivery),
            },
        ),
        Sample::new(
            "signals-input",
            SignalsInput {
                progress: progress(),
                signals: vec![Signal {
                    request: request(Command::ConfirmDelivery),
                    own: true,
                    numbered: false,
                }],
            },
        ),
        Sample::new(
            "signals-news",
            SignalsNews {
                news: News {
                    behind: true,
                    ..news()
                },
                taken: 1,
            },
        ),
        Sample::new(
            "deadline-input",
            DeadlineInput {
                progress: progress(),
                deadline: deadline(),
            },
        ),
        Sample::new("replenishment", replenishment()),
        Sample::new("on-order-nothing", OnOrder::default()),
        Sample::new(
            "on-order",
            OnOrder {
                delivery: Some(Delivery {
                    supplier_order_id: "supply-1".to_owned(),
                    due_time: time(9),
                }),
            },
        ),
        Sample::new(
            "receive-input",
            ReceiveInput {
                sku: "sku-1".to_owned(),
                supplier_order_id: "supply-1".to_owned(),
                now: time(9),
            },
        ),
        Sample::new("received", Received { taken_in: true }),
    ];
    for reply in replies() {
        let name = match &reply {
            CommandReply::Done { .. } => "done",
            CommandReply::Refused { .. } => "refused",
        };
        let answer = CommandNews {
            news: news(),
            reply: reply.clone(),
        };
        samples.push(Sample::new(format!("command-news-{name}"), answer));
        samples.push(Sample::new(format!("command-reply-{name}"), reply));
    }
    for refusal in std::iter::successors(Some(Refusal::RequestReused), after) {
        let name = match &refusal {
            Refusal::RequestReused => "request-reused",
            Refusal::NotAllowed { .. } => "not-allowed",
            Refusal::Moved { .. } => "moved",
            Refusal::WrongAmount { .. } => "wrong-amount",
            Refusal::WrongCurrency { .. } => "wrong-currency",
            Refusal::TransactionKnown { .. } => "transaction-known",
            Refusal::PaymentKnown { .. } => "payment-known",
            Refusal::Invalid { .. } => "invalid",
            Refusal::ProviderSays { .. } => "provider-says",
            Refusal::NotVouched { .. } => "not-vouched",
        };
        samples.push(Sample::new(format!("refusal-{name}"), refusal));
    }
    samples
}

fn progress() -> Progress {
    Progress {
        order_id: "order-1".to_owned(),
        known: 3,
        now: time(5),
        placed: time(1),
    }
}

fn news() -> News {
    let screened = Change::Screened {
        effect: Effect::first(Step::Screen),
    };
    News {
        events: vec![event(screened), event(Change::Delivered)],
        behind: false,
    }
}

fn replenishment() -> Replenishment {
    Replenishment {
        sku: "sku-1".to_owned(),
    }
}

fn replies() -> [CommandReply; 2] {
    [
        CommandReply::Done {
            revision: 7,
            fingerprint: "0123456789abcdef".to_owned(),
            replayed: true,
        },
        CommandReply::Refused {
            revision: 7,
            refusal: Refusal::RequestReused,
        },
    ]
}

/// A new refusal does not compile until it has its place in the row.
fn after(refusal: &Refusal) -> Option<Refusal> {
    Some(match refusal {
        Refusal::RequestReused => Refusal::NotAllowed {
            command: CommandKind::ConfirmPickup,
            state: OrderState::Placed,
            allowed: vec![CommandKind::CancelOrder],
            why: Some("the carrier was not asked for the pickup yet".to_owned()),
        },
        Refusal::NotAllowed { .. } => Refusal::Moved {
            expected: 3,
            actual: 4,
        },
        Refusal::Moved { .. } => Refusal::WrongAmount {
            amount: Money::new("EUR", 1),
        },
        Refusal::WrongAmount { .. } => Refusal::WrongCurrency {
            amount: Money::new("EUR", 1),
            currency: "USD".to_owned(),
        },
        Refusal::WrongCurrency { .. } => Refusal::TransactionKnown {
            transaction_id: "txn-1".to_owned(),
            known: KnownTransaction::OtherAmount { amount: money() },
        },
        Refusal::TransactionKnown { .. } => Refusal::PaymentKnown {
            step: Step::ChargePayment,
            known: "the payment journal holds no movement".to_owned(),
        },
        Refusal::PaymentKnown { .. } => Refusal::invalid("actor", "is too long"),
        Refusal::Invalid { .. } => Refusal::ProviderSays {
            step: Step::ChargePayment,
            said: "the payment provider says that it never moved".to_owned(),
        },
        Refusal::ProviderSays { .. } => Refusal::NotVouched {
            what: "actor".to_owned(),
        },
        Refusal::NotVouched { .. } => return None,
    })
}
