//! What can happen to an order beside the ways of the scenario table: what comes from Temporal itself,
//! from kills, from bugs, and from commands at odd moments. Each story has a Temporal of its own, and
//! every workflow in it is part of the story.

use orders::v1::{OrderState, ReviewDecision};
use orders_test_support::{
    Client, Placing, ServerOptions, TestServer, TestTemporal, eventually,
    order::dollars,
    process::Process,
    sku,
    temporal::{self, tool},
};
use std::{path::Path, process::Command};
use tempfile::TempDir;

/// Servers that come and go beside a Temporal that stays.
pub(super) struct Stage {
    pub(super) temporal: TestTemporal,
    data: TempDir,
    sku: String,
}

impl Stage {
    pub(super) async fn new() -> Stage {
        Stage::on(TestTemporal::start().await)
    }

    fn on(temporal: TestTemporal) -> Stage {
        let data = TempDir::new().unwrap();
        let sku = sku();
        Stage {
            temporal,
            data,
            sku,
        }
    }

    pub(super) fn options(&self) -> ServerOptions {
        let data: &Path = self.data.path();
        let options = ServerOptions::with_temporal(&self.temporal.address);
        options.data_dir(data).policies()
    }

    pub(super) async fn start(&self, options: ServerOptions) -> (TestServer, Client) {
        let server = TestServer::start(options).await;
        let client = server.client().await;
        client.stock(&self.sku, 100).await;
        (server, client)
    }

    pub(super) fn placing(&self, policy: &str, id: &str) -> Placing {
        let mut placing = match policy {
            "pre-order" => Placing::pre_order(&self.sku, 30),
            policy => Placing::new(policy, &self.sku),
        };
        placing.0.order_id = id.to_owned();
        placing
    }

    pub(super) async fn held(&self, client: &Client, id: &str) {
        client.place(self.placing("pre-order", id)).await;
        client.until(id, OrderState::AwaitingRelease).await;
    }

    pub(super) async fn ended(&self, id: &str) {
        until_ended(&self.temporal.address, &format!("order/{id}")).await;
    }

    fn cli(&self, args: &[&str]) -> Command {
        let mut command = Command::new(tool("temporal").unwrap());
        command
            .args(args)
            .args(["--address", &self.temporal.address]);
        command
    }

    fn run_cli(&self, args: &[&str]) {
        let output = self.cli(args).output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {errors}");
    }

    fn signal(&self, id: &str, input: &str) {
        let workflow = format!("order/{id}");
        let args = ["workflow", "signal", "--workflow-id", &workflow];
        self.run_cli(&[&args[..], &["--name", "command", "--input", input]].concat());
    }
}

/// Waits until a workflow's newest run has ended.
pub async fn until_ended(address: &str, workflow_id: &str) {
    eventually(&format!("the end of {workflow_id}"), async || {
        let events = temporal::history_of(address, workflow_id).await;
        (events.last()? == "WORKFLOW_EXECUTION_COMPLETED").then_some(())
    })
    .await;
}

