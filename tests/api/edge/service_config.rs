//! The published service config: what gRPC's own libraries read from it is true of this server.

use clap::Parser;
use orders_server::program::{Command, CommandLine};
use prost_reflect::DescriptorPool;
use serde_json::Value;
use std::{collections::BTreeMap, time::Duration};

const CONFIG: &str = include_str!("../../../proto/orders/v1/orders_grpc_service_config.json");

fn config() -> Value {
    serde_json::from_str(CONFIG).unwrap()
}

/// A duration as Protobuf writes it in JSON.
fn seconds(value: &Value) -> Duration {
    let text = value.as_str().unwrap().strip_suffix('s').unwrap();
    Duration::from_secs_f64(text.parse().unwrap())
}

/// The methods of the contract, and whether each is a stream.
fn methods() -> BTreeMap<String, bool> {
    let pool = DescriptorPool::decode(orders::FILE_DESCRIPTOR_SET).unwrap();
    let services = pool
        .services()
        .filter(|service| service.package_name() == "orders.v1");
    services
        .flat_map(|service| {
            let methods: Vec<_> = service.methods().collect();
            methods.into_iter().map(|method| {
                let name = method.full_name().to_owned();
                (name, method.is_server_streaming())
            })
        })
        .collect()
}

#[test]
fn it_names_every_method_once_and_streams_have_no_time() {
    let mut named = BTreeMap::new();
    for group in config()["methodConfig"].as_array().unwrap() {
        for name in group["name"].as_array().unwrap() {
            let (service, method) = (name["service"].as_str(), name["method"].as_str());
            let method = format!("{}.{}", service.unwrap(), method.unwrap());
            let before = named.insert(method.clone(), group.get("timeout").is_none());
            assert!(before.is_none(), "{method} is named twice");
        }
    }
    assert_eq!(named, methods());
    println!("{} methods", named.len());
}

#[test]
fn its_times_are_within_the_servers_and_its_retries_within_what_grpc_allows() {
    let Command::Serve(serve) = CommandLine::parse_from(["orders", "serve"]).command else {
        panic!("serve");
    };
    let cap = serve.limits.max_call_time;
    for group in config()["methodConfig"].as_array().unwrap() {
        let retry = &group["retryPolicy"];
        let attempts = retry["maxAttempts"].as_u64().unwrap();
        assert!((2..=5).contains(&attempts), "more than 5 count as 5");
        let (first, most) = (
            seconds(&retry["initialBackoff"]),
            seconds(&retry["maxBackoff"]),
        );
        assert!(Duration::ZERO < first && first <= most);
        assert!(retry["backoffMultiplier"].as_f64().unwrap() > 0.0);
        let codes: Vec<_> = retry["retryableStatusCodes"]
            .as_array()
            .unwrap()
            .iter()
            .collect();
        assert_eq!(codes, ["UNAVAILABLE", "RESOURCE_EXHAUSTED"]);
        if let Some(timeout) = group.get("timeout") {
            assert!(seconds(timeout) <= cap, "the server ends it after {cap:?}");
            // All attempts, with the longest pushback of the server between them, fit.
            let pushbacks = Duration::from_millis(1250) * u32::try_from(attempts - 1).unwrap();
            assert!(seconds(timeout) > pushbacks);
        }
    }
    let throttling = &config()["retryThrottling"];
    let tokens = throttling["maxTokens"].as_f64().unwrap();
    assert!(0.0 < tokens && tokens <= 1000.0);
    assert!(throttling["tokenRatio"].as_f64().unwrap() > 0.0);
    // Only this policy asks for the health.
    assert!(
        config()["loadBalancingConfig"][0]
            .get("round_robin")
            .is_some()
    );
    // The name that says that reads work: with that of the commands, a client could not even read
    // while Temporal is away.
    assert_eq!(config()["healthCheckConfig"]["serviceName"], "");
}
