//! What the cases are played on: a Temporal, a server without a worker, a worker beside it, and an
//! order in each state that a command wants.

use futures::future::join_all;
use nix::{
    fcntl::{FcntlArg, fcntl},
    libc,
};
use orders::v1::{Order, OrderState, PaymentState, PlaceOrderRequest};
use orders_test_support::{
    Client, Placing, ServerOptions, TestServer, TestTemporal, Wire, eventually, process::Process,
    sku, unique,
};
use std::{collections::BTreeMap, fs::File, process::Command};
use tempfile::TempDir;

/// The commands, SignalOrder, and those of operators.
pub const COMMANDS: [&str; 10] = [
    "ConfirmPayment",
    "ReviewOrder",
    "StartFulfillment",
    "ConfirmPickup",
    "ConfirmDelivery",
    "UpdateShippingAddress",
    "CancelOrder",
    "SignalOrder",
    "RetryOrder",
    "ResolvePayment",
];

/// How many orders may wait for Temporal.
pub const MAX_UNSTARTED: usize = 8;

/// How many watches the server allows.
pub const MAX_WATCHES: usize = 4;

/// See above.
pub struct Stage {
    /// A client that calls by name.
    pub wire: Wire,
    /// A sku of which orders hold some.
    pub sku: String,
    /// A sku that no order wants.
    pub free_sku: String,
    /// A request id that was used for something else.
    pub used_request_id: String,
    /// A payment id of another order.
    pub used_payment_id: String,
    /// A payment token of customer-1.
    pub used_token: String,
    /// A closed order.
    pub closed: String,
    /// For each command an order that would take it; nobody sends it with success.
    pub waiting: BTreeMap<&'static str, String>,
    /// The same, for those who do.
    pub ready: BTreeMap<&'static str, String>,
    /// The server.
    pub server: TestServer,
    worker: Process,
    temporal: TestTemporal,
    /// Goes last.
    _folder: TempDir,
}

impl Stage {
    /// Starts everything and brings the orders there.
    pub async fn start() -> Stage {
        let temporal = TestTemporal::start().await;
        let options = ServerOptions::with_temporal(&temporal.address).policies();
        let options = options.arg("--max-watches").arg(&MAX_WATCHES.to_string());
        let options = options
            .arg("--max-unstarted")
            .arg(&MAX_UNSTARTED.to_string());
        let folder = tempfile::tempdir().unwrap();
        let mut worker = Command::new(env!("CARGO_BIN_EXE_orders"));
        worker
            .args([
                "worker",
                "--temporal-address",
                &temporal.address,
                "--data-dir",
            ])
            .arg(folder.path())
            .envs(orders_test_support::server::database_env(folder.path()));
        let worker = Process::spawn(worker);
        let server = TestServer::start(options.data_dir(folder.path()).arg("--no-worker")).await;
        let client = server.client().await;
        let (sku, free_sku) = (sku(), unique("free"));
        client.stock(&sku, 1_000).await;
        client.reordered_stock(&free_sku, 1, 1, 2).await;
        let used_token = unique("pm");
        let mut closed = Placing::pre_order(&sku, 30).token(&used_token);
        closed.0.payment_id = unique("payment");
        let (used_request_id, used_payment_id) =
            (closed.0.request_id.clone(), closed.0.payment_id.clone());
        let id = client.place(closed).await.order_id;
        client.until(&id, OrderState::AwaitingRelease).await;
        client.cancel(&id).await.unwrap();
        let (waiting, ready, _) = tokio::join!(
            orders_for(&client, &sku),
            orders_for(&client, &sku),
            client.until(&id, OrderState::Cancelled),
        );
        let stage = Stage {
            wire: Wire::connect(&server.address).await,
            sku,
            free_sku,
            used_request_id,
            used_payment_id,
            used_token,
            closed: id,
            waiting,
            ready,
            server,
            worker,
            temporal,
            _folder: folder,
        };
        stage.rested().await;
        stage
    }

