//! Several processes on one Temporal and one PostgreSQL: two that serve and two that run orders, each
//! restarted in turn under load. A client that sends again as the service config says sees no error.

use nix::sys::signal::Signal;
use orders::v1::{
    ConfirmDeliveryRequest, ConfirmPickupRequest, GetOrderRequest, Order, OrderState,
    ShipmentState, StartFulfillmentRequest,
};
use orders_test_support::{
    Client, PATIENCE, Placing, Postgres, Refused, ServerOptions, TestServer, TestTemporal,
    again::is_of_connection, eventually, process::Process, sku, temporal::free_port, unique,
};
use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::Duration,
};
use tonic::{Code, Status};

/// As the service config has it.
const ATTEMPTS: usize = 5;

/// Orders that are under way at once.
const CUSTOMERS: usize = 6;

/// What each of them orders at least, one after the other.
const ORDERS: usize = 4;

/// A client of all servers, which takes the next one when it sends again.
struct Fleet {
    addresses: Vec<String>,
    turn: AtomicUsize,
    again: AtomicUsize,
}

impl Fleet {
    async fn connect(&self) -> Client {
        let turn = || {
            let turn = self.turn.fetch_add(1, Ordering::Relaxed);
            &self.addresses[turn % self.addresses.len()]
        };
        // A balancer passes over those that cannot be reached.
        eventually("a server", async || Client::try_connect(turn()).await.ok()).await
    }

