//! The published service config is made of the table: with `UPDATE_GOLDEN=1` it is written anew.

use super::{super::*, Kind};
use orders::RETRIED;
use serde_json::{Value, json};
use std::{fs, path::Path};
use tonic::Code;

/// How each kind is tried again. All attempts together fit into the time of a call.
fn retry_policy() -> Value {
    json!({
        "maxAttempts": 5,
        "initialBackoff": "0.25s",
        "maxBackoff": "3s",
        "backoffMultiplier": 3,
        "retryableStatusCodes": RETRIED.map(name),
    })
}

fn name(code: Code) -> &'static str {
    match code {
        Code::Unavailable => "UNAVAILABLE",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        other => panic!("{other:?} has no name here"),
    }
}

/// The config, as gRPC's libraries read it.
fn config() -> Value {
    // In the sequence of the contract, so that a new RPC is one new line.
    let pool = DescriptorPool::decode(orders::FILE_DESCRIPTOR_SET).unwrap();
    let services = pool
        .services()
        .filter(|service| service.package_name() == PACKAGE);
    let mut services: Vec<_> = services.collect();
    let place = ["OrderService", "InventoryService", "OperatorService"];
    services.sort_by_key(|service| place.iter().position(|name| *name == service.name()));
    let methods: Vec<&Method> = services
        .iter()
        .flat_map(|service| service.methods().collect::<Vec<_>>())
        .filter_map(|method| {
            let service = method.parent_service();
            find(&format!("/{}/{}", service.full_name(), method.name()))
        })
        .collect();
    let groups = [Kind::Read, Kind::Change, Kind::Stream].map(|kind| {
        let of_kind: Vec<_> = methods
            .iter()
            .filter(|method| method.kind == kind)
            .collect();
        let names: Vec<Value> = of_kind
            .iter()
            .map(|method| json!({"service": method.service, "method": method.name}))
            .collect();
        let mut group = json!({"name": names});
        let timeout = of_kind[0].default_timeout;
        assert!(
            of_kind
                .iter()
                .all(|method| method.default_timeout == timeout)
        );
        if let Some(timeout) = timeout {
            group["timeout"] = format!("{}s", timeout.as_secs_f64()).into();
        }
        group["retryPolicy"] = retry_policy();
        group
    });
    json!({
        "loadBalancingConfig": [{"round_robin": {}}],
        "healthCheckConfig": {"serviceName": ""},
        "retryThrottling": {"maxTokens": 100, "tokenRatio": 0.1},
        "methodConfig": groups,
    })
}

#[test]
fn the_published_service_config_is_made_of_the_table() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../proto/orders/v1/orders_grpc_service_config.json");
    let expected = config();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let text = serde_json::to_string_pretty(&expected).unwrap();
        fs::write(&path, text + "\n").unwrap();
    }
    let published: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    assert_eq!(published, expected, "write it anew with UPDATE_GOLDEN=1");
}