    /// Everything that a request could have changed.
    pub async fn snapshot(&self) -> String {
        let mut database = self.server.database().await;
        let query = "SELECT
            (SELECT CAST(count(*) AS TEXT) || ' orders at ' || CAST(sum(revision) AS TEXT) FROM orders)
            || ', ' || (SELECT CAST(count(*) AS TEXT) FROM order_events) || ' events, '
            || (SELECT CAST(count(*) AS TEXT) FROM requests) || ' requests, '
            || (SELECT CAST(count(*) AS TEXT) || ' items of ' || CAST(sum(on_hand) AS TEXT) || ' with '
                || CAST(sum(reserved) AS TEXT) || ' reserved' FROM stock)";
        let text = sqlx::query_scalar(query)
            .fetch_one(&mut database)
            .await
            .unwrap();
        sqlx::Connection::close(database).await.unwrap();
        text
    }

    /// Waits until the orders go on no further by themselves.
    pub async fn rested(&self) -> String {
        let last = std::cell::RefCell::new((String::new(), 0));
        eventually("the orders to rest", async || {
            let now = self.snapshot().await;
            let mut last = last.borrow_mut();
            let same = if last.0 == now { last.1 + 1 } else { 0 };
            *last = (now.clone(), same);
            (same == 10).then_some(now)
        })
        .await
    }

    /// From now on nobody runs orders.
    pub fn kill_worker(&mut self) {
        self.worker.kill();
    }

    /// From now on there is no Temporal.
    pub fn kill_temporal(&mut self) {
        self.temporal.process.kill();
    }

    /// Holds all locks of the database's write-ahead log until dropped, as a process that recovers
    /// it does: nobody can read or write meanwhile.
    ///
    /// The test itself must not open the database then: closing it would give up the locks.
    pub async fn lock_database(&self) -> Box<dyn std::any::Any> {
        if self.server.database_url.is_some() {
            let mut database = self.server.database().await;
            // Until the connection is closed.
            let lock = "BEGIN; LOCK TABLE orders, order_events, requests, stock, supplier_orders";
            sqlx::Executor::execute(&mut database, lock).await.unwrap();
            return Box::new(database);
        }
        let path = self.server.data_dir.join("orders.db-shm");
        let file = File::options().read(true).write(true).open(path).unwrap();
        // The eight lock bytes: https://sqlite.org/walformat.html#locks.
        for start in 120..128 {
            eventually("a lock of the database", async || {
                let lock = libc::flock {
                    l_type: libc::F_WRLCK as _,
                    l_whence: libc::SEEK_SET as _,
                    l_start: start,
                    l_len: 1,
                    l_pid: 0,
                };
                fcntl(&file, FcntlArg::F_SETLK(&lock)).ok()
            })
            .await;
        }
        Box::new(file)
    }

    /// Waits until the server has its database back.
    pub async fn until_readable(&self) {
        let request = serde_json::json!({"order_id": self.closed});
        eventually("the database to be back", async || {
            self.wire.call("GetOrder", &request, None).await.ok()
        })
        .await;
    }
}

/// An order for each command.
async fn orders_for(client: &Client, sku: &str) -> BTreeMap<&'static str, String> {
    let prepared = COMMANDS.map(async |command| {
        let id = match command {
            "ConfirmPayment" => {
                placed(
                    client,
                    Placing::new("external-payment", sku),
                    OrderState::AwaitingPayment,
                )
                .await
            }
            "ReviewOrder" => {
                placed(
                    client,
                    Placing::new("by-hand", sku),
                    OrderState::AwaitingApproval,
                )
                .await
            }
            "ConfirmPickup" => {
                let id = client.held(sku).await;
                client.start_fulfillment(&id).await.unwrap();
                client.until_pickup_requested(&id).await;
                id
            }
            "ConfirmDelivery" => {
                placed(client, Placing::new("standard", sku), OrderState::InTransit).await
            }
            "RetryOrder" | "ResolvePayment" => {
                let placing = Placing::new("lost-for-long", sku).token("tok-lost-answer");
                let id = client.place(placing).await.order_id;
                let lost = |order: &Order| {
                    order
                        .payment
                        .as_ref()
                        .is_some_and(|payment| payment.state() == PaymentState::Indeterminate)
                };
                client.until_that(&id, "the answer to be lost", lost).await;
                id
            }
            _ => client.held(sku).await,
        };
        (command, id)
    });
    join_all(prepared).await.into_iter().collect()
}

async fn placed(
    client: &Client,
    placing: impl Into<PlaceOrderRequest>,
    state: OrderState,
) -> String {
    let id = client.place(placing).await.order_id;
    client.until(&id, state).await;
    id
}
