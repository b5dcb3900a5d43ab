//! Playing a case, and what must stand in each status.

use super::table::Outcome;
use futures::future::join_all;
use orders_server::error::Reason;
use orders_test_support::{Refused, Wire};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};
use tonic::{Code, Status};

/// Whoever names no deadline has an answer by then.
const AT_MOST: Duration = Duration::from_secs(15);

/// A request with what it is to be answered.
#[derive(Clone, Debug)]
pub struct Case {
    /// The RPC's short name.
    pub rpc: &'static str,
    /// The message.
    pub request: Value,
    expected: Outcome,
    timeout: Option<&'static str>,
    /// More of the same kind, sent at the same time, that may also be answered by this.
    others: Vec<Value>,
    instead: Option<Reason>,
}

impl Case {
    /// One that is done.
    pub fn done(rpc: &'static str, request: Value) -> Self {
        Self {
            rpc,
            request,
            expected: Outcome::Ok,
            timeout: None,
            others: Vec::new(),
            instead: None,
        }
    }

    /// One that is not.
    pub fn refused(rpc: &'static str, request: Value, reason: Reason) -> Self {
        Self {
            expected: Outcome::Refused(reason),
            ..Self::done(rpc, request)
        }
    }

    /// Several at once: one or more must be answered by `reason`, all others by `instead`.
    pub fn one_of(
        rpc: &'static str,
        mut requests: Vec<Value>,
        reason: Reason,
        instead: Reason,
    ) -> Self {
        let request = requests.pop().expect("a request");
        Self {
            others: requests,
            instead: Some(instead),
            ..Self::refused(rpc, request, reason)
        }
    }

    /// With that `grpc-timeout`.
    pub fn timeout(mut self, timeout: &'static str) -> Self {
        self.timeout = Some(timeout);
        self
    }
}

/// What was answered so far, all of it as it should be.
#[derive(Default)]
pub struct Covered(BTreeSet<(String, Outcome)>);

impl Covered {
    /// What was answered, by RPC.
    pub fn seen(&self) -> &BTreeSet<(String, Outcome)> {
        &self.0
    }

    /// Notes what was checked elsewhere.
    pub fn note(&mut self, rpc: &str, outcome: Outcome) {
        self.0.insert((rpc.to_owned(), outcome));
    }

    /// Plays one case.
    pub async fn run(&mut self, wire: &Wire, case: Case) {
        self.run_all(wire, vec![case]).await;
    }

    /// Plays cases at the same time.
    pub async fn run_all(&mut self, wire: &Wire, cases: Vec<Case>) {
        let played = cases.iter().map(async |case| play(wire, case).await);
        for (case, outcomes) in cases.iter().zip(join_all(played).await) {
            assert!(outcomes.contains(&case.expected), "{case:?}: {outcomes:?}");
            for outcome in outcomes {
                self.note(case.rpc, outcome);
            }
        }
    }
}

/// Sends a case's requests, and checks each answer.
async fn play(wire: &Wire, case: &Case) -> Vec<Outcome> {
    let requests = std::iter::once(&case.request).chain(&case.others);
    let calls = requests.map(async |request| {
        let began = Instant::now();
        let answer = wire.call(case.rpc, request, case.timeout).await;
        let took = began.elapsed();
        assert!(
            case.timeout.is_some() || took < AT_MOST,
            "{case:?} took {took:?}"
        );
        match answer {
            Ok(answer) => {
                assert!(!answer.is_replayed(), "{case:?}");
                assert_eq!(case.expected, Outcome::Ok, "{case:?}: {answer:?}");
                Outcome::Ok
            }
            Err(status) => {
                let reason = check(case.rpc, request, status);
                let expected = [
                    case.expected,
                    case.instead.map_or(case.expected, Outcome::Refused),
                ];
                let outcome = Outcome::Refused(reason);
                assert!(expected.contains(&outcome), "{case:?}: {reason}");
                outcome
            }
        }
    });
    join_all(calls).await
}

/// Everything that a status must have, whatever the RPC.
pub fn check(rpc: &str, request: &Value, status: Status) -> Reason {
    let said = format!("{rpc} {request}: {status:?}");
    let pushback = status.metadata().get("grpc-retry-pushback-ms").cloned();
    assert!(!status.message().is_empty(), "{said}");
    // Asserts the domain.
    let refused = Refused::from(status);
    let known = Reason::ALL
        .into_iter()
        .find(|known| known.as_str() == refused.reason);
    let reason = known.unwrap_or_else(|| panic!("not in Reason::ALL: {said}"));
    assert_eq!(refused.code, reason.code(), "{said}");

    let details = &refused.details;
    let retries = [Code::Unavailable, Code::ResourceExhausted].contains(&refused.code);
    let delay = details.retry_info().and_then(|info| info.retry_delay);
    assert_eq!(
        delay.is_some_and(|delay| !delay.is_zero()),
        retries,
        "{said}"
    );
    assert_eq!(pushback.is_some_and(|ms| ms != "0"), retries, "{said}");
    let is_invalid = refused.code == Code::InvalidArgument;
    assert_eq!(details.bad_request().is_some(), is_invalid, "{said}");
    if let Some(bad) = details.bad_request() {
        let named = |text: &str| !text.is_empty();
        let mut violations = bad.field_violations.iter();
        let complete = violations.all(|one| named(&one.field) && named(&one.description));
        assert!(complete && !bad.field_violations.is_empty(), "{said}");
    }
    let names_resource = [Code::NotFound, Code::AlreadyExists].contains(&refused.code);
    let resource = details
        .resource_info()
        .map(|info| info.resource_name.as_str());
    assert_eq!(
        resource.is_some_and(|name| !name.is_empty()),
        names_resource,
        "{said}"
    );
    check_precondition(rpc, &refused, reason, &said);

    // A deadline passes before the message is read, too.
    let request_id = request["request_id"].as_str().unwrap_or_default();
    if !request_id.is_empty() && reason != Reason::DeadlineExceeded {
        let info = details.request_info().map(|info| info.request_id.as_str());
        assert_eq!(info, Some(request_id), "{said}");
    }
    reason
}

fn check_precondition(rpc: &str, refused: &Refused, reason: Reason, said: &str) {
    let failure = refused.details.precondition_failure();
    let is_precondition = refused.code == Code::FailedPrecondition;
    let has_one = failure.is_some_and(|failure| failure.violations.len() == 1);
    assert_eq!(has_one, is_precondition, "{said}");
    let info = refused.details.error_info().expect("an ErrorInfo");
    let keys: &[&str] = match reason {
        Reason::CommandNotAllowed => &["order_id", "command", "state", "allowed_commands"],
        Reason::OrderClosed => &["order_id", "state", "allowed_commands"],
        Reason::PaymentOutcomeKnown => &["order_id", "step"],
        Reason::TransactionIdExists => &["order_id", "transaction_id"],
        Reason::CurrencyMismatch => &["order_id", "currency_code"],
        Reason::StockReserved => &["sku", "reserved"],
        Reason::StockOutOfRange => &["sku"],
        Reason::RevisionMismatch if rpc.contains("Stock") => {
            &["sku", "expected_revision", "revision"]
        }
        Reason::RevisionMismatch => &["order_id", "expected_revision", "revision"],
        _ => &[],
    };
    let mut found: Vec<&str> = info.metadata.keys().map(String::as_str).collect();
    let mut keys = keys.to_vec();
    found.sort();
    keys.sort();
    assert_eq!(found, keys, "{said}");
}
