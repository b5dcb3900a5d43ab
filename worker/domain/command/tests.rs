//! What [`CommandRequest::check`] refuses: everything that the API refuses.

use super::*;
use crate::{
    address::Address, money::Money, payment_method::PaymentMethodType, state::ReviewDecision,
};
use serde_json::{Value, json};

#[test]
fn names_that_the_api_refuses_are_refused_here() {
    let request = |request_id: &str, actor: &str, command: Command| CommandRequest {
        request_id: request_id.to_owned(),
        actor: actor.to_owned(),
        expected_revision: None,
        seen_revision: 0,
        attempt: String::new(),
        command,
    };
    let review = |reviewer: &str| {
        Command::ReviewOrder(ReviewOrder {
            decision: ReviewDecision::Approve,
            reviewer: reviewer.to_owned(),
            reason: "line\nbreaks are fine".to_owned(),
        })
    };
    assert!(request("r-0", "", Command::ConfirmDelivery).check().is_ok());
    assert!(request("r-1", "grace", review("ada")).check().is_ok());
    for actor in [
        "orders",
        "Temporal",
        "orders\u{200b}",
        "bob\u{1b}[31m\n2026",
        " a",
    ] {
        assert!(
            request("r-1", actor, review("ada")).check().is_err(),
            "{actor:?}"
        );
    }
    for request_id in ["w\0b", &"x".repeat(129)] {
        let unfit = request(request_id, "grace", Command::ConfirmDelivery);
        assert!(unfit.check().is_err(), "{request_id:?}");
    }
    assert!(
        request("r-1", "grace", review("a\u{202e}b"))
            .check()
            .is_err()
    );
}

/// One good request of each command, with every field set.
fn samples() -> Vec<CommandRequest> {
    let commands = vec![
        Command::ConfirmPayment(ConfirmPayment {
            transaction_id: "bank-1".to_owned(),
            amount: Money::new("USD", 10_000),
            payment_method: PaymentMethodType::BankTransfer,
            last4: "4242".to_owned(),
        }),
        Command::ReviewOrder(ReviewOrder {
            decision: ReviewDecision::Approve,
            reviewer: "ada".to_owned(),
            reason: "looked at it".to_owned(),
        }),
        Command::StartFulfillment,
        Command::ConfirmPickup(ConfirmPickup {
            tracking_number: Some("TRK1".to_owned()),
        }),
        Command::ConfirmDelivery,
        Command::UpdateShippingAddress(UpdateShippingAddress {
            shipping_address: Address {
                line1: "1 Main St".to_owned(),
                line2: "Flat 2".to_owned(),
                city: "Boston".to_owned(),
                region: "MA".to_owned(),
                postal_code: "02101".to_owned(),
                country_code: "US".to_owned(),
            },
        }),
        Command::CancelOrder(CancelOrder {
            reason: "changed my mind".to_owned(),
        }),
        Command::RetryOrder(RetryOrder {
            reason: "the bank is back".to_owned(),
        }),
        Command::ResolvePayment(ResolvePayment {
            step: Step::ChargePayment,
            outcome: PaymentOutcome::Succeeded,
            transaction_id: "txn-1".to_owned(),
            evidence: "statement 7".to_owned(),
            reason: "asked the bank".to_owned(),
        }),
    ];
    let kinds: Vec<CommandKind> = commands.iter().map(Command::kind).collect();
    assert_eq!(kinds, CommandKind::ALL, "a command without a sample");
    let requests = commands.into_iter().map(|command| CommandRequest {
        request_id: "request-1".to_owned(),
        actor: "grace".to_owned(),
        expected_revision: Some(1),
        seen_revision: 1,
        attempt: "attempt-1".to_owned(),
        command,
    });
    requests.collect()
}

/// The pointers of all texts in a value.
fn texts(value: &Value, pointer: &str, found: &mut Vec<String>) {
    match value {
        Value::String(_) => found.push(pointer.to_owned()),
        Value::Object(fields) => {
            for (name, value) in fields {
                texts(value, &format!("{pointer}/{name}"), found);
            }
        }
        _ => {}
    }
}

/// Why a request in JSON is not taken; none where it is. One that cannot be read is not taken either.
fn refused(request: &Value) -> Option<String> {
    match serde_json::from_value::<CommandRequest>(request.clone()) {
        Err(error) => Some(error.to_string()),
        Ok(request) => request.check().err().map(|refusal| refusal.to_string()),
    }
}

/// The last names of the fields that may be empty.
const MAY_BE_EMPTY: [&str; 5] = ["actor", "attempt", "last4", "line2", "region"];

/// The last names of the texts for people, of which nothing but U+0000 is refused: they may have several
/// lines and words from right to left, and whoever prints them shows hidden characters as escapes.
const FOR_PEOPLE: [&str; 7] = [
    "reason",
    "evidence",
    "line1",
    "line2",
    "city",
    "region",
    "postal_code",
];

