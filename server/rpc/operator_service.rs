//! The operator service: which RPC is answered where.

use super::{Orders, answer, mark_replayed, remaining};
use crate::{convert, error::Error};
use orders::v1::{
    ExplainOrderRequest, ExplainOrderResponse, ListOrdersNeedingAttentionRequest,
    ListOrdersNeedingAttentionResponse, ResolvePaymentRequest, ResolvePaymentResponse,
    RetryOrderRequest, RetryOrderResponse, operator_service_server::OperatorService,
};
use tonic::{Request, Response, Status, async_trait};

#[async_trait]
impl OperatorService for Orders {
    async fn list_orders_needing_attention(
        &self,
        request: Request<ListOrdersNeedingAttentionRequest>,
    ) -> Result<Response<ListOrdersNeedingAttentionResponse>, Status> {
        let listed = self.needing_attention(request).await;
        answer(listed, "ListOrdersNeedingAttention", "", "")
    }

    async fn explain_order(
        &self,
        request: Request<ExplainOrderRequest>,
    ) -> Result<Response<ExplainOrderResponse>, Status> {
        let order_id = request.get_ref().order_id.clone();
        answer(self.explain(request).await, "ExplainOrder", &order_id, "")
    }

    async fn retry_order(
        &self,
        request: Request<RetryOrderRequest>,
    ) -> Result<Response<RetryOrderResponse>, Status> {
        let asked = request.get_ref();
        let (order_id, request_id) = (asked.order_id.clone(), asked.request_id.clone());
        let retried = self.retry(request).await;
        answer(retried, "RetryOrder", &order_id, &request_id)
    }

    async fn resolve_payment(
        &self,
        request: Request<ResolvePaymentRequest>,
    ) -> Result<Response<ResolvePaymentResponse>, Status> {
        let time = remaining(&request);
        let asked = request.get_ref();
        let (order_id, request_id) = (asked.order_id.clone(), asked.request_id.clone());
        let run = async {
            let (order_id, command) = convert::resolve_payment(asked).map_err(Error::Invalid)?;
            let (stored, replayed) = self.command(&order_id, command, time).await?;
            let order = Some(self.show(&stored));
            let response = Response::new(ResolvePaymentResponse { order });
            Ok(mark_replayed(response, replayed))
        };
        answer(run.await, "ResolvePayment", &order_id, &request_id)
    }
}
