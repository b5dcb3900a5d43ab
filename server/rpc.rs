//! One file for each RPC: parse, one Temporal operation or one read, reply.

mod adjust_stock;
mod cancel_order;
mod command;
mod explain_order;
mod get_order;
mod get_stock_item;
mod inventory_service;
mod list_order_events;
mod list_orders;
mod list_orders_needing_attention;
mod list_policies;
mod list_stock_items;
mod list_supplier_orders;
mod operator_service;
mod order_service;
mod place_order;
mod retry_order;
mod set_stock_item;
mod signal_limits;
mod signal_order;
mod watch;
mod watch_order;
mod watch_orders;

use crate::{
    accept::{Peer, Permit, Resource, Turn},
    convert::{BYTES_MOST, ITEM_MOST, UiLinks},
    error::{Error, shortened},
    layer::Deadline,
    temporal::{Temporal, starter::Starter, within_time},
    watch::Watches,
};
use orders::v1::{
    inventory_service_server::InventoryServiceServer,
    operator_service_server::OperatorServiceServer, order_service_server::OrderServiceServer,
};
use orders_domain::policy::book::PolicyBook;
use orders_store::{Store, log::Entry, read::StoredOrder};
use std::{future::Future, sync::Arc, time::Duration};
use tokio::time::Instant;
use tonic::{Request, Response, Status, codec::CompressionEncoding};

/// What the RPCs work with. Cheap to clone.
#[derive(Clone)]
pub struct Orders {
    inner: Arc<Inner>,
}

struct Inner {
    store: Store,
    temporal: Temporal,
    starter: Starter,
    policies: PolicyBook,
    watches: Watches,
    ui: Option<UiLinks>,
    signal_limits: signal_limits::SignalLimits,
    pays_embedded: bool,
}

impl Orders {
    /// On a store and a Temporal, with what starts orders there, the policies to offer, the watches,
    /// the address of Temporal's web UI, and whether the embedded payment provider moves the money.
    pub fn new(
        store: Store,
        temporal: Temporal,
        starter: Starter,
        policies: PolicyBook,
        watches: Watches,
        ui: Option<UiLinks>,
        pays_embedded: bool,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                store,
                temporal,
                starter,
                policies,
                watches,
                ui,
                signal_limits: signal_limits::SignalLimits::default(),
                pays_embedded,
            }),
        }
    }

    /// The order service, to be served; its requests have at most `max_request` bytes.
    pub fn order_service(&self, max_request: usize) -> OrderServiceServer<Orders> {
        OrderServiceServer::new(self.clone())
            .max_decoding_message_size(max_request)
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip)
    }

    /// The inventory service, to be served; its requests have at most `max_request` bytes.
    pub fn inventory_service(&self, max_request: usize) -> InventoryServiceServer<Orders> {
        InventoryServiceServer::new(self.clone())
            .max_decoding_message_size(max_request)
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip)
    }

    /// The operator service, to be served; its requests have at most `max_request` bytes.
    pub fn operator_service(&self, max_request: usize) -> OperatorServiceServer<Orders> {
        OperatorServiceServer::new(self.clone())
            .max_decoding_message_size(max_request)
            .accept_compressed(CompressionEncoding::Gzip)
            .send_compressed(CompressionEncoding::Gzip)
    }

    fn store(&self) -> &Store {
        &self.inner.store
    }

    fn temporal(&self) -> &Temporal {
        &self.inner.temporal
    }

    fn starter(&self) -> &Starter {
        &self.inner.starter
    }

    fn pays_embedded(&self) -> bool {
        self.inner.pays_embedded
    }

    fn policies(&self) -> &PolicyBook {
        &self.inner.policies
    }

    async fn stored(&self, order_id: &str) -> Result<StoredOrder, Error> {
        let stored = self.store().order(order_id).await?;
        stored.ok_or_else(|| Error::NoOrder(order_id.to_owned()))
    }

    fn show(&self, stored: &StoredOrder) -> orders::v1::Order {
        crate::convert::order(stored, orders_store::clock::now(), self.inner.ui.as_ref())
    }

    /// The order as it was right after an event: whoever asks for a revision gets the same answer
    /// whenever that is, what was left of a deadline included. Only its run is the newest known.
    fn show_at(&self, entry: &Entry) -> orders::v1::Order {
        crate::convert::order(&entry.stored, entry.event.time, self.inner.ui.as_ref())
    }
}

/// What a call may still take.
fn remaining<T>(request: &Request<T>) -> Duration {
    let deadline = request.extensions().get::<Deadline>();
    deadline.map_or(Duration::from_secs(10), |deadline| deadline.remaining())
}

/// A caller's turn at reading a list, with room for the page.
struct ListTurn {
    _turn: Turn,
    _room: Permit,
}

/// Waits until the caller may read a part of a list.
async fn list_turn<T>(request: &Request<T>) -> Result<Option<ListTurn>, Error> {
    let Some(Peer { caller, .. }) = request.extensions().get() else {
        return Ok(None);
    };
    let turn = caller.turn().await;
    let room = (BYTES_MOST + ITEM_MOST) as u64;
    let room = caller.take(Resource::AnswerBytes, room);
    let room = room.ok_or_else(|| Error::Overloaded {
        most: caller.size(Resource::Calls) as u32,
    })?;
    Ok(Some(ListTurn {
        _turn: turn,
        _room: room,
    }))
}

/// Runs something that may take longer than the caller has, and tells Temporal how long that is.
/// The bound ends a little before the caller's, so that the answer still reaches it.
async fn within<T>(
    time: Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let time = time.saturating_sub(Duration::from_millis(5));
    let end = Instant::now() + time;
    match tokio::time::timeout_at(end, within_time(time, work)).await {
        // A machine that stood still finds both clocks at their end: then it is the caller's that counts.
        Ok(Err(Error::Temporal(_))) if Instant::now() >= end => Err(Error::Late),
        Ok(done) => done,
        Err(_) => Err(Error::Late),
    }
}

/// Marks an answer as one to a request that was answered before.
fn mark_replayed<T>(mut response: Response<T>, replayed: bool) -> Response<T> {
    if replayed {
        let value = tonic::metadata::MetadataValue::from_static("true");
        response.metadata_mut().insert(orders::REPLAYED, value);
    }
    response
}

/// Ends a call: errors become statuses, with the request id in them and in the log.
fn answer<T>(
    result: Result<Response<T>, Error>,
    rpc: &'static str,
    order_id: &str,
    request_id: &str,
) -> Result<Response<T>, Status> {
    let (order_id, request_id) = (shortened(order_id), shortened(request_id));
    match result {
        Ok(response) => {
            tracing::debug!(rpc, order_id, request_id, "done");
            Ok(response)
        }
        Err(error) => {
            let (code, reason) = (error.code(), error.reason());
            tracing::info!(rpc, order_id, request_id, ?code, reason, %error, "not done");
            Err(error.into_status(request_id))
        }
    }
}
