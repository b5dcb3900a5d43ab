//! The same again after Temporal has forgotten the order: what was answered stands in the database.

use orders::v1::{
    ConfirmPickupRequest, Order, OrderState, PlaceOrderRequest, Reservation, ReservationState,
    SetStockItemRequest, StartFulfillmentRequest, StockItem,
};
use orders_test_support::{
    Client, Placing, Refused, ServerOptions, TestServer, TestTemporal, Wire, eventually, shared,
    sku, temporal, unique, wire::Answer,
};
use serde_json::json;
use tonic::{Code, Response, Status};

/// Every way to read one order, with the answer as it came.
async fn read(wire: &Wire, id: &str, customer: &str) -> Vec<Answer> {
    let filter = format!("customer_id = \"{customer}\"");
    let asked = [
        ("GetOrder", json!({"order_id": id})),
        ("ListOrders", json!({"filter": filter})),
        ("ListOrderEvents", json!({"order_id": id})),
    ];
    let mut answers = Vec::new();
    for (rpc, request) in asked {
        answers.push(wire.call(rpc, &request, None).await.unwrap());
    }
    answers
}

fn bytes(answers: &[Answer]) -> Vec<&[u8]> {
    answers
        .iter()
        .map(|answer| answer.bytes.as_slice())
        .collect()
}

/// Deletes an order's workflow as an operator does, and waits until Temporal knows nothing of it.
async fn forget(address: &str, id: &str) {
    let workflow = format!("order/{id}");
    temporal::delete(address, &workflow);
    eventually("Temporal to forget the workflow", async || {
        (!temporal::is_known(address, &workflow).await).then_some(())
    })
    .await;
}

fn assert_replayed<T: std::fmt::Debug>(answer: Result<Response<T>, Status>) -> T {
    let answer = answer.unwrap();
    assert!(
        answer.metadata().contains_key("orders-replayed"),
        "{answer:?}"
    );
    answer.into_inner()
}

fn assert_reused<T: std::fmt::Debug>(answer: Result<Response<T>, Status>) {
    let refused = Refused::from(answer.unwrap_err());
    let expected = (Code::AlreadyExists, "REQUEST_ID_REUSED");
    assert_eq!((refused.code, refused.reason.as_str()), expected);
}

/// What was asked of an order, to be asked again.
struct Asked {
    customer: String,
    place: PlaceOrderRequest,
    start: StartFulfillmentRequest,
    pickup: ConfirmPickupRequest,
}

impl Asked {
    fn new(sku: &str) -> Self {
        let customer = unique("customer");
        let mut placing = Placing::pre_order(sku, 30);
        placing.0.customer_id.clone_from(&customer);
        let order_id = placing.id();
        Self {
            customer,
            place: placing.0,
            start: StartFulfillmentRequest {
                order_id: order_id.clone(),
                request_id: unique("start"),
                ..StartFulfillmentRequest::default()
            },
            pickup: ConfirmPickupRequest {
                order_id,
                request_id: unique("pickup"),
                tracking_number: "TRACK-1".to_owned(),
                ..ConfirmPickupRequest::default()
            },
        }
    }

    fn id(&self) -> &str {
        &self.place.order_id
    }

    /// From placing to the parcel on its way.
    async fn send(&self, client: &Client) {
        let mut orders = client.orders.clone();
        client.place(self.place.clone()).await;
        client.until(self.id(), OrderState::AwaitingRelease).await;
        orders.start_fulfillment(self.start.clone()).await.unwrap();
        client.until_pickup_requested(self.id()).await;
        orders.confirm_pickup(self.pickup.clone()).await.unwrap();
    }

    /// All of it again, and each with another content.
    async fn send_again(&self, client: &Client) {
        let mut orders = client.orders.clone();
        let now = client.get(self.id()).await;
        let placed = assert_replayed(orders.place_order(self.place.clone()).await);
        assert_eq!(placed.order.as_ref(), Some(&now));
        let started = assert_replayed(orders.start_fulfillment(self.start.clone()).await);
        assert_eq!(started.order.as_ref(), Some(&now));
        let picked_up = assert_replayed(orders.confirm_pickup(self.pickup.clone()).await);
        assert_eq!(picked_up.order.as_ref(), Some(&now));

        let mut other = self.place.clone();
        other.line_items[0].quantity = 2;
        assert_reused(orders.place_order(other).await);
        let mut other = self.pickup.clone();
        other.tracking_number = "TRACK-2".to_owned();
        assert_reused(orders.confirm_pickup(other).await);
        let other = orders::v1::ConfirmDeliveryRequest {
            order_id: self.id().to_owned(),
            request_id: self.start.request_id.clone(),
            ..Default::default()
        };
        assert_reused(orders.confirm_delivery(other).await);
    }
}

