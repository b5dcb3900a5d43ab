//! Watches as clients have them.

use crate::{Client, PATIENCE, Refused};
use orders::v1::{
    Order, OrderEvent, WatchOrderRequest, WatchOrderResponse, WatchOrdersRequest,
    WatchOrdersResponse,
};
use tonic::{Status, Streaming};

/// A request to watch an order.
pub fn after(order_id: &str, after_revision: i64) -> WatchOrderRequest {
    WatchOrderRequest {
        order_id: order_id.to_owned(),
        after_revision,
    }
}

/// The next message of a stream; none at its end. Fails when nothing comes in time.
pub async fn next<T>(stream: &mut Streaming<T>) -> Result<Option<T>, Status> {
    let next = tokio::time::timeout(PATIENCE, stream.message()).await;
    next.expect("something to come over the stream in time")
}

impl Client {
    /// Opens a watch of one order.
    pub async fn watch(
        &self,
        order_id: &str,
        after_revision: i64,
    ) -> Result<Streaming<WatchOrderResponse>, Refused> {
        let request = after(order_id, after_revision);
        let opened = self.orders.clone().watch_order(request).await;
        opened
            .map(|response| response.into_inner())
            .map_err(Refused::from)
    }

    /// Everything that a watch of one order tells until its end.
    pub async fn watch_to_the_end(
        &self,
        order_id: &str,
        after_revision: i64,
    ) -> Vec<(OrderEvent, Order)> {
        let mut stream = self.watch(order_id, after_revision).await.unwrap();
        let mut told = Vec::new();
        while let Some(answer) = next(&mut stream).await.unwrap() {
            if answer.heartbeat {
                continue;
            }
            told.push((answer.event.unwrap(), answer.order.unwrap()));
        }
        told
    }

    /// Everything that was recorded after a position until now; gives also the next position.
    pub async fn poll(&self, filter: &str, after: &str) -> (Vec<WatchOrdersResponse>, String) {
        let request = WatchOrdersRequest {
            filter: filter.to_owned(),
            after: after.to_owned(),
            until_now: true,
        };
        let opened = self.orders.clone().watch_orders(request).await.unwrap();
        let mut stream = opened.into_inner();
        let mut told = Vec::new();
        while let Some(answer) = next(&mut stream).await.unwrap() {
            told.push(answer);
        }
        let last = told.pop().expect("the next position comes last");
        assert_eq!((&last.order, &last.event), (&None, &None));
        (told, last.position)
    }

    /// Opens a watch of many orders; gives also the position that it begins at.
    pub async fn watch_many(
        &self,
        filter: &str,
        after: &str,
    ) -> Result<(String, Streaming<WatchOrdersResponse>), Refused> {
        let request = WatchOrdersRequest {
            filter: filter.to_owned(),
            after: after.to_owned(),
            until_now: false,
        };
        let opened = self.orders.clone().watch_orders(request).await;
        let opened = opened.map_err(Refused::from)?;
        let position = opened.metadata().get("orders-position");
        let position = position.expect("where it begins").to_str().unwrap();
        Ok((position.to_owned(), opened.into_inner()))
    }
}
