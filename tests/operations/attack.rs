//! One client against the others: attacks by one client, with a probe beside them that must not
//! notice. Each attack comes from the probe's own address and from another one.

mod bodies;
mod connections;
mod headers;
mod heartbeat;
mod large;
pub(super) mod probe;
mod proxies;
mod resets;
pub(super) mod stranger;
mod unread;
mod watches;

use orders_test_support::{ServerOptions, TestServer};
use probe::{IMPATIENT, PATIENT, Patience};
use std::{net::IpAddr, time::Duration};

/// Where attacks come from: the probe's own address, and another one.
pub(super) const SOURCES: [IpAddr; 2] = [
    IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 1)),
    IpAddr::V4(std::net::Ipv4Addr::new(127, 0, 0, 2)),
];

/// How long an attack lasts in a test of every day.
const SHORT: Duration = Duration::from_secs(3);

/// All attacks, for longer, and with a probe that waits no longer than a user would. Not part of the
/// tests of every day, since a busy machine is slow without any attack.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes, on a machine that does nothing else: make attack"]
async fn a_probe_with_little_patience_notices_no_attack() {
    let server = TestServer::start(ServerOptions::default()).await;
    let long = Duration::from_secs(20);
    for source in SOURCES {
        bodies::attack(&server, source, long, IMPATIENT).await;
        unread::attack(&server, source, long, IMPATIENT).await;
        connections::attack(&server, source, 1_000, long, IMPATIENT).await;
        resets::attack(&server, source, 8, long, IMPATIENT).await;
        watches::attack(&server, source, long, IMPATIENT).await;
    }
}
