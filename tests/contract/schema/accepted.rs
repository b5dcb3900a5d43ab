//! The gate against incompatible changes: `buf breaking` against the accepted contract, as `make
//! lint` runs it. A gate that lets everything through would look the same as a good contract.

use orders_test_support::temporal::tool;
use std::{
    path::Path,
    process::{Command, Output},
};

const PROTO: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../proto");

/// A change of one file of the contract: its name, what is replaced, and by what.
type Change = (&'static str, &'static str, &'static str);

const INCOMPATIBLE: [(&str, Change); 8] = [
    (
        "a field gets another name",
        (
            "place_order.proto",
            "string customer_id = 4",
            "string client_id = 4",
        ),
    ),
    (
        "a field gets another number",
        (
            "place_order.proto",
            "string policy = 5",
            "string policy = 50",
        ),
    ),
    (
        "a field gets another type of the same wire format",
        ("stock.proto", "int64 on_hand = 2", "uint64 on_hand = 2"),
    ),
    (
        "a field loses its presence",
        (
            "order_commands.proto",
            "optional int64 expected_revision = 4",
            "int64 expected_revision = 4",
        ),
    ),
    (
        "a value gets another name",
        (
            "stock.proto",
            "SUPPLIER_ORDER_STATE_DELIVERED = 2",
            "SUPPLIER_ORDER_STATE_DONE = 2",
        ),
    ),
    (
        "an RPC is taken away",
        (
            "inventory_service.proto",
            concat!(
                "  rpc GetStockItem(GetStockItemRequest) returns (GetStockItemResponse) {\n",
                "    option (orders.v1.method) = {\n",
                "      kind: METHOD_KIND_READ\n",
                "      scope: \"inventory.read\"\n",
                "      default_timeout: {seconds: 10}\n",
                "    };\n",
                "  }\n",
            ),
            "",
        ),
    ),
    (
        "a stream becomes a single answer",
        (
            "order_service.proto",
            "returns (stream WatchOrderResponse)",
            "returns (WatchOrderResponse)",
        ),
    ),
    (
        "an RPC gets another name",
        (
            "order_service.proto",
            "rpc ListPolicies(",
            "rpc ShowPolicies(",
        ),
    ),
];

const COMPATIBLE: [(&str, Change); 2] = [
    (
        "a new field",
        (
            "stock.proto",
            "  optional int64 reorder_level = 6",
            "  string shelf = 60;\n  optional int64 reorder_level = 6",
        ),
    ),
    (
        "another comment",
        (
            "stock.proto",
            "// The stock of one sku, in pieces.",
            "// What is there.",
        ),
    ),
];

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        match path.is_dir() {
            true => copy(&path, &target),
            false => drop(std::fs::copy(&path, &target).unwrap()),
        }
    }
}

/// The command of `make lint`, in the folder `proto`.
fn breaking(proto: &Path) -> Output {
    let makefile = include_str!("../../../Makefile");
    let lines = makefile
        .lines()
        .filter_map(|line| line.split("buf breaking ").nth(1));
    let arguments: Vec<&str> = lines.flat_map(str::split_whitespace).collect();
    assert!(arguments.contains(&"accepted.binpb"), "{arguments:?}");
    Command::new(tool("buf").expect("run `make test-tools`"))
        .arg("breaking")
        .args(arguments)
        .current_dir(proto)
        .output()
        .unwrap()
}

/// The contract with one change.
fn changed(change: Change) -> Output {
    let (file, old, new) = change;
    let folder = tempfile::tempdir().unwrap();
    copy(Path::new(PROTO), folder.path());
    let path = folder.path().join("orders/v1").join(file);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains(old), "{file} has no {old}");
    std::fs::write(&path, text.replacen(old, new, 1)).unwrap();
    breaking(folder.path())
}

fn said(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    text + &String::from_utf8_lossy(&output.stderr)
}

#[test]
fn the_contract_is_compatible_with_the_accepted_one() {
    let output = breaking(Path::new(PROTO));
    assert!(
        output.status.success(),
        "clients of the accepted contract would break:\n{}Add instead of changing.",
        said(&output)
    );
}

#[test]
fn an_incompatible_change_does_not_pass() {
    for (name, change) in INCOMPATIBLE {
        let output = changed(change);
        let text = said(&output);
        // 100 is what buf exits with when it found something; a broken copy would be 1.
        assert_eq!(output.status.code(), Some(100), "{name}: {text}");
        assert!(text.contains(change.0), "{name}: {text}");
        println!("refused: {name}");
    }
}

#[test]
fn a_compatible_change_passes() {
    for (name, change) in COMPATIBLE {
        let output = changed(change);
        assert!(output.status.success(), "{name}: {}", said(&output));
    }
}
