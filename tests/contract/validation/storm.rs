//! Very many random and broken requests: none makes the server panic, each is right, undecodable or
//! wrong in fields that exist, and the rules agree on it.
//!
//! What is made follows from a seed: `ORDERS_STORM_SEED=...` makes the same again, and
//! `ORDERS_STORM_REQUESTS=...` more or fewer.

use super::{
    corpus, coverage::requests, judge::Judge, mutate, paths, random, server_only::difference, wire,
};
use crate::recovery::soak::{dice::Dice, random_seed, setting};
use jiff::Timestamp;
use orders_domain::{place::Violation, policy::book::PolicyBook};
use orders_server::convert::{CheckError, check};
use orders_test_support::Refused;
use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::{Duration, Instant},
};

/// The longest message that the other language is asked about: it shall not take all the time.
const SAMPLE_MOST: usize = 20_000;

/// The longest that one request may take: far more than any needs, on a machine that is busy with others.
const PATIENCE: Duration = Duration::from_secs(10);

/// One request to make requests of: its message, and good bytes.
struct Seedling {
    message: MessageDescriptor,
    good: Vec<Vec<u8>>,
}

fn seedlings() -> Vec<Seedling> {
    let cases = corpus::load();
    let seedling = |message: MessageDescriptor| {
        let mine = cases
            .iter()
            .filter(|case| case.message == message.full_name());
        let good = mine.filter(|case| case.violations.is_empty());
        Seedling {
            good: good.map(|case| case.bytes.clone()).collect(),
            message,
        }
    };
    requests().into_iter().map(seedling).collect()
}

/// Request `number` of a seed: the name of its message, and its bytes.
fn make(seedlings: &[Seedling], seed: u64, number: u64) -> (&str, Vec<u8>) {
    let dice = &mut Dice::new(seed, number);
    // Every third one places an order: that is where most can be wrong.
    let index = match dice.chance(33) {
        true => 0,
        false => dice.between(0, seedlings.len() as u64 - 1) as usize,
    };
    let Seedling { message, good } = &seedlings[index];
    let mut bytes = dice.pick(good);
    match dice.between(1, 10_000) {
        1..=2_500 => bytes = random::message(dice, message, 0).encode_to_vec(),
        2_501..=7_000 => {
            let mut request = DynamicMessage::decode(message.clone(), &*bytes).unwrap();
            for _ in 0..dice.between(1, 3) {
                mutate::change(dice, &mut request);
            }
            bytes = request.encode_to_vec();
        }
        7_001..=8_000 => mutate::flip(dice, &mut bytes),
        8_001..=8_500 => mutate::cut(dice, &mut bytes),
        8_501..=9_200 => mutate::add_field(dice, &mut bytes),
        9_201..=9_500 => mutate::add_huge(dice, &mut bytes),
        9_501..=9_600 => mutate::add_deep(dice, &mut bytes),
        9_601..=9_605 => mutate::add_many(dice, &mut bytes),
        9_606..=9_800 => bytes.extend(dice.pick(good)),
        _ => {
            bytes = (0..dice.between(0, 40))
                .map(|_| dice.between(0, 255) as u8)
                .collect()
        }
    }
    (message.full_name(), bytes)
}

/// What a violation must be, whatever the request: at a field that there is, and in few words.
fn look_at(message: &MessageDescriptor, found: &[Violation]) {
    assert!(!found.is_empty(), "invalid without a violation");
    for Violation { field, description } in found {
        assert!(
            !field.is_empty() && paths::exists(message, field),
            "no field {field:?}"
        );
        let length = description.chars().count();
        assert!((5..1_000).contains(&length), "{field}: {description}");
    }
}

/// How it went.
#[derive(Default)]
struct Tally {
    undecodable: u64,
    valid: u64,
    invalid: u64,
    slowest: Duration,
    sample: Vec<(String, Vec<u8>, Vec<Violation>)>,
}

