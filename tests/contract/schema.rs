//! The contract as a client sees it: what reflection says of a running server, held against a file
//! that a reviewer can read, and the gate that keeps incompatible changes out.

mod accepted;
mod diff;
mod reflection;
mod render;

use orders_test_support::shared;
use prost_reflect::DescriptorPool;
use reflection::{Reflection, Version};
use std::collections::BTreeSet;

const GOLDEN: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../tests/contract/schema/golden.txt"
);

/// What the answers and errors are made of: these stand in the file in full.
const SHOWN: [&str; 4] = ["orders.v1", "google.type", "google.rpc", "grpc.health.v1"];

/// The details that an error may carry; no method names them, so only their own names find them.
const ERROR_DETAILS: [&str; 7] = [
    "google.rpc.BadRequest",
    "google.rpc.ErrorInfo",
    "google.rpc.PreconditionFailure",
    "google.rpc.QuotaFailure",
    "google.rpc.RequestInfo",
    "google.rpc.ResourceInfo",
    "google.rpc.RetryInfo",
];

/// The services and all files that they and the error details need.
async fn schema(address: &str, version: Version) -> (BTreeSet<String>, DescriptorPool) {
    let mut reflection = Reflection::connect(address, version).await;
    let mut services = reflection.services().await;
    // The two versions name themselves, which is the one thing in which they differ.
    services.retain(|name| !name.starts_with("grpc.reflection."));
    let wanted = services.iter().map(String::as_str).chain(ERROR_DETAILS);
    let pool = reflection.pool(wanted).await;
    (services, pool)
}

#[tokio::test]
async fn the_schema_by_reflection_is_the_golden_one() {
    let server = shared().await;
    let (services, pool) = schema(&server.address, Version::V1).await;
    let found = render::render(&services, &pool, &SHOWN);
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(GOLDEN, &found).unwrap();
        println!("tests/contract/schema/golden.txt is written");
        return;
    }
    let golden = std::fs::read_to_string(GOLDEN).unwrap_or_default();
    assert!(
        found == golden,
        "the contract has changed (- the file, + the server):\n{}\
         When it was meant to: `make golden`, and commit tests/contract/schema/golden.txt with the change.",
        diff::lines(&golden, &found)
    );
    println!(
        "{} services, {} messages, {} enums are as in tests/contract/schema/golden.txt",
        services.len(),
        pool.all_messages().len(),
        pool.all_enums().len()
    );
}

#[tokio::test]
async fn both_versions_of_reflection_say_the_same() {
    let server = shared().await;
    let (services, pool) = schema(&server.address, Version::V1).await;
    let (alpha_services, alpha_pool) = schema(&server.address, Version::V1Alpha).await;
    assert_eq!(services, alpha_services);
    let files = |pool: &DescriptorPool| -> BTreeSet<(String, Vec<u8>)> {
        let files = pool.files();
        files
            .map(|file| (file.name().to_owned(), file.encode_to_vec()))
            .collect()
    };
    assert!(files(&pool) == files(&alpha_pool));
}

/// Each name on its own, as `grpcurl describe NAME` asks.
#[tokio::test]
async fn whatever_reflection_lists_it_can_describe() {
    let server = shared().await;
    for version in [Version::V1, Version::V1Alpha] {
        let (services, pool) = schema(&server.address, version).await;
        let mut names: Vec<String> = ERROR_DETAILS.map(str::to_owned).into();
        for service in pool.services() {
            assert!(services.contains(service.full_name()));
            names.push(service.full_name().to_owned());
            names.extend(
                service
                    .methods()
                    .map(|method| method.full_name().to_owned()),
            );
        }
        let messages = pool.all_messages();
        names.extend(messages.map(|message| message.full_name().to_owned()));
        names.extend(pool.all_enums().map(|kind| kind.full_name().to_owned()));
        let mut reflection = Reflection::connect(&server.address, version).await;
        for name in &names {
            let file = reflection.file_of(name).await;
            let file = file.unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(
                pool.get_file_by_name(&file).is_some(),
                "{name} is in {file}"
            );
        }
        assert!(reflection.file_of("orders.v1.Nothing").await.is_err());
        println!("{version:?}: {} names described", names.len());
    }
}