/// Signals that cannot be read, that are refused, and that are done.
pub async fn signals() -> TestTemporal {
    let stage = Stage::new().await;
    let (server, client) = stage.start(stage.options()).await;
    stage.held(&client, "signals").await;
    stage.signal("signals", "\"nonsense\"");
    stage.signal("signals", r#"{"command": {"type": "confirm_delivery"}}"#);
    eventually("the refusal to be recorded", async || {
        let refused = client.count_events("signals", "COMMAND_REFUSED").await;
        (refused == 1).then_some(())
    })
    .await;
    client.signal_cancel("signals").await.unwrap();
    stage.ended("signals").await;
    drop(server);
    stage.temporal
}

/// Cancelled in Temporal's own UI: once while it is allowed, once too late.
pub async fn temporal_cancels() -> TestTemporal {
    let stage = Stage::new().await;
    let (server, client) = stage.start(stage.options()).await;
    for id in ["temporal-cancel", "temporal-cancel-refused"] {
        stage.held(&client, id).await;
    }
    client
        .start_fulfillment("temporal-cancel-refused")
        .await
        .unwrap();
    for id in ["temporal-cancel", "temporal-cancel-refused"] {
        stage.run_cli(&[
            "workflow",
            "cancel",
            "--workflow-id",
            &format!("order/{id}"),
        ]);
    }
    stage.ended("temporal-cancel").await;
    eventually("the refusal to be recorded", async || {
        let refused = client
            .count_events("temporal-cancel-refused", "COMMAND_REFUSED")
            .await;
        (refused == 1).then_some(())
    })
    .await;
    client
        .confirm_pickup("temporal-cancel-refused")
        .await
        .unwrap();
    client
        .confirm_delivery("temporal-cancel-refused")
        .await
        .unwrap();
    stage.ended("temporal-cancel-refused").await;
    drop(server);
    stage.temporal
}

/// A lane whose attempts each stand in the history, so that it grows.
const PATIENT_LANE: &str = r#"
[[policy]]
name = "patient-lane"
secure = "PAY_ONLY"
payment = "SALE"
shipping = "LANE"
delivery = "ON_SHIP"
cancel_until = "DISPATCH"
lane = "REGULAR"
retry = { max_attempts = 1000, initial_interval = "100ms", backoff = 1.0, max_interval = "100ms" }
"#;

/// Histories so long that Temporal asks for new ones: of an order, of one with its lane, and of the
/// supplies of a sku.
pub async fn continued_as_new() -> TestTemporal {
    let stage = Stage::on(TestTemporal::with_short_histories(12).await);
    let policies = stage.data.path().join("policies.toml");
    std::fs::write(&policies, PATIENT_LANE).unwrap();
    let options = ServerOptions::with_temporal(&stage.temporal.address)
        .data_dir(stage.data.path())
        .arg("--policies")
        .arg(policies.to_str().unwrap());
    let failing = options.arg("--simulate").arg("shipping:error=1");
    let (server, client) = stage.start(failing).await;
    stage.held(&client, "continued").await;
    for number in 0..4 {
        let line = format!("{number} New St");
        client.move_to("continued", &line).await.unwrap();
    }
    client.cancel("continued").await.unwrap();
    stage.ended("continued").await;
    client
        .place(stage.placing("patient-lane", "continued-lane"))
        .await;
    eventually("some failed attempts", async || {
        let failed = client
            .count_events("continued-lane", "ATTEMPT_FAILED")
            .await;
        (failed > 5).then_some(())
    })
    .await;
    client.cancel("continued-lane").await.unwrap();
    stage.ended("continued-lane").await;
    until_ended(&stage.temporal.address, "shipping/continued-lane").await;
    drop(server);
    stage.temporal
}

/// Two supplies of a sku, one after the other; in one history, and with a new one in between.
pub async fn replenishment(temporal: TestTemporal) -> TestTemporal {
    let stage = Stage::on(temporal);
    let slow = stage.options().arg("--supplier-lead-time").arg("2s");
    let (server, client) = stage.start(slow).await;
    client.reordered_stock("supplies", 100, 50, 60).await;
    for (number, quantity) in [60, 30].into_iter().enumerate() {
        let id = format!("supplies-{number}");
        let mut placing = stage.placing("stock", &id).quantity(quantity);
        placing.0.line_items[0].sku = "supplies".to_owned();
        client.place(placing).await;
        client.until(&id, OrderState::Completed).await;
        stage.ended(&id).await;
    }
    client.until_delivered("supplies", 2).await;
    until_ended(&stage.temporal.address, "replenishment/supplies").await;
    drop(server);
    stage.temporal
}

/// A workflow that somebody ended by hand, and one that was reset: started anew by the next command
/// or by the sweep, from where the order stands.
pub async fn resumed() -> TestTemporal {
    let stage = Stage::new().await;
    let (server, client) = stage.start(stage.options()).await;
    let by_hand = ["resumed-by-command", "resumed-by-sweep"];
    for id in [by_hand[0], by_hand[1], "reset"] {
        stage.held(&client, id).await;
    }
    for id in by_hand {
        let workflow = format!("order/{id}");
        stage.run_cli(&["workflow", "terminate", "--workflow-id", &workflow]);
    }
    let reset = ["--type", "FirstWorkflowTask", "--reason", "a test"];
    stage.run_cli(
        &[
            &["workflow", "reset", "--workflow-id", "order/reset"][..],
            &reset,
        ]
        .concat(),
    );
    client
        .start_fulfillment("resumed-by-command")
        .await
        .unwrap();
    client.cancel("resumed-by-sweep").await.unwrap();
    client.cancel("reset").await.unwrap();
    client.until_pickup_requested("resumed-by-command").await;
    client.confirm_pickup("resumed-by-command").await.unwrap();
    client.confirm_delivery("resumed-by-command").await.unwrap();
    for id in [by_hand[0], by_hand[1], "reset"] {
        stage.ended(id).await;
    }
    drop(server);
    stage.temporal
}

/// Activities that failed in the worker so often that Temporal took them over, healed by the next
/// build.
pub async fn taken_over() -> TestTemporal {
    let stage = Stage::new().await;
    let broken = stage.options().env(
        "ORDERS_TEST_BROKEN_STEP",
        "charge_payment,dispatch_shipment,refund_payment",
    );
    let (mut server, client) = stage.start(broken).await;
    client
        .place(stage.placing("approval", "charge-healed"))
        .await;
    client
        .place(stage.placing("quick-external", "dispatch-healed"))
        .await;
    client
        .until("dispatch-healed", OrderState::AwaitingPayment)
        .await;
    let total = client.get("dispatch-healed").await.total.unwrap();
    client
        .confirm_payment("dispatch-healed", total)
        .await
        .unwrap();
    for id in ["charge-healed", "dispatch-healed"] {
        eventually(&format!("{id} to be held up"), async || {
            let workflow = format!("order/{id}");
            let failing = temporal::failing_activities(&stage.temporal.address, &workflow).await;
            failing.iter().any(|(_, tries)| *tries > 1).then_some(())
        })
        .await;
    }
    client.cancel("charge-healed").await.unwrap();
    server.process.kill();
    let (server, _) = stage.start(stage.options()).await;
    stage.ended("charge-healed").await;
    stage.ended("dispatch-healed").await;
    drop(server);
    stage.temporal
}

/// A signal and an update that come in the same workflow task as the end of a wait.
pub async fn in_the_same_moment() -> TestTemporal {
    let stage = Stage::new().await;
    let (mut server, client) = stage.start(stage.options()).await;
    let ids = ["signal-and-timer", "update-and-timer", "signals-and-update"];
    for id in ids {
        let placing = stage.placing("quick-approval", id).price(6_000, 0);
        client.place(placing).await;
        client.until(id, OrderState::AwaitingApproval).await;
        // The store knows it first.
        eventually("the timer to be started", async || {
            let events = temporal::history(&stage.temporal.address, id).await;
            events.contains(&"TIMER_STARTED".to_owned()).then_some(())
        })
        .await;
    }
    server.process.kill();
    let review = |request: &str| {
        format!(
            r#"{{"request_id": "{request}", "actor": "ada", "command": {{"type": "review_order",
                "decision": "APPROVE", "reviewer": "ada", "reason": "in time"}}}}"#
        )
    };
    stage.signal(ids[0], &review("signal-1"));
    stage.signal(ids[2], r#"{"command": {"type": "confirm_delivery"}}"#);
    let updates: Vec<Process> = [ids[1], ids[2]]
        .into_iter()
        .map(|id| {
            let workflow = format!("order/{id}");
            let args = ["workflow", "update", "execute", "--workflow-id", &workflow];
            let input = review(&format!("update-{id}"));
            let command = ["--name", "command", "--input", &input];
            Process::spawn(stage.cli(&[&args[..], &command].concat()))
        })
        .collect();
    for id in ids {
        eventually("the timer to fire", async || {
            let events = temporal::history(&stage.temporal.address, id).await;
            events
                .iter()
                .any(|event| event == "TIMER_FIRED")
                .then_some(())
        })
        .await;
    }
    let (server, _) = stage.start(stage.options()).await;
    for id in ids {
        stage.ended(id).await;
    }
    drop((updates, server));
    stage.temporal
}

