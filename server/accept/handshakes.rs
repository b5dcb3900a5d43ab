//! The TLS handshakes under way, and a bound on those that are slow.
//!
//! A handshake takes some milliseconds, and a stalled one only costs memory. While there are few, each may
//! take as long as the first request of a connection. While there are many, all that have not ended within
//! two seconds are given up. Handshakes never wait for each other, so stalled ones delay no honest client.
//! The limits of connections, in all and per address, bound the handshakes as well.

use super::{
    connection::Connection,
    throttle::Throttle,
    tls::{HandshakeError, Tls},
    transport::{Rewound, Transport},
};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};
use tokio::{net::TcpStream, time::sleep};

/// More handshakes than this are many.
const MANY: usize = 256;

/// How long a handshake may take while there are many: enough for round trips over a bad network.
const HURRIED: Duration = Duration::from_secs(2);

/// How often a handshake that is older checks whether there are many.
const TICK: Duration = Duration::from_millis(250);

/// The handshakes under way.
#[derive(Debug, Default)]
pub struct Handshakes {
    under_way: AtomicUsize,
    failed: Throttle,
}

/// Counts a handshake until it is dropped.
struct UnderWay<'a>(&'a AtomicUsize);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Handshakes {
    /// Does the handshake of a connection, which may take until `most` after the connection was opened.
    /// Returns none if it fails, and logs why.
    pub async fn run(
        &self,
        tls: &Tls,
        stream: Rewound<TcpStream>,
        connection: &Connection,
        most: Duration,
    ) -> Option<Transport> {
        self.under_way.fetch_add(1, Ordering::Relaxed);
        let _under_way = UnderWay(&self.under_way);
        let done = tokio::select! {
            done = tls.accept(stream) => done,
            () = self.late(connection, most) => Err(HandshakeError::Late),
        };
        let error = match done {
            Ok((stream, identity)) => {
                connection.identify(identity);
                return Some(Transport::Tls(Box::new(stream)));
            }
            Err(error) => error,
        };
        let peer = connection.peer;
        // Load balancers connect to check that the port is open, and send nothing.
        if matches!(error, HandshakeError::Gone) {
            tracing::debug!(%peer, %error, "a TLS handshake failed");
        } else if let Some(times) = self.failed.count() {
            tracing::info!(%peer, %error, times, "a TLS handshake failed");
        }
        None
    }

    /// Returns once the handshake of a connection has taken too long.
    async fn late(&self, connection: &Connection, most: Duration) {
        loop {
            let age = connection.age();
            let has_many = self.under_way.load(Ordering::Relaxed) > MANY;
            if age >= most || (has_many && age >= HURRIED) {
                return;
            }
            let next = if age < HURRIED { HURRIED - age } else { TICK };
            sleep(next.min(most - age)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::accept::{pool::Pools, registry::Registry, turns::Turns};
    use std::{
        net::{IpAddr, Ipv4Addr},
        sync::Arc,
    };

    #[tokio::test]
    async fn a_handshake_may_take_its_time_unless_there_are_many() {
        let registry = Registry::new(Pools::default(), Turns::new(1), 9, 9, 9);
        let peer = IpAddr::from(Ipv4Addr::LOCALHOST);
        let admitted = Arc::new(registry).admit(peer, None, false).unwrap();
        let connection = admitted.connection();
        let handshakes = Handshakes::default();
        let most = HURRIED + Duration::from_secs(1);
        let wait = async {
            // There are many, but not for long.
            handshakes.under_way.store(MANY + 1, Ordering::Relaxed);
            sleep(HURRIED - Duration::from_millis(500)).await;
            handshakes.under_way.store(MANY, Ordering::Relaxed);
        };
        tokio::join!(wait, handshakes.late(connection, most));
        assert!(connection.age() >= most);
        handshakes.under_way.store(MANY + 1, Ordering::Relaxed);
        let hour = Duration::from_secs(3600);
        let given_up = tokio::time::timeout(HURRIED, handshakes.late(connection, hour));
        assert!(given_up.await.is_ok());
    }
}
