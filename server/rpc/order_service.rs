//! The order service: which RPC is answered where.

use super::{Orders, answer, mark_replayed, remaining};
use crate::{convert, error::Error};
use futures::stream::BoxStream;
use orders::v1::{
    CancelOrderRequest, CancelOrderResponse, ConfirmDeliveryRequest, ConfirmDeliveryResponse,
    ConfirmPaymentRequest, ConfirmPaymentResponse, ConfirmPickupRequest, ConfirmPickupResponse,
    GetOrderRequest, GetOrderResponse, ListOrderEventsRequest, ListOrderEventsResponse,
    ListOrdersRequest, ListOrdersResponse, ListPoliciesRequest, ListPoliciesResponse,
    PlaceOrderRequest, PlaceOrderResponse, ReviewOrderRequest, ReviewOrderResponse,
    SignalOrderRequest, SignalOrderResponse, StartFulfillmentRequest, StartFulfillmentResponse,
    UpdateShippingAddressRequest, UpdateShippingAddressResponse, WatchOrderRequest,
    WatchOrderResponse, WatchOrdersRequest, WatchOrdersResponse,
    order_service_server::OrderService,
};
use tonic::{Request, Response, Status, async_trait};

/// A command of the API: parsed, sent, and answered with the order. A macro, because the messages
/// share their shape but no trait.
macro_rules! command {
    ($self:ident, $request:ident, $name:literal, $parse:path, $response:ident) => {{
        let time = remaining(&$request);
        let asked = $request.get_ref();
        let (order_id, request_id) = (asked.order_id.clone(), asked.request_id.clone());
        let run = async {
            let (order_id, command) = $parse(asked).map_err(Error::Invalid)?;
            let (stored, replayed) = $self.command(&order_id, command, time).await?;
            let order = Some($self.show(&stored));
            Ok(mark_replayed(Response::new($response { order }), replayed))
        };
        answer(run.await, $name, &order_id, &request_id)
    }};
}

#[async_trait]
impl OrderService for Orders {
    type WatchOrderStream = BoxStream<'static, Result<WatchOrderResponse, Status>>;
    type WatchOrdersStream = BoxStream<'static, Result<WatchOrdersResponse, Status>>;

    async fn place_order(
        &self,
        request: Request<PlaceOrderRequest>,
    ) -> Result<Response<PlaceOrderResponse>, Status> {
        let asked = request.get_ref();
        let (order_id, request_id) = (asked.order_id.clone(), asked.request_id.clone());
        answer(
            self.place(request).await,
            "PlaceOrder",
            &order_id,
            &request_id,
        )
    }

    async fn get_order(
        &self,
        request: Request<GetOrderRequest>,
    ) -> Result<Response<GetOrderResponse>, Status> {
        let order_id = request.get_ref().order_id.clone();
        answer(self.get(request).await, "GetOrder", &order_id, "")
    }

    async fn list_orders(
        &self,
        request: Request<ListOrdersRequest>,
    ) -> Result<Response<ListOrdersResponse>, Status> {
        answer(self.list(request).await, "ListOrders", "", "")
    }

    async fn watch_order(
        &self,
        request: Request<WatchOrderRequest>,
    ) -> Result<Response<Self::WatchOrderStream>, Status> {
        let order_id = request.get_ref().order_id.clone();
        answer(self.watch_one(request).await, "WatchOrder", &order_id, "")
    }

    async fn list_order_events(
        &self,
        request: Request<ListOrderEventsRequest>,
    ) -> Result<Response<ListOrderEventsResponse>, Status> {
        let order_id = request.get_ref().order_id.clone();
        answer(self.events(request).await, "ListOrderEvents", &order_id, "")
    }

    async fn confirm_payment(
        &self,
        request: Request<ConfirmPaymentRequest>,
    ) -> Result<Response<ConfirmPaymentResponse>, Status> {
        let parse = convert::confirm_payment;
        command!(
            self,
            request,
            "ConfirmPayment",
            parse,
            ConfirmPaymentResponse
        )
    }

    async fn review_order(
        &self,
        request: Request<ReviewOrderRequest>,
    ) -> Result<Response<ReviewOrderResponse>, Status> {
        let parse = convert::review_order;
        command!(self, request, "ReviewOrder", parse, ReviewOrderResponse)
    }

    async fn start_fulfillment(
        &self,
        request: Request<StartFulfillmentRequest>,
    ) -> Result<Response<StartFulfillmentResponse>, Status> {
        let parse = convert::start_fulfillment;
        command!(
            self,
            request,
            "StartFulfillment",
            parse,
            StartFulfillmentResponse
        )
    }

    async fn confirm_pickup(
        &self,
        request: Request<ConfirmPickupRequest>,
    ) -> Result<Response<ConfirmPickupResponse>, Status> {
        let parse = convert::confirm_pickup;
        command!(self, request, "ConfirmPickup", parse, ConfirmPickupResponse)
    }

    async fn confirm_delivery(
        &self,
        request: Request<ConfirmDeliveryRequest>,
    ) -> Result<Response<ConfirmDeliveryResponse>, Status> {
        let parse = convert::confirm_delivery;
        command!(
            self,
            request,
            "ConfirmDelivery",
            parse,
            ConfirmDeliveryResponse
        )
    }

    async fn update_shipping_address(
        &self,
        request: Request<UpdateShippingAddressRequest>,
    ) -> Result<Response<UpdateShippingAddressResponse>, Status> {
        let parse = convert::update_shipping_address;
        command!(
            self,
            request,
            "UpdateShippingAddress",
            parse,
            UpdateShippingAddressResponse
        )
    }

    async fn cancel_order(
        &self,
        request: Request<CancelOrderRequest>,
    ) -> Result<Response<CancelOrderResponse>, Status> {
        let asked = request.get_ref();
        let (order_id, request_id) = (asked.order_id.clone(), asked.request_id.clone());
        answer(
            self.cancel(request).await,
            "CancelOrder",
            &order_id,
            &request_id,
        )
    }

    async fn signal_order(
        &self,
        request: Request<SignalOrderRequest>,
    ) -> Result<Response<SignalOrderResponse>, Status> {
        let asked = request.get_ref();
        let (order_id, request_id) = (asked.order_id.clone(), asked.request_id.clone());
        answer(
            self.signal(request).await,
            "SignalOrder",
            &order_id,
            &request_id,
        )
    }

    async fn list_policies(
        &self,
        _: Request<ListPoliciesRequest>,
    ) -> Result<Response<ListPoliciesResponse>, Status> {
        Ok(self.all_policies())
    }

    async fn watch_orders(
        &self,
        request: Request<WatchOrdersRequest>,
    ) -> Result<Response<Self::WatchOrdersStream>, Status> {
        answer(self.watch_many(request).await, "WatchOrders", "", "")
    }
}
