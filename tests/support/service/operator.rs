//! What an operator asks.

use crate::{Client, Refused, again::until_answered, eventually, unique};
use orders::v1::{
    AttentionReasonType, ExplainOrderRequest, ExplainOrderResponse,
    ListOrdersNeedingAttentionRequest, ListOrdersNeedingAttentionResponse, Order, PaymentOutcome,
    ResolvePaymentRequest, RetryOrderRequest, Step,
};

impl Client {
    /// What an order waits for.
    pub async fn explain(&self, order_id: &str) -> ExplainOrderResponse {
        let request = ExplainOrderRequest {
            order_id: order_id.to_owned(),
        };
        let answer = self.operator.clone().explain_order(request).await;
        answer.unwrap().into_inner()
    }

    /// Waits until an order's explanation is as `wanted`.
    pub async fn until_explained(
        &self,
        order_id: &str,
        what: &str,
        wanted: impl Fn(&ExplainOrderResponse) -> bool,
    ) -> ExplainOrderResponse {
        eventually(what, async || {
            let told = self.explain(order_id).await;
            wanted(&told).then_some(told)
        })
        .await
    }

    /// The first orders that need a person.
    pub async fn needing_attention(&self) -> ListOrdersNeedingAttentionResponse {
        let request = ListOrdersNeedingAttentionRequest::default();
        let mut operator = self.operator.clone();
        let answer = operator.list_orders_needing_attention(request).await;
        answer.unwrap().into_inner()
    }

    /// Why that order needs a person; nothing when it is not listed.
    pub async fn reasons(&self, order_id: &str) -> Vec<AttentionReasonType> {
        let listed = self.needing_attention().await.orders;
        let found = listed.iter().find(|order| order.order_id == order_id);
        let reasons = found.iter().flat_map(|order| &order.reasons);
        reasons.map(|reason| reason.r#type()).collect()
    }

    /// Has the next step of an order tried at once.
    pub async fn retry(&self, order_id: &str) -> Result<Order, Refused> {
        self.retry_as(order_id, unique("retry")).await
    }

    /// The same with that request id.
    pub async fn retry_as(&self, order_id: &str, request_id: String) -> Result<Order, Refused> {
        let request = RetryOrderRequest {
            order_id: order_id.to_owned(),
            request_id,
            actor: "grace".to_owned(),
            reason: "the bank is back".to_owned(),
        };
        let send = |request| {
            let mut service = self.operator.clone();
            async move { service.retry_order(request).await }
        };
        let answer = until_answered(request, send).await;
        let order = answer.map(|answer| answer.order.unwrap());
        order.map_err(Refused::from)
    }

    /// Says that a payment was made under this name, or with none that it never was.
    pub async fn resolve(
        &self,
        order_id: &str,
        step: Step,
        transaction_id: &str,
    ) -> Result<Order, tonic::Status> {
        self.resolve_as("grace", order_id, step, transaction_id)
            .await
    }

    /// The same as `actor`.
    pub async fn resolve_as(
        &self,
        actor: &str,
        order_id: &str,
        step: Step,
        transaction_id: &str,
    ) -> Result<Order, tonic::Status> {
        let outcome = match transaction_id {
            "" => PaymentOutcome::NotHappened,
            _ => PaymentOutcome::Succeeded,
        };
        let request = ResolvePaymentRequest {
            order_id: order_id.to_owned(),
            request_id: unique("resolve"),
            actor: actor.to_owned(),
            step: step.into(),
            outcome: outcome.into(),
            transaction_id: transaction_id.to_owned(),
            evidence: "statement 7".to_owned(),
            reason: "asked the bank".to_owned(),
        };
        let answer = self.operator.clone().resolve_payment(request).await;
        answer.map(|answer| answer.into_inner().order.unwrap())
    }
}
