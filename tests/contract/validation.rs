//! The rules of `buf.validate` in the contract, and the server's own: the same verdict on every case
//! of the corpus, and on random requests. The rules are carried out by protovalidate: PyPI's, and where its tools are
//! there, Go's and Java's.

mod characters;
mod corpus;
mod coverage;
mod judge;
mod mutate;
mod nul;
mod paths;
mod random;
mod server_only;
mod storm;
mod wire;

use corpus::{Case, Only};
use jiff::Timestamp;
use judge::Judge;
use orders_domain::policy::book::PolicyBook;
use orders_server::convert::{CheckError, check};
use orders_test_support::{Refused, shared, temporal};
use std::{collections::BTreeSet, process::Command};

/// The paths of what the server finds wrong, without asking the store.
fn found_by_server(case: &Case, policies: &PolicyBook, now: Timestamp) -> BTreeSet<String> {
    match check(&case.message, &case.bytes, policies, now) {
        Ok(()) => BTreeSet::new(),
        Err(CheckError::Invalid(found)) => found.into_iter().map(|v| v.field).collect(),
        Err(error) => panic!("{}: {error}", case.title()),
    }
}

/// Where a protovalidate finds something else than the corpus says.
fn judged_otherwise(judge: Judge, cases: &[Case]) -> Vec<String> {
    let asked: Vec<_> = cases
        .iter()
        .map(|case| (&*case.message, &*case.bytes))
        .collect();
    let mut wrong = Vec::new();
    for (case, judged) in cases.iter().zip(judge.judge(&asked)) {
        match judged {
            Ok(judged) if judged == case.rules => {}
            // Java cannot count the nanoseconds of a time in the year 292,000,000,000, and says so.
            Err(error) if judge == Judge::Java && error.contains("long overflow") => {
                assert!(case.rules.contains("release_time"), "{}", case.title());
            }
            judged => wrong.push(format!(
                "{}: {judge:?} finds {judged:?}, not {:?}",
                case.title(),
                case.rules
            )),
        }
    }
    wrong
}

#[test]
#[ignore = "needs Go: make test-all"]
fn go_agrees_on_every_case_of_the_corpus() {
    let wrong = judged_otherwise(Judge::Go, &corpus::load());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[ignore = "needs Java: make test-all"]
fn java_agrees_on_every_case_of_the_corpus() {
    let wrong = judged_otherwise(Judge::Java, &corpus::load());
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn server_and_rules_agree_on_every_case_of_the_corpus() {
    let cases = corpus::load();
    let (policies, now) = (PolicyBook::presets().unwrap(), Timestamp::now());
    let mut wrong = judged_otherwise(Judge::Python, &cases);
    for case in &cases {
        let expected = match case.only {
            Some(Only::Store) => BTreeSet::new(),
            _ => case.violations.clone(),
        };
        let found = found_by_server(case, &policies, now);
        if found != expected {
            wrong.push(format!(
                "{}: the server finds {found:?}, not {expected:?}",
                case.title()
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let count = |wanted: &dyn Fn(&Case) -> bool| cases.iter().filter(|case| wanted(case)).count();
    println!(
        "{} cases: {} good, {} bad; of the bad ones the rules do not see {} (the server alone {}, by policy {}, by stock {})",
        cases.len(),
        count(&|case| case.violations.is_empty()),
        count(&|case| !case.violations.is_empty()),
        count(&|case| case.only.is_some()),
        count(&|case| case.only == Some(Only::Server)),
        count(&|case| case.only == Some(Only::Policy)),
        count(&|case| case.only == Some(Only::Store)),
    );
}

#[tokio::test]
async fn the_wire_gives_the_verdicts_of_the_corpus_and_what_is_refused_leaves_nothing() {
    let server = wire::start().await;
    let mut sender = wire::Sender::connect(&server.address).await;
    let (good, bad): (Vec<Case>, Vec<Case>) = corpus::load()
        .into_iter()
        .partition(|case| case.violations.is_empty());
    let mut wrong = Vec::new();
    for case in &bad {
        match sender
            .send(&case.message, &case.bytes)
            .await
            .map_err(Refused::from)
        {
            Err(refused) if refused.code == tonic::Code::InvalidArgument => {
                let found: BTreeSet<String> = refused.fields().into_iter().collect();
                if found != case.violations {
                    wrong.push(format!(
                        "{}: {found:?}, not {:?}",
                        case.title(),
                        case.violations
                    ));
                }
            }
            other => wrong.push(format!("{}: {other:?}", case.title())),
        }
    }
    assert!(
        wrong.is_empty(),
        "{} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    wire::assert_nothing_is_left(&server).await;

    sender.stock_all(&good).await;
    for case in &good {
        if let Err(status) = sender.send_as_new(case).await {
            assert_ne!(
                status.code(),
                tonic::Code::InvalidArgument,
                "{}: {status:?}",
                case.title()
            );
            assert_ne!(
                status.code(),
                tonic::Code::Internal,
                "{}: {status:?}",
                case.title()
            );
        }
    }
    println!(
        "{} refused, {} not, of the corpus through the wire",
        bad.len(),
        good.len()
    );
}

#[tokio::test]
async fn reflection_knows_the_rules() {
    let server = shared().await;
    let Some(grpcurl) = temporal::grpcurl() else {
        return;
    };
    let describe = |name: &str| {
        let mut command = Command::new(&grpcurl);
        let output = command
            .args(["-plaintext", &server.address, "describe", name])
            .output()
            .unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
            + &String::from_utf8_lossy(&output.stderr)
    };
    let item = describe("orders.v1.LineItem");
    assert!(item.contains("(.buf.validate.field) = { int64:"), "{item}");
    let rules = describe("buf.validate.Int64Rules");
    assert!(rules.contains("int64 gte"), "{rules}");
}
