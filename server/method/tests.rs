use super::*;
use std::collections::BTreeSet;

mod service_config;

#[test]
fn every_rpc_is_found_by_its_path() {
    let place = find("/orders.v1.OrderService/PlaceOrder").unwrap();
    assert_eq!(place.kind, Kind::Change);
    assert_eq!(place.scope, "orders.place");
    assert_eq!(place.default_timeout, Some(Duration::from_secs(30)));
    let list = find("/orders.v1.InventoryService/ListStockItems").unwrap();
    assert!(list.is_list && list.kind == Kind::Read);
    let watch = find("/orders.v1.OrderService/WatchOrders").unwrap();
    assert_eq!((watch.kind, watch.default_timeout), (Kind::Stream, None));
    for none in [
        "",
        "/orders.v1.OrderService/Place",
        "/grpc.health.v1.Health/Check",
    ] {
        assert_eq!(find(none), None, "{none}");
    }
    let count = |kind| {
        table()
            .iter()
            .filter(|(_, method)| method.kind == kind)
            .count()
    };
    assert_eq!(
        (count(Kind::Read), count(Kind::Change), count(Kind::Stream)),
        (9, 13, 2)
    );
}

#[test]
fn scopes_are_those_that_keys_are_made_for() {
    let scopes: BTreeSet<&str> = table()
        .iter()
        .map(|(_, method)| method.scope.as_str())
        .collect();
    let known = [
        "inventory.read",
        "inventory.write",
        "operator",
        "orders.command",
        "orders.place",
        "orders.read",
        "orders.review",
    ];
    assert_eq!(scopes, BTreeSet::from(known));
}
