//! An honest client beside an attack: it reads and places orders, and connects anew each second.

use orders::v1::GetOrderRequest;
use orders_test_support::{Client, Placing, TestServer, sku};
use std::{cell::RefCell, future::Future, pin::pin, time::Duration};
use tokio::time::{Instant, sleep};
use tonic::{Request, Status};

/// The most memory that the server may take.
const MEMORY: usize = 600 * 1024 * 1024;

/// Between two calls.
const PAUSE: Duration = Duration::from_millis(200);

/// After so many calls the probe connects anew.
const CALLS_OF_CONNECTION: usize = 5;

/// How long the probe waits for an answer.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    get: Duration,
    place: Duration,
}

/// As a user waits.
pub const IMPATIENT: Patience = Patience {
    get: Duration::from_secs(2),
    place: Duration::from_secs(3),
};

/// As a test waits on a machine that has other things to do.
pub const PATIENT: Patience = Patience {
    get: Duration::from_secs(20),
    place: Duration::from_secs(20),
};

/// Runs an attack with a probe beside it, which must see no error and a server that keeps within its
/// memory. Gives what the attack gives.
pub async fn beside<T>(
    server: &TestServer,
    patience: Patience,
    attack: impl Future<Output = T>,
) -> T {
    let connect = async || Client::try_connect(&server.address).await.unwrap();
    beside_client(server, connect, patience, attack).await
}

/// What the probe has seen.
#[derive(Default)]
struct Seen {
    calls: usize,
    slowest: Duration,
    /// The most memory of the server, in bytes.
    memory: usize,
}

impl Seen {
    fn add(&mut self, took: Duration, memory: usize) {
        assert!(memory < MEMORY, "{} MiB", memory >> 20);
        self.calls += 1;
        self.slowest = self.slowest.max(took);
        self.memory = self.memory.max(memory);
    }
}

/// The same with a probe that connects in another way.
pub async fn beside_client<T>(
    server: &TestServer,
    connect: impl AsyncFn() -> Client,
    patience: Patience,
    attack: impl Future<Output = T>,
) -> T {
    let sku = sku();
    let client = connect().await;
    client.stock(&sku, 1_000_000).await;
    let seen = RefCell::new(Seen::default());
    let probe = async {
        let mut client = client;
        loop {
            let calls = seen.borrow().calls;
            if calls % CALLS_OF_CONNECTION == CALLS_OF_CONNECTION - 1 {
                client = connect().await;
            }
            let begun = Instant::now();
            if let Err(status) = once(&client, &sku, patience).await {
                panic!("call {calls} of the probe: {status:?}");
            }
            seen.borrow_mut()
                .add(begun.elapsed(), server.process.memory());
            sleep(PAUSE).await;
        }
    };
    let mut probe = pin!(probe);
    let came = tokio::select! {
        came = attack => came,
        () = &mut probe => unreachable!("the probe does not end"),
    };
    // On a busy machine a short attack may be over before the first round is. That must end well, too.
    while seen.borrow().calls == 0 {
        tokio::select! {
            () = &mut probe => unreachable!("the probe does not end"),
            () = sleep(PAUSE) => {}
        }
    }
    let Seen {
        calls,
        slowest,
        memory,
    } = *seen.borrow();
    println!(
        "{calls} rounds of the probe, the slowest {slowest:?}, at most {} MiB",
        memory >> 20
    );
    came
}

async fn once(client: &Client, sku: &str, patience: Patience) -> Result<(), Status> {
    let placing = Placing::pre_order(sku, 30);
    let order_id = placing.id();
    let mut place = Request::new(placing.0);
    place.set_timeout(patience.place);
    client.orders.clone().place_order(place).await?;
    let mut get = Request::new(GetOrderRequest {
        order_id,
        consistency: 0,
    });
    get.set_timeout(patience.get);
    client.orders.clone().get_order(get).await?;
    Ok(())
}