#[tokio::test]
async fn a_closed_order_is_answered_as_before() {
    let temporal = TestTemporal::start().await;
    let server = TestServer::start(ServerOptions::with_temporal(&temporal.address)).await;
    let (client, wire) = (server.client().await, Wire::connect(&server.address).await);
    let sku = sku();
    let stock = SetStockItemRequest {
        stock_item: Some(StockItem {
            sku: sku.clone(),
            on_hand: Some(5),
            ..StockItem::default()
        }),
        request_id: unique("stock"),
        ..SetStockItemRequest::default()
    };
    let mut inventory = client.inventory.clone();
    inventory.set_stock_item(stock.clone()).await.unwrap();
    let asked = Asked::new(&sku);
    asked.send(&client).await;
    client.confirm_delivery(asked.id()).await.unwrap();
    client.until(asked.id(), OrderState::Completed).await;
    let address = server.temporal_address();
    eventually("the workflow's end", async || {
        let history = temporal::history(&address, asked.id()).await;
        (history.last()? == "WORKFLOW_EXECUTION_COMPLETED").then_some(())
    })
    .await;
    let before = read(&wire, asked.id(), &asked.customer).await;

    forget(&address, asked.id()).await;
    let after = read(&wire, asked.id(), &asked.customer).await;
    assert_eq!(bytes(&after), bytes(&before));
    // It does not change any more, so the database is as good as the workflow.
    let strong = json!({"order_id": asked.id(), "consistency": "CONSISTENCY_STRONG"});
    let strong = wire.call("GetOrder", &strong, None).await.unwrap();
    assert_eq!(strong.bytes, before[0].bytes);

    asked.send_again(&client).await;
    // Answered with the stock as it is now, which the order has lowered.
    let item = assert_replayed(inventory.set_stock_item(stock.clone()).await);
    assert_eq!(item.stock_item.unwrap().on_hand(), 4);
    let mut other = stock;
    other.stock_item.as_mut().unwrap().on_hand = Some(6);
    assert_reused(inventory.set_stock_item(other).await);

    let after = read(&wire, asked.id(), &asked.customer).await;
    assert_eq!(bytes(&after), bytes(&before));
    let workflow = format!("order/{}", asked.id());
    assert!(
        !temporal::is_known(&address, &workflow).await,
        "a workflow was started"
    );
}

#[tokio::test]
async fn an_open_order_is_answered_as_before_and_goes_on() {
    let server = shared().await;
    let (client, wire) = (server.client().await, Wire::connect(&server.address).await);
    let sku = sku();
    client.stock(&sku, 5).await;
    let asked = Asked::new(&sku);
    asked.send(&client).await;
    // With the last thing that it does by itself before it waits for the delivery.
    let rests = |order: &Order| {
        let reserved = order.reservation.as_ref().map(Reservation::state);
        order.state() == OrderState::InTransit && reserved == Some(ReservationState::Committed)
    };
    let what = "the parcel on its way and out of the stock";
    let order = client.until_that(asked.id(), what, rests).await;
    let before = read(&wire, asked.id(), &asked.customer).await;

    let address = server.temporal_address();
    forget(&address, asked.id()).await;
    let after = read(&wire, asked.id(), &asked.customer).await;
    assert_eq!(bytes(&after), bytes(&before));
    asked.send_again(&client).await;
    assert_eq!(client.get(asked.id()).await, order);

    // Who wants it from the workflow gets it from a new one.
    let strong = json!({"order_id": asked.id(), "consistency": "CONSISTENCY_STRONG"});
    let strong = wire.call("GetOrder", &strong, None).await.unwrap();
    assert_eq!(strong.bytes, before[0].bytes);
    let workflow = format!("order/{}", asked.id());
    assert!(temporal::is_known(&address, &workflow).await);

    // And a command, too.
    forget(&address, asked.id()).await;
    client.confirm_delivery(asked.id()).await.unwrap();
    client.until(asked.id(), OrderState::Completed).await;
    let charges = "SELECT count(*) FROM payment_entries e JOIN payments p USING (payment_id)
                   WHERE p.order_id = $1";
    assert_eq!(server.count(charges, asked.id()).await, 1);
    asked.send_again(&client).await;
}

/// Nobody asks for them: the sweep finds that they stand still.
#[tokio::test]
async fn open_orders_without_a_workflow_go_on_by_themselves() {
    let server = shared().await;
    let client = server.client().await;
    let address = server.temporal_address();
    let sku = sku();
    client.stock(&sku, 2).await;
    let ids = [(); 2].map(|()| Placing::new("quick-approval", &sku).price(6_000, 0));
    let [deleted, terminated] = ids;
    let ids = [deleted.id(), terminated.id()];
    client.place(deleted).await;
    client.place(terminated).await;
    for id in &ids {
        client.until(id, OrderState::AwaitingApproval).await;
    }
    forget(&address, &ids[0]).await;
    let workflow = format!("order/{}", ids[1]);
    temporal::terminate(&address, &workflow).await.unwrap();
    for id in &ids {
        let order = client
            .until_that(id, "its end", |order| order.close_time.is_some())
            .await;
        assert_eq!(order.state(), OrderState::Rejected, "{order:?}");
    }
    assert_eq!(client.stock_item(&sku).await.reserved, 0);
}