/// Every step scheduled by Temporal: well, failing, and undone.
pub async fn regular_activities() -> TestTemporal {
    let stage = Stage::new().await;
    let (server, client) = stage.start(stage.options()).await;
    client.place(stage.placing("regular-lane", "regular")).await;
    stage.ended("regular").await;
    client
        .place(
            stage
                .placing("regular-lane", "regular-declined")
                .token("tok-declined"),
        )
        .await;
    stage.ended("regular-declined").await;
    assert_eq!(server.stop().await, Some(0));
    let failing = stage.options().arg("--simulate").arg("shipping:error=1");
    let (server, client) = stage.start(failing).await;
    client
        .place(stage.placing("regular-lane", "regular-failed"))
        .await;
    stage.ended("regular-failed").await;
    drop(server);
    stage.temporal
}

/// New addresses: before the carrier knows one, after it does, and while the lane is at work.
pub async fn moved() -> TestTemporal {
    let stage = Stage::new().await;
    let failing = stage.options().arg("--simulate").arg("shipping:error=1");
    let (server, client) = stage.start(failing).await;
    client
        .place(stage.placing("patient-lane", "moved-in-lane"))
        .await;
    eventually("a failed attempt of the lane", async || {
        let failed = client.count_events("moved-in-lane", "ATTEMPT_FAILED").await;
        (failed > 0).then_some(())
    })
    .await;
    client.move_to("moved-in-lane", "2 New St").await.unwrap();
    assert_eq!(server.stop().await, Some(0));
    let (server, client) = stage.start(stage.options()).await;
    stage.ended("moved-in-lane").await;
    client.place(stage.placing("by-hand", "redirected")).await;
    client
        .until("redirected", OrderState::AwaitingApproval)
        .await;
    client.move_to("redirected", "2 New St").await.unwrap();
    client
        .review("redirected", ReviewDecision::Approve)
        .await
        .unwrap();
    client.until_pickup_requested("redirected").await;
    client.move_to("redirected", "3 Newest St").await.unwrap();
    client.confirm_pickup("redirected").await.unwrap();
    client.confirm_delivery("redirected").await.unwrap();
    stage.ended("redirected").await;
    drop(server);
    stage.temporal
}

