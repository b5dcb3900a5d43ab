//! What the process of a sku asks for: its open supplier order, and the delivery.

#![allow(
    missing_docs,
    reason = "the SDK's macros write constants without documentation"
)]

use super::{OrderActivities, fault};
use crate::provider::{ProviderError, SupplierProvider};
use jiff::Timestamp;
use orders_store::Store;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use temporalio_macros::activities;
use temporalio_sdk::{
    ApplicationFailure,
    activities::{ActivityContext, ActivityError},
};

/// Which process: the input of the workflow, and of `place_supplier_order`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Replenishment {
    /// Of which sku.
    pub sku: String,
}

/// What is open for the sku: the answer of `place_supplier_order`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnOrder {
    /// None when nothing is.
    pub delivery: Option<Delivery>,
}

/// A delivery that is to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// Of which supplier order.
    pub supplier_order_id: String,
    /// When.
    pub due_time: Timestamp,
}

/// What `receive_supplier_order` is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiveInput {
    /// Of which sku.
    pub sku: String,
    /// Which supplier order.
    pub supplier_order_id: String,
    /// The workflow's clock.
    pub now: Timestamp,
}

/// The answer of `receive_supplier_order`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Received {
    /// Whether this call took the delivery in.
    pub taken_in: bool,
}

/// What the activities of a sku's process work with.
pub struct ReplenishmentActivities {
    store: Store,
    supplier: Arc<dyn SupplierProvider>,
}

#[activities]
impl ReplenishmentActivities {
    /// Orders from the supplier what is open for the sku, unless that was done before.
    #[activity(name = "place_supplier_order")]
    pub async fn place_supplier_order(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: Replenishment,
    ) -> Result<OnOrder, ActivityError> {
        let run = self.place(&input.sku);
        run.await.map_err(|error| failed(&ctx, &input.sku, &error))
    }

    /// Takes a delivery in, once.
    #[activity(name = "receive_supplier_order")]
    pub async fn receive_supplier_order(
        self: Arc<Self>,
        ctx: ActivityContext,
        input: ReceiveInput,
    ) -> Result<Received, ActivityError> {
        let run = self.receive(&input);
        run.await.map_err(|error| failed(&ctx, &input.sku, &error))
    }
}

impl OrderActivities {
    /// Those for the processes of skus, on the same store and supplier.
    pub fn replenishment(&self) -> ReplenishmentActivities {
        ReplenishmentActivities {
            store: self.store.clone(),
            supplier: self.providers.supplier.clone(),
        }
    }
}

impl ReplenishmentActivities {
    async fn place(&self, sku: &str) -> Result<OnOrder, ProviderError> {
        let Some(open) = self.store.open_supplier_order(sku).await? else {
            return Ok(OnOrder::default());
        };
        let supplier_order_id = open.supplier_order_id.clone();
        let due_time = match open.due_time {
            Some(due_time) => due_time,
            None => {
                // Told as it is kept, so that the process waits for what the store compares with.
                let due_time = self.supplier.order(&open).await?.max(open.open_time);
                let noted = self.store.expect_delivery(&supplier_order_id, due_time);
                let due_time = noted.await?;
                let quantity = open.quantity;
                tracing::info!(sku, supplier_order_id, quantity, %due_time, "ordered from the supplier");
                due_time
            }
        };
        fault::after_commit("place_supplier_order");
        Ok(OnOrder {
            delivery: Some(Delivery {
                supplier_order_id,
                due_time,
            }),
        })
    }

    async fn receive(&self, input: &ReceiveInput) -> Result<Received, ProviderError> {
        let ReceiveInput {
            sku,
            supplier_order_id,
            now,
        } = input;
        let received = self.store.receive_supplier_order(supplier_order_id, *now);
        let taken_in = received.await?;
        if taken_in {
            tracing::info!(sku, supplier_order_id, "delivered by the supplier");
        }
        fault::after_commit("receive_supplier_order");
        Ok(Received { taken_in })
    }
}

/// Temporal runs the activity again, without limit.
fn failed(ctx: &ActivityContext, sku: &str, error: &ProviderError) -> ActivityError {
    let info = ctx.info();
    tracing::warn!(
        sku,
        activity = info.activity_type,
        attempt = info.attempt,
        %error,
        "not done, will be tried again"
    );
    ActivityError::application(ApplicationFailure::new(error.to_string()))
}
