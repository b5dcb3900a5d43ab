//! Worker versioning: a build that polls and is not current runs nothing, and health says so.

use orders::v1::OrderState;
use orders_test_support::{
    Placing, ServerOptions, TestServer, TestTemporal, eventually, sku, temporal::run_cli,
};
use tonic::transport::Endpoint;
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

const SERVING: i32 = 1;
const NOT_SERVING: i32 = 2;

async fn health(server: &TestServer, service: &str) -> i32 {
    let endpoint = Endpoint::from_shared(format!("http://{}", server.address)).unwrap();
    let mut client = HealthClient::new(endpoint.connect().await.unwrap());
    let request = HealthCheckRequest {
        service: service.to_owned(),
    };
    client.check(request).await.unwrap().into_inner().status
}

#[tokio::test]
async fn nothing_is_served_that_no_current_build_runs() {
    let temporal = TestTemporal::start().await;
    let options = ServerOptions::with_temporal(&temporal.address);
    let build = ["--deployment-name", "shop", "--build-id", "7"];
    let options = build.iter().fold(options, |options, arg| options.arg(arg));
    let server = TestServer::start(options).await;
    let command = format!(
        "temporal worker deployment set-current-version --deployment-name shop --build-id 7 \
         --namespace default --address {}",
        temporal.address
    );
    eventually("the command to be named", async || {
        server.process.line_with(&command)
    })
    .await;
    assert_eq!(health(&server, "orders.v1.OrderService").await, NOT_SERVING);
    assert_eq!(health(&server, "").await, SERVING);

    // As it says, and Temporal wants both task queues to be polled first.
    let args = ["worker", "deployment", "set-current-version", "--yes"];
    let args = [&args[..], &build].concat();
    eventually("the build to be current", async || {
        run_cli(&temporal.address, &args).ok()
    })
    .await;
    eventually("commands to be possible", async || {
        let status = health(&server, "orders.v1.OrderService").await;
        (status == SERVING).then_some(())
    })
    .await;
    let client = server.client().await;
    let sku = sku();
    client.stock(&sku, 1).await;
    let placed = client.place(Placing::new("standard", &sku)).await;
    client.until(&placed.order_id, OrderState::InTransit).await;
    let output = server.process.output();
    assert_eq!(output.matches(&command).count(), 1, "{output}");
}
