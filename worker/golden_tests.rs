//! Everything that stands in Temporal's histories or in the database is JSON of our types: what was
//! written by a released build must be read by every later one, to the same value, and what is written
//! now must be what the build before can read. Golden files of every such type, one folder for each
//! release that added some, hold the types to that.

mod answers;
mod commands;
mod events;
mod folder;
mod names;
mod orders;
mod sample;

use folder::Golden;
use sample::Sample;
use serde_json::Value;
use std::collections::BTreeSet;

/// One of every type, and of every variant of those that have some.
fn samples() -> Vec<Sample> {
    let all = [
        orders::samples(),
        events::samples(),
        commands::samples(),
        answers::samples(),
        names::samples(),
    ];
    all.into_iter().flatten().collect()
}

const HINT: &str = "see docs/changing-the-workflow.md";

/// What is written now is what was written by the newest release that wrote it in another way than the
/// ones before.
#[test]
fn every_payload_is_written_as_it_was() {
    let golden = Golden::read();
    if let Some(release) = folder::accepting() {
        return golden.accept(&release, &samples());
    }
    let mut wrong = Vec::new();
    for sample in samples() {
        let Some(newest) = golden.newest(&sample.name) else {
            wrong.push(format!("{}: has no golden file", sample.name));
            continue;
        };
        if let Some(change) = sample.change(&newest.json) {
            wrong.push(format!("{}/{}: {change}", newest.release, sample.name));
        }
    }
    assert!(
        wrong.is_empty(),
        "payloads have changed; where that is an addition, `make golden RELEASE=...` accepts it: {HINT}\n{}",
        wrong.join("\n")
    );
}

/// What any release wrote is read, and nothing of it is lost.
#[test]
fn every_payload_of_every_release_reads() {
    let golden = Golden::read();
    assert!(!golden.is_empty(), "no golden file was found");
    let samples = samples();
    let mut wrong = Vec::new();
    let mut read = 0;
    for sample in &samples {
        for old in golden.all(&sample.name) {
            read += 1;
            if let Err(error) = sample.reads(&old.json) {
                wrong.push(format!("{}/{}: {error}", old.release, sample.name));
            }
        }
    }
    println!("{read} payloads of {} kinds read", samples.len());
    assert!(
        wrong.is_empty(),
        "what released builds wrote cannot be read any more: {HINT}\n{}",
        wrong.join("\n")
    );
}

/// Every golden file is looked at: a type that was written once is read for ever.
#[test]
fn no_golden_file_is_left_alone() {
    let samples = samples();
    let names: BTreeSet<&str> = samples.iter().map(|sample| sample.name.as_str()).collect();
    assert_eq!(names.len(), samples.len(), "two samples have one name");
    let golden = Golden::read();
    let left: Vec<&str> = golden
        .names()
        .filter(|name| !names.contains(name))
        .collect();
    assert!(
        left.is_empty(),
        "payloads that nothing reads any more: {left:?}: {HINT}"
    );
}

/// The gate bites: what an incompatible change of a type does to the JSON is found.
#[test]
fn incompatible_changes_are_found() {
    let samples = samples();
    let of = |name: &str| samples.iter().find(|sample| sample.name == name).unwrap();
    let order = of("order-full");
    let field = |name: &str| {
        let mut json = order.json.clone();
        assert!(json[name].take() != Value::Null, "{name}");
        json
    };
    order.reads(&order.json).unwrap();
    // A required field that old JSON does not have (it was added without a default, or renamed).
    let mut without = order.json.clone();
    without.as_object_mut().unwrap().remove("customer_id");
    assert!(
        order
            .reads(&without)
            .unwrap_err()
            .contains("missing field `customer_id`")
    );
    // A field that the type does not know any more (it was removed or renamed): read, but lost.
    let mut renamed = order.json.clone();
    renamed["was_called_so"] = field("cancel_reason");
    assert!(order.reads(&renamed).unwrap_err().contains("was_called_so"));
    // A field of another type.
    let mut retyped = order.json.clone();
    retyped["revision"] = "seven".into();
    assert!(order.reads(&retyped).is_err());
    // A variant under another name.
    let event = of("event-closed");
    let mut variant = event.json.clone();
    variant["change"]["type"] = "SHUT".into();
    assert!(
        event
            .reads(&variant)
            .unwrap_err()
            .contains("unknown variant `SHUT`")
    );
    // A name of an enumeration that was taken away.
    let names = of("names-order-state");
    let mut gone = names.json.clone();
    gone["GONE"] = "GONE".into();
    assert!(names.reads(&gone).is_err());
}

/// The same with types: the one of a payload, changed as one should not.
#[test]
fn a_renamed_field_is_found() {
    #[derive(Debug, serde::Serialize, serde::Deserialize)]
    struct Progress {
        order_id: String,
        #[serde(default)]
        revision: i64,
        now: jiff::Timestamp,
    }
    let golden = Golden::read();
    let released = golden.newest("progress").unwrap();
    let changed = Progress {
        order_id: "order-1".to_owned(),
        revision: 3,
        now: sample::time(5),
    };
    let changed = Sample::new("progress", changed);
    assert_ne!(changed.json, released.json, "it is written differently");
    let error = changed.reads(&released.json).unwrap_err();
    assert!(
        error.contains("known"),
        "and an old one loses a field: {error}"
    );
}
