//! The process dies right after the intent was committed, and right after the provider's answer: with
//! and without a cancellation before the restart.

use super::{assert_balanced, options, to_the_end};
use futures::StreamExt;
use orders::v1::{OrderState, ReviewDecision};
use orders_test_support::{
    Client, PaymentProvider, Placing, TestServer, TestTemporal, sku, temporal,
};

/// Where it dies, under which policy, and whether the order must be cancelled to get there.
const DEATHS: &[(&str, &str, bool)] = &[
    ("authorize_payment", "by-hand", false),
    ("capture_payment", "by-hand", false),
    ("charge_payment", "quick-approval", false),
    ("refund_payment", "quick-hold", true),
    ("void_authorization", "by-hand", true),
];

#[tokio::test]
async fn deaths_around_a_call_change_nothing() {
    let temporal = &TestTemporal::start().await;
    let mut deaths = Vec::new();
    for (step, policy, undone) in DEATHS {
        for boundary in ["intent", "called"] {
            for cancel in [false, true] {
                if !(*undone && cancel) {
                    let point = format!("{boundary}:{step}");
                    deaths.push(death(temporal, point, policy, *undone, cancel));
                }
            }
        }
    }
    let deaths = futures::stream::iter(deaths).buffer_unordered(4);
    assert_eq!(deaths.count().await, 16);
}

async fn death(temporal: &TestTemporal, point: String, policy: &str, undone: bool, cancel: bool) {
    let name = format!("{point} cancel={cancel}");
    let provider = PaymentProvider::start().await;
    let folder = tempfile::tempdir().unwrap();
    let options = options(temporal, &provider, &name).data_dir(folder.path());
    let doomed = options.clone().env("ORDERS_TEST_ABORT_AFTER", &point);
    let mut server = TestServer::start(doomed).await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placing = match policy {
        "quick-hold" => Placing::pre_order(&sku, 30).policy(policy),
        policy => Placing::new(policy, &sku),
    };
    let id = placing.id();
    let _ = client.try_place_unchecked(placing).await;
    drive(&client, &id, undone).await;
    assert_eq!(server.ended().await, None, "{name}: aborted, not ended");
    if cancel {
        // It waits in Temporal, ahead of the step's outcome.
        let handle = temporal::connect(&temporal.address).await;
        let handle =
            handle.get_workflow_handle::<temporalio_client::UntypedWorkflow>(format!("order/{id}"));
        handle.cancel(Default::default()).await.unwrap();
    }
    let server = TestServer::start(options).await;
    let client = server.client().await;
    let order = match cancel || undone {
        true => client.until(&id, OrderState::Cancelled).await,
        false => to_the_end(&client, &id).await,
    };
    assert_balanced(&provider, &order, &name);
    let stock = client.stock_item(&sku).await;
    let left = i64::from(order.state() != OrderState::Completed);
    assert_eq!((stock.on_hand(), stock.reserved), (left, 0), "{name}");
    println!("{name}: ended right");
}

/// Moves the order along until the server dies of it.
async fn drive(client: &Client, id: &str, undone: bool) {
    for _ in 0..2_000 {
        let Ok(order) = client.try_get(id).await else {
            return;
        };
        let _ = match order.state() {
            OrderState::AwaitingApproval | OrderState::AwaitingRelease if undone => {
                client.cancel(id).await.map(drop)
            }
            OrderState::AwaitingApproval => {
                let _ = client.review_unchecked(id, ReviewDecision::Approve).await;
                Ok(())
            }
            _ => Ok(()),
        };
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
}