#[test]
fn every_text_of_every_command_is_bounded_and_clean() {
    let mut count = 0;
    for sample in samples() {
        let kind = sample.command.kind();
        let json = serde_json::to_value(&sample).unwrap();
        assert_eq!(refused(&json), None, "{kind}");
        let mut fields = Vec::new();
        texts(&json, "", &mut fields);
        for pointer in fields {
            let name = pointer.rsplit('/').next().unwrap();
            let with = |value: &str| {
                let mut changed = json.clone();
                *changed.pointer_mut(&pointer).unwrap() = json!(value);
                refused(&changed)
            };
            let is_for_people = FOR_PEOPLE.contains(&name);
            let may_be_empty = MAY_BE_EMPTY.contains(&name)
                || (name == "reason"
                    && matches!(kind, CommandKind::ReviewOrder | CommandKind::CancelOrder));
            assert_eq!(with("").is_none(), may_be_empty, "{kind}{pointer}: empty");
            let wrong = ["x".repeat(501), "ä".repeat(20_012), "a\0b".to_owned()];
            for value in &wrong {
                let why = with(value).unwrap_or_default();
                let shown: String = value.chars().take(20).collect();
                assert_ne!(why, "", "{kind}{pointer}: {shown:?}");
            }
            for value in ["a\u{1b}[31mb", "a\u{202e}b", "a\u{200b}", "a\nb"] {
                let is_taken = with(value).is_none();
                assert_eq!(is_taken, is_for_people, "{kind}{pointer}: {value:?}");
            }
            count += 1;
        }
    }
    assert!(count > 50, "only {count} texts were found");
}

#[test]
fn words_of_a_refusal_are_short_and_clean() {
    for sample in samples() {
        let json = serde_json::to_value(&sample).unwrap();
        let mut fields = Vec::new();
        texts(&json, "", &mut fields);
        for pointer in fields {
            let mut changed = json.clone();
            *changed.pointer_mut(&pointer).unwrap() = json!("\u{202e}\0".repeat(2_000));
            let Ok(request) = serde_json::from_value::<CommandRequest>(changed) else {
                continue;
            };
            let words = request.check().unwrap_err().to_string();
            assert!(words.chars().count() <= text::WORDS_MOST, "{words}");
            assert!(!words.chars().any(text::is_hidden), "{words}");
        }
    }
}

#[test]
fn contents_that_no_caller_of_the_api_could_send_are_refused() {
    let wrong = |kind: CommandKind, pointer: &str, value: Value| {
        let mut all = samples().into_iter();
        let sample = all.find(|request| request.command.kind() == kind).unwrap();
        let mut json = serde_json::to_value(&sample).unwrap();
        *json.pointer_mut(pointer).unwrap() = value;
        refused(&json).is_some()
    };
    use CommandKind as K;
    for id in ["signal/run/1", "temporal-cancel/run"] {
        for kind in K::ALL {
            assert!(wrong(*kind, "/request_id", json!(id)), "{kind}: {id}");
        }
    }
    for revision in [0, -5] {
        assert!(wrong(
            K::ConfirmDelivery,
            "/expected_revision",
            json!(revision)
        ));
    }
    for reviewer in ["anonymous", "orders", "Temporal", "ｏｒｄｅｒｓ"] {
        let pointer = "/command/reviewer";
        assert!(
            wrong(K::ReviewOrder, pointer, json!(reviewer)),
            "{reviewer}"
        );
    }
    for minor in [0, -1, i64::MIN, AMOUNT_MOST + 1, i64::MAX] {
        let pointer = "/command/amount/minor";
        assert!(wrong(K::ConfirmPayment, pointer, json!(minor)), "{minor}");
    }
    assert!(!wrong(
        K::ConfirmPayment,
        "/command/amount/minor",
        json!(AMOUNT_MOST)
    ));
    for currency in ["usd", "XAU", "BGN", "ZZZ"] {
        let pointer = "/command/amount/currency";
        assert!(
            wrong(K::ConfirmPayment, pointer, json!(currency)),
            "{currency}"
        );
    }
    for last4 in ["4111111111111111", "424", "42424", "٤٢٤٢"] {
        assert!(
            wrong(K::ConfirmPayment, "/command/last4", json!(last4)),
            "{last4}"
        );
    }
    for country in ["ZZ", "us", "USA"] {
        let pointer = "/command/shipping_address/country_code";
        assert!(
            wrong(K::UpdateShippingAddress, pointer, json!(country)),
            "{country}"
        );
    }
    for step in ["screen_order", "reserve_inventory", "request_pickup"] {
        assert!(
            wrong(K::ResolvePayment, "/command/step", json!(step)),
            "{step}"
        );
    }
    assert!(wrong(
        K::ResolvePayment,
        "/command/outcome",
        json!("NOT_HAPPENED")
    ));
}

#[test]
fn a_corrected_request_of_the_same_id_has_another_name_at_temporal() {
    let mut all = samples().into_iter();
    let request = all.next().unwrap();
    let name = request.update_id("order-1");
    assert!(name.starts_with("request-1/") && name.len() < 200, "{name}");
    // What only tells two calls of the same apart is no part of it: they share one answer.
    let mut same = request.clone();
    same.attempt = "attempt-2".to_owned();
    same.seen_revision = 7;
    assert_eq!(same.update_id("order-1"), name);
    let changes: [fn(&mut CommandRequest); 4] = [
        |r| r.request_id = "request-2".to_owned(),
        |r| r.actor = "ada".to_owned(),
        |r| r.expected_revision = None,
        |r| r.command = Command::ConfirmDelivery,
    ];
    for change in changes {
        let mut corrected = request.clone();
        change(&mut corrected);
        assert_ne!(corrected.update_id("order-1"), name);
    }
    assert_ne!(request.update_id("order-2"), name);
}
