//! A client as any user has one: generated from the proto, over the wire.

use crate::{
    Placing, Refused,
    again::{until_answered, until_done},
    eventually, unique,
};
use orders::v1::{
    CancelOrderRequest, ConfirmDeliveryRequest, ConfirmPickupRequest, GetOrderRequest, Order,
    OrderState, PlaceOrderRequest, ReviewDecision, ReviewOrderRequest, SetStockItemRequest,
    ShipmentState, StartFulfillmentRequest, StockItem,
    inventory_service_client::InventoryServiceClient,
    operator_service_client::OperatorServiceClient, order_service_client::OrderServiceClient,
};
use tonic::{Code, transport::Channel};

/// The services of a server.
#[derive(Clone)]
pub struct Client {
    /// The order service.
    pub orders: OrderServiceClient<Channel>,
    /// The inventory service.
    pub inventory: InventoryServiceClient<Channel>,
    /// The operator service.
    pub operator: OperatorServiceClient<Channel>,
}

impl Client {
    /// Connects to `host:port`.
    pub async fn connect(address: &str) -> Client {
        Client::try_connect(address).await.unwrap()
    }

    /// Connects to a server that may be gone.
    pub async fn try_connect(address: &str) -> Result<Client, tonic::transport::Error> {
        let endpoint = Channel::from_shared(format!("http://{address}")).unwrap();
        Ok(Client::over(endpoint.connect().await?))
    }

    /// Over a connection that is there.
    pub fn over(channel: Channel) -> Client {
        Client {
            orders: OrderServiceClient::new(channel.clone()),
            inventory: InventoryServiceClient::new(channel.clone()),
            operator: OperatorServiceClient::new(channel),
        }
    }

    /// Puts pieces of a sku on the shelf.
    pub async fn stock(&self, sku: &str, on_hand: i64) -> StockItem {
        let request = SetStockItemRequest {
            stock_item: Some(StockItem {
                sku: sku.to_owned(),
                on_hand: Some(on_hand),
                ..StockItem::default()
            }),
            request_id: unique("stock"),
            actor: String::new(),
            expected_revision: None,
        };
        let send = |request| {
            let mut service = self.inventory.clone();
            async move { service.set_stock_item(request).await }
        };
        until_done(request, send).await.stock_item.unwrap()
    }

    /// Puts a piece of a sku on the shelf, on a server that may not take it.
    pub async fn try_stock(&self, sku: &str) -> Result<(), tonic::Status> {
        let request = SetStockItemRequest {
            stock_item: Some(StockItem {
                sku: sku.to_owned(),
                on_hand: Some(1),
                ..StockItem::default()
            }),
            request_id: unique("stock"),
            actor: String::new(),
            expected_revision: None,
        };
        let set = self.inventory.clone().set_stock_item(request).await;
        set.map(drop)
    }

    /// The stock of a sku.
    pub async fn stock_item(&self, sku: &str) -> StockItem {
        let request = orders::v1::GetStockItemRequest {
            sku: sku.to_owned(),
        };
        let send = |request| {
            let mut service = self.inventory.clone();
            async move { service.get_stock_item(request).await }
        };
        until_done(request, send).await.stock_item.unwrap()
    }

    /// Places an order.
    pub async fn place(&self, request: impl Into<PlaceOrderRequest>) -> Order {
        let send = |request| {
            let mut service = self.orders.clone();
            async move { service.place_order(request).await }
        };
        until_done(request.into(), send).await.order.unwrap()
    }

    /// Places an order, or is refused.
    pub async fn try_place(&self, request: impl Into<PlaceOrderRequest>) -> Result<Order, Refused> {
        let send = |request| {
            let mut service = self.orders.clone();
            async move { service.place_order(request).await }
        };
        let placed = until_answered(request.into(), send).await;
        placed
            .map(|answer| answer.order.unwrap())
            .map_err(Refused::from)
    }

    /// A pre-order of one piece, charged, reserved and held; gives its id.
    pub async fn held(&self, sku: &str) -> String {
        let placing = Placing::pre_order(sku, 30);
        let id = placing.id();
        self.place(placing).await;
        self.until(&id, OrderState::AwaitingRelease).await;
        id
    }

    /// The order as it is.
    pub async fn get(&self, order_id: &str) -> Order {
        let request = GetOrderRequest {
            order_id: order_id.to_owned(),
            consistency: 0,
        };
        let send = |request| {
            let mut service = self.orders.clone();
            async move { service.get_order(request).await }
        };
        until_done(request, send).await.order.unwrap()
    }

    /// Waits until the order is in `state`.
    pub async fn until(&self, order_id: &str, state: OrderState) -> Order {
        let what = format!("{order_id} to be {state:?}");
        let wanted = |order: &Order| order.state() == state;
        self.until_that(order_id, &what, wanted).await
    }

    /// Waits until the order is as `wanted`; fails at once when it closes otherwise.
    pub async fn until_that(
        &self,
        order_id: &str,
        what: &str,
        wanted: impl Fn(&Order) -> bool,
    ) -> Order {
        let wanted = &wanted;
        eventually(what, async || {
            let order = self.get(order_id).await;
            let closed = order.close_time.is_some();
            assert!(
                !closed || wanted(&order),
                "waited for {what}, but it closed: {order:#?}"
            );
            wanted(&order).then_some(order)
        })
        .await
    }

    /// Waits until the carrier was asked to fetch the parcel.
    pub async fn until_pickup_requested(&self, order_id: &str) -> Order {
        let requested = |order: &Order| {
            let shipment = order.shipment.as_ref();
            shipment.is_some_and(|shipment| shipment.state() == ShipmentState::Requested)
        };
        self.until_that(order_id, "a requested pickup", requested)
            .await
    }