    /// Sends a request as often as the service config allows.
    async fn send<T>(&self, what: &str, call: impl AsyncFn(Client) -> Result<T, Status>) -> T {
        for attempt in 1.. {
            let client = self.connect().await;
            match call(client).await {
                Ok(answer) => return answer,
                Err(status) => {
                    // A call that the connection's end took with it: gRPC's own libraries say
                    // UNAVAILABLE to that, where this one says UNKNOWN or CANCELLED.
                    let is_lost = is_of_connection(&status);
                    let is_retried = status.code() == Code::Unavailable || is_lost;
                    let is_retried = is_retried && attempt < ATTEMPTS;
                    assert!(is_retried, "{what}, attempt {attempt}: {status:?}");
                    self.again.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_millis(200) * attempt as u32).await;
                }
            }
        }
        unreachable!("it returns or fails")
    }

    async fn until(&self, order_id: &str, state: OrderState) -> Order {
        self.until_that(order_id, |order| order.state() == state)
            .await
    }

    async fn until_pickup_requested(&self, order_id: &str) {
        self.until_that(order_id, |order| {
            let shipment = order.shipment.as_ref();
            shipment.is_some_and(|shipment| shipment.state() == ShipmentState::Requested)
        })
        .await;
    }

    async fn until_that(&self, order_id: &str, wanted: impl Fn(&Order) -> bool) -> Order {
        let end = tokio::time::Instant::now() + PATIENCE;
        loop {
            let order = self.send("GetOrder", async |client: Client| {
                let request = GetOrderRequest {
                    order_id: order_id.to_owned(),
                    consistency: 0,
                };
                client.orders.clone().get_order(request).await
            });
            let order = order.await.into_inner().order.unwrap();
            if wanted(&order) {
                return order;
            }
            assert!(
                tokio::time::Instant::now() < end,
                "not as it should be: {order:?}"
            );
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Places an order and goes with it to its end.
    async fn order(&self, sku: &str) -> String {
        let placing = Placing::pre_order(sku, 30);
        let id = placing.id();
        self.send("PlaceOrder", async |client: Client| {
            client.orders.clone().place_order(placing.0.clone()).await
        })
        .await;
        self.until(&id, OrderState::AwaitingRelease).await;
        let start = StartFulfillmentRequest {
            order_id: id.clone(),
            request_id: unique("start"),
            ..StartFulfillmentRequest::default()
        };
        self.send("StartFulfillment", async |client: Client| {
            client.orders.clone().start_fulfillment(start.clone()).await
        })
        .await;
        self.until_pickup_requested(&id).await;
        let pickup = ConfirmPickupRequest {
            order_id: id.clone(),
            request_id: unique("pickup"),
            ..ConfirmPickupRequest::default()
        };
        self.send("ConfirmPickup", async |client: Client| {
            client.orders.clone().confirm_pickup(pickup.clone()).await
        })
        .await;
        let delivery = ConfirmDeliveryRequest {
            order_id: id.clone(),
            request_id: unique("delivery"),
            ..ConfirmDeliveryRequest::default()
        };
        self.send("ConfirmDelivery", async |client: Client| {
            client
                .orders
                .clone()
                .confirm_delivery(delivery.clone())
                .await
        })
        .await;
        self.until(&id, OrderState::Completed).await;
        id
    }

    /// Follows all orders until each is told to be closed that `wanted` names, across all servers.
    async fn follow(
        &self,
        mut position: String,
        wanted: tokio::sync::oneshot::Receiver<Vec<String>>,
    ) -> BTreeMap<String, Vec<i64>> {
        let mut told: BTreeMap<String, Vec<i64>> = BTreeMap::new();
        let mut closed = Vec::new();
        let mut wanted = std::pin::pin!(wanted);
        let mut all: Option<Vec<String>> = None;
        let mut end = tokio::time::Instant::now() + PATIENCE * 10;
        loop {
            let opened = self.connect().await.watch_many("", &position).await;
            let Ok((begins, mut stream)) = opened else {
                continue;
            };
            position = begins;
            loop {
                if all
                    .as_ref()
                    .is_some_and(|all| all.iter().all(|id| closed.contains(id)))
                {
                    return told;
                }
                tokio::select! {
                    ids = &mut wanted, if all.is_none() => {
                        all = Some(ids.unwrap());
                        end = tokio::time::Instant::now() + PATIENCE;
                    }
                    () = tokio::time::sleep_until(end) => panic!("not all is told: {told:?}"),
                    answer = stream.message() => match answer {
                        Ok(Some(answer)) => {
                            let order = answer.order.unwrap();
                            position = answer.position;
                            let revisions = told.entry(order.order_id.clone()).or_default();
                            revisions.push(answer.event.unwrap().revision);
                            if order.close_time.is_some() {
                                closed.push(order.order_id);
                            }
                        }
                        Ok(None) => break,
                        Err(status) => {
                            let refused = Refused::from(status);
                            assert_eq!(refused.code, Code::Unavailable, "{refused:?}");
                            break;
                        }
                    },
                }
            }
        }
    }
}

fn worker(options: &ServerOptions, data_dir: &std::path::Path) -> Process {
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_orders"));
    command
        .arg("worker")
        .arg("--data-dir")
        .arg(data_dir)
        .args(&options.args)
        .env_remove("TEMPORAL_ADDRESS")
        .env_remove("TEMPORAL_NAMESPACE")
        .env(
            "ORDERS_DATABASE_URL",
            options.database_url.as_ref().unwrap(),
        );
    Process::spawn(command)
}

async fn ready(worker: &mut Process) {
    eventually("the worker", async || {
        assert!(worker.ended().is_none(), "{}", worker.output());
        worker.line_with("ready: running orders")
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn each_process_is_restarted_in_turn_and_nobody_notices() {
    let temporal = TestTemporal::start().await;
    let folder = tempfile::tempdir().unwrap();
    let url = Postgres::shared().database(folder.path());
    let options = ServerOptions::with_temporal(&temporal.address).database_url(&url);
    let serve = |number: usize, port: u16| {
        options
            .clone()
            .arg("--no-worker")
            .data_dir(&folder.path().join(format!("serve-{number}")))
            .listen(&format!("127.0.0.1:{port}"))
    };
    let serving = [serve(0, free_port()), serve(1, free_port())];
    let data = |number: usize| folder.path().join(format!("worker-{number}"));
    let mut workers = [worker(&options, &data(0)), worker(&options, &data(1))];
    for worker in &mut workers {
        ready(worker).await;
    }
    let [first, second] = serving.clone();
    let (first, second) = tokio::join!(TestServer::start(first), TestServer::start(second));
    let fleet = Fleet {
        addresses: vec![first.address.clone(), second.address.clone()],
        turn: AtomicUsize::default(),
        again: AtomicUsize::default(),
    };
    let sku = sku();
    first.client().await.stock(&sku, 10_000).await;
    let begun = first.client().await.watch_many("", "").await;
    let (position, _) = begun.unwrap();
    let rolled = AtomicBool::new(false);
    let customers = (0..CUSTOMERS).map(async |_| {
        let mut ids = Vec::new();
        // As long as processes are restarted.
        while ids.len() < ORDERS || !rolled.load(Ordering::Relaxed) {
            ids.push(fleet.order(&sku).await);
        }
        ids
    });
    let customers = futures::future::join_all(customers);
    let rolling = async {
        let mut servers = vec![first, second];
        for number in 0..2 {
            let ended = servers.remove(0).stop().await;
            assert_eq!(ended, Some(0), "serve {number}");
            servers.push(TestServer::start(serving[number].clone()).await);
            let stopping = &mut workers[number];
            stopping.signal(Signal::SIGTERM);
            let status = eventually("the worker's end", async || stopping.ended()).await;
            assert_eq!(status.code(), Some(0), "worker {number}");
            workers[number] = worker(&options, &data(number));
            ready(&mut workers[number]).await;
        }
        rolled.store(true, Ordering::Relaxed);
        servers
    };
    let (wanted, ids) = tokio::sync::oneshot::channel();
    let work = async {
        let (ids, servers) = futures::join!(customers, rolling);
        let ids = ids.concat();
        wanted.send(ids.clone()).unwrap();
        (ids, servers)
    };
    let (told, (ids, servers)) = futures::join!(fleet.follow(position, ids), work);
    for id in &ids {
        let revisions = &told[id];
        let expected: Vec<i64> = (1..=revisions.len() as i64).collect();
        assert_eq!(*revisions, expected, "{id}");
        let charges = "SELECT COUNT(*) FROM payment_entries e JOIN payments p
             ON p.payment_id = e.payment_id WHERE p.order_id = $1 AND e.kind = 'CHARGE'";
        assert_eq!(servers[0].count(charges, id).await, 1, "{id}");
    }
    let stock = servers[0].client().await.stock_item(&sku).await;
    assert_eq!(
        (stock.on_hand(), stock.reserved),
        (10_000 - ids.len() as i64, 0)
    );
    let again = fleet.again.load(Ordering::Relaxed);
    println!("{} orders; {again} requests were sent again", ids.len());
}