/// A process that dies after a commit that Temporal has not heard of, and a cancellation that comes
/// before the next one.
pub async fn aborted() -> TestTemporal {
    let stage = Stage::new().await;
    let doomed = stage
        .options()
        // A provider that asks for a moment has each step committed for itself.
        .arg("--simulate")
        .arg("all:latency=1ms")
        .env("ORDERS_TEST_ABORT_AFTER", "charge_payment");
    let (mut server, client) = stage.start(doomed).await;
    let _ = client
        .try_place_unchecked(stage.placing("one-attempt", "aborted"))
        .await;
    assert_eq!(server.ended().await, None, "aborted, not ended");
    stage.run_cli(&["workflow", "cancel", "--workflow-id", "order/aborted"]);
    let (server, _) = stage.start(stage.options()).await;
    stage.ended("aborted").await;
    drop(server);
    stage.temporal
}

/// Orders that still wait, for each of the things that orders wait for.
pub async fn waiting() -> TestTemporal {
    let stage = Stage::new().await;
    let (server, client) = stage.start(stage.options()).await;
    stage.held(&client, "waits-for-release").await;
    let dear = stage
        .placing("standard", "waits-for-review")
        .price(6_000, 0);
    client.place(dear).await;
    client
        .until("waits-for-review", OrderState::AwaitingApproval)
        .await;
    let mut paid_outside = stage.placing("external-payment", "waits-for-payment");
    paid_outside.0.line_items[0].unit_price = Some(dollars(25, 0));
    client.place(paid_outside).await;
    client
        .until("waits-for-payment", OrderState::AwaitingPayment)
        .await;
    client
        .place(stage.placing("standard", "waits-for-delivery"))
        .await;
    client
        .until("waits-for-delivery", OrderState::InTransit)
        .await;
    stage.held(&client, "waits-for-pickup").await;
    client.start_fulfillment("waits-for-pickup").await.unwrap();
    client.until_pickup_requested("waits-for-pickup").await;
    drop(server);
    stage.temporal
}