/// Makes and checks the requests of these numbers, and keeps every `every`th decodable one.
fn run(seed: u64, numbers: impl Iterator<Item = u64>, every: u64) -> Tally {
    let seedlings = seedlings();
    let policies = PolicyBook::presets().unwrap();
    let now: Timestamp = Timestamp::now();
    let mut tally = Tally::default();
    for number in numbers {
        let (name, bytes) = make(&seedlings, seed, number);
        let begin = Instant::now();
        let checked = catch_unwind(AssertUnwindSafe(|| check(name, &bytes, &policies, now)));
        let took = begin.elapsed();
        let again = || format!("seed {seed}, number {number}, {name} {}", hex(&bytes));
        let checked = checked.unwrap_or_else(|_| panic!("the server panics: {}", again()));
        assert!(took < PATIENCE, "{took:?} for {}", again());
        tally.slowest = tally.slowest.max(took);
        let found = match checked {
            Ok(()) => Vec::new(),
            Err(CheckError::Invalid(found)) => {
                let seedling = seedlings
                    .iter()
                    .find(|s| s.message.full_name() == name)
                    .unwrap();
                let looked = catch_unwind(|| look_at(&seedling.message, &found));
                assert!(looked.is_ok(), "{}", again());
                found
            }
            Err(CheckError::Undecodable(_)) => {
                tally.undecodable += 1;
                continue;
            }
            Err(CheckError::Unknown(_)) => panic!("no check: {}", again()),
        };
        match found.is_empty() {
            true => tally.valid += 1,
            false => tally.invalid += 1,
        }
        if (tally.valid + tally.invalid).is_multiple_of(every) && bytes.len() < SAMPLE_MOST {
            tally.sample.push((name.to_owned(), bytes, found));
        }
    }
    tally
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .take(10_000)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// So many requests, and so many of them judged in another language.
fn storm(requests: u64, samples: u64) {
    let seed = setting("ORDERS_STORM_SEED").unwrap_or_else(random_seed);
    let requests = setting("ORDERS_STORM_REQUESTS").unwrap_or(requests);
    println!("seed {seed}, {requests} requests: ORDERS_STORM_SEED={seed} makes the same again");
    let begin = Instant::now();
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get() as u64);
    let every = (requests / 2 / samples).max(1);
    let tallies: Vec<Tally> = std::thread::scope(|scope| {
        let thread = |first| {
            scope.spawn(move || run(seed, (first..requests).step_by(threads as usize), every))
        };
        let running: Vec<_> = (0..threads).map(thread).collect();
        running
            .into_iter()
            .map(|running| running.join().expect("see above"))
            .collect()
    });
    let sum = |of: fn(&Tally) -> u64| tallies.iter().map(of).sum::<u64>();
    let (undecodable, valid, invalid) =
        (sum(|t| t.undecodable), sum(|t| t.valid), sum(|t| t.invalid));
    let slowest = tallies.iter().map(|tally| tally.slowest).max().unwrap();
    println!(
        "{} decoded, {undecodable} refused to decode; {valid} valid, {invalid} invalid; in {:?}, the slowest {slowest:?}",
        valid + invalid,
        begin.elapsed(),
    );
    assert_eq!(undecodable + valid + invalid, requests);
    for (kind, count) in [
        ("undecodable", undecodable),
        ("valid", valid),
        ("invalid", invalid),
    ] {
        assert!(
            count > requests / 20,
            "too few of the requests are {kind}: {count}"
        );
    }
    compare(
        seed,
        tallies.into_iter().flat_map(|tally| tally.sample).collect(),
    );
}

/// The rules find the same, but for what no rule can say.
fn compare(seed: u64, sample: Vec<(String, Vec<u8>, Vec<Violation>)>) {
    let asked: Vec<_> = sample
        .iter()
        .map(|(name, bytes, _)| (&**name, &**bytes))
        .collect();
    let begin = Instant::now();
    let (mut agreed, mut unread) = (0, 0);
    for ((name, bytes, found), judged) in sample.iter().zip(Judge::Python.judge(&asked)) {
        let again = || format!("seed {seed}: {name} {}", hex(bytes));
        let judged = match judged {
            Ok(judged) => judged,
            // Runtimes differ in what bytes they take.
            Err(error) if error.starts_with("DecodeError") => {
                unread += 1;
                continue;
            }
            Err(error) => panic!("{error}: {}", again()),
        };
        if let Some(difference) = difference(found, &judged) {
            panic!("{difference}, of {found:?} and {judged:?}: {}", again());
        }
        agreed += 1;
    }
    println!(
        "{agreed} of a sample of {} judged alike in {:?}; {unread} could not be decoded there",
        sample.len(),
        begin.elapsed()
    );
    assert!(
        unread * 100 <= sample.len(),
        "{unread} of {} could not be decoded",
        sample.len()
    );
}

#[test]
fn random_and_broken_requests_do_no_harm_and_the_rules_agree() {
    storm(20_000, 300);
}

#[test]
#[ignore = "a million requests take minutes"]
fn a_million_random_and_broken_requests_do_no_harm_and_the_rules_agree() {
    storm(1_000_000, 200_000);
}

#[tokio::test]
async fn refused_random_requests_leave_nothing_behind_and_get_short_answers() {
    let server = wire::start().await;
    let mut sender = wire::Sender::connect(&server.address).await;
    let seed = setting("ORDERS_STORM_SEED").unwrap_or_else(random_seed);
    println!("seed {seed}");
    let (seedlings, policies) = (seedlings(), PolicyBook::presets().unwrap());
    let (mut invalid, mut undecodable, mut number) = (0, 0, 0);
    while invalid + undecodable < 400 {
        let (name, bytes) = make(&seedlings, seed, number);
        number += 1;
        let checked = check(name, &bytes, &policies, Timestamp::now());
        let again = || format!("seed {seed}, number {number}, {name} {}", hex(&bytes));
        let (Err(error), true) = (checked, bytes.len() < 1_000_000) else {
            continue;
        };
        let status = match sender.send(name, &bytes).await {
            Err(status) => status,
            Ok(()) => panic!("taken: {}", again()),
        };
        assert!(
            status.details().len() < 6_000,
            "{} bytes of details: {}",
            status.details().len(),
            again()
        );
        if matches!(error, CheckError::Undecodable(_)) {
            undecodable += 1;
            continue;
        }
        let refused = Refused::from(status);
        assert_eq!(
            refused.code,
            tonic::Code::InvalidArgument,
            "{refused:?} {}",
            again()
        );
        invalid += 1;
    }
    println!("{invalid} invalid and {undecodable} undecodable requests through the wire");
    wire::assert_nothing_is_left(&server).await;
}