    /// StartFulfillment.
    pub async fn start_fulfillment(&self, order_id: &str) -> Result<Order, Refused> {
        let request = StartFulfillmentRequest {
            order_id: order_id.to_owned(),
            request_id: unique("start"),
            ..StartFulfillmentRequest::default()
        };
        let send = |request| {
            let mut service = self.orders.clone();
            async move { service.start_fulfillment(request).await }
        };
        let done = until_answered(request, send).await;
        done.map(|answer| answer.order.unwrap())
            .map_err(Refused::from)
    }

    /// ConfirmPickup, as soon as the carrier was asked and knows the newest address.
    pub async fn confirm_pickup(&self, order_id: &str) -> Result<Order, Refused> {
        let end = tokio::time::Instant::now() + crate::PATIENCE;
        loop {
            match self.try_confirm_pickup(order_id).await {
                Err(refused)
                    if refused.message.ends_with("send it again in a moment")
                        && tokio::time::Instant::now() < end => {}
                done => return done,
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    }

    /// ConfirmPickup, once.
    pub async fn try_confirm_pickup(&self, order_id: &str) -> Result<Order, Refused> {
        let request = ConfirmPickupRequest {
            order_id: order_id.to_owned(),
            request_id: unique("pickup"),
            ..ConfirmPickupRequest::default()
        };
        let send = |request| {
            let mut service = self.orders.clone();
            async move { service.confirm_pickup(request).await }
        };
        let done = until_answered(request, send).await;
        done.map(|answer| answer.order.unwrap())
            .map_err(Refused::from)
    }

    /// ConfirmDelivery.
    pub async fn confirm_delivery(&self, order_id: &str) -> Result<Order, Refused> {
        let request = ConfirmDeliveryRequest {
            order_id: order_id.to_owned(),
            request_id: unique("delivery"),
            ..ConfirmDeliveryRequest::default()
        };
        let send = |request| {
            let mut service = self.orders.clone();
            async move { service.confirm_delivery(request).await }
        };
        let done = until_answered(request, send).await;
        done.map(|answer| answer.order.unwrap())
            .map_err(Refused::from)
    }

    /// ReviewOrder.
    pub async fn review(&self, order_id: &str, decision: ReviewDecision) -> Result<Order, Refused> {
        let request = ReviewOrderRequest {
            order_id: order_id.to_owned(),
            request_id: unique("review"),
            decision: decision.into(),
            reviewer: "admin@example.com".to_owned(),
            reason: "looked at it".to_owned(),
            ..ReviewOrderRequest::default()
        };
        let send = |request| {
            let mut service = self.orders.clone();
            async move { service.review_order(request).await }
        };
        let done = until_answered(request, send).await;
        done.map(|answer| answer.order.unwrap())
            .map_err(Refused::from)
    }

    /// CancelOrder.
    pub async fn cancel(&self, order_id: &str) -> Result<Order, Refused> {
        let request = CancelOrderRequest {
            order_id: order_id.to_owned(),
            request_id: unique("cancel"),
            reason: "changed my mind".to_owned(),
            ..CancelOrderRequest::default()
        };
        let send = |request| {
            let mut service = self.orders.clone();
            async move { service.cancel_order(request).await }
        };
        let done = until_answered(request, send).await;
        done.map(|answer| answer.order.unwrap())
            .map_err(Refused::from)
    }

    /// Places an order on a server that may die meanwhile.
    pub async fn try_place_unchecked(
        &self,
        request: impl Into<PlaceOrderRequest>,
    ) -> Result<(), Code> {
        let placed = self.orders.clone().place_order(request.into()).await;
        placed.map(|_| ()).map_err(|status| status.code())
    }

    /// The order as it is, from a server that may die meanwhile.
    pub async fn try_get(&self, order_id: &str) -> Result<Order, Code> {
        let request = GetOrderRequest {
            order_id: order_id.to_owned(),
            consistency: 0,
        };
        let got = self.orders.clone().get_order(request).await;
        got.map(|response| response.into_inner().order.unwrap())
            .map_err(|status| status.code())
    }

    /// ReviewOrder on a server that may die meanwhile.
    pub async fn review_unchecked(
        &self,
        order_id: &str,
        decision: ReviewDecision,
    ) -> Result<(), Code> {
        let request = ReviewOrderRequest {
            order_id: order_id.to_owned(),
            request_id: unique("review"),
            decision: decision.into(),
            reviewer: "admin@example.com".to_owned(),
            ..ReviewOrderRequest::default()
        };
        let done = self.orders.clone().review_order(request).await;
        done.map(|_| ()).map_err(|status| status.code())
    }

    /// ConfirmPickup on a server that may die meanwhile.
    pub async fn confirm_pickup_unchecked(&self, order_id: &str) -> Result<(), Code> {
        let request = ConfirmPickupRequest {
            order_id: order_id.to_owned(),
            request_id: unique("pickup"),
            ..ConfirmPickupRequest::default()
        };
        let done = self.orders.clone().confirm_pickup(request).await;
        done.map(|_| ()).map_err(|status| status.code())
    }

    /// The types of the order's events, oldest first.
    pub async fn event_types(&self, order_id: &str) -> Vec<String> {
        let request = orders::v1::ListOrderEventsRequest {
            order_id: order_id.to_owned(),
            page_size: 1_000,
            page_token: String::new(),
        };
        let response = self
            .orders
            .clone()
            .list_order_events(request)
            .await
            .unwrap();
        let events = response.into_inner().events;
        let name = |event: &orders::v1::OrderEvent| event.r#type().as_str_name().to_owned();
        let name = |event| name(event).replace("ORDER_EVENT_TYPE_", "");
        events.iter().map(name).collect()
    }
}
