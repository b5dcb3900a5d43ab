//! The operations on one order's workflow.

use super::{Temporal, TemporalError, caller::rpc_options};
use orders_worker::{
    activities::CommandReply,
    domain::{command::CommandRequest, order::Order},
    workflow::{OrderWorkflow, TASK_TIMEOUT, search},
};
use std::sync::atomic::Ordering;
use temporalio_client::{
    WorkflowExecuteUpdateOptions, WorkflowHandle, WorkflowIdConflictPolicy, WorkflowIdReusePolicy,
    WorkflowQueryOptions, WorkflowSignalOptions, WorkflowStartOptions, errors::WorkflowStartError,
};
use temporalio_common::{
    data_converters::{PayloadConverter, RawValue},
    search_attributes::SearchAttributes,
};
use tonic::Code;

impl Temporal {
    /// Starts the workflow of an order as it was placed. That it is there already is success.
    /// Gives the run's id where Temporal says it.
    ///
    /// # Errors
    /// When Temporal cannot be reached; the same again is safe.
    pub async fn start(&self, order: Order) -> Result<Option<String>, TemporalError> {
        // An order is started once, ever: also not again after its workflow has closed.
        self.start_as(order, WorkflowIdReusePolicy::RejectDuplicate)
            .await
    }

    /// Starts the workflow of an open order that Temporal does not have (any more), from where
    /// the order stands. The store's fence makes that safe. That it runs already is success.
    ///
    /// # Errors
    /// When Temporal cannot be reached; the same again is safe.
    pub async fn resume(&self, order: Order) -> Result<(), TemporalError> {
        self.start_as(order, WorkflowIdReusePolicy::AllowDuplicate)
            .await?;
        Ok(())
    }

    async fn start_as(
        &self,
        order: Order,
        reuse: WorkflowIdReusePolicy,
    ) -> Result<Option<String>, TemporalError> {
        if self.searchable.load(Ordering::Relaxed) {
            let attributes = search::attributes(&order, self.shows_state);
            match self
                .start_with(order.clone(), reuse, Some(attributes))
                .await
            {
                // Most likely Temporal does not know the attributes (yet): an order that cannot be
                // filtered is better than none.
                Err(WorkflowStartError::Rpc(status)) if status.code() == Code::InvalidArgument => {
                    let (order_id, reason) = (&order.order_id, status.message());
                    tracing::warn!(order_id, reason, "started without search attributes");
                }
                Err(error) => return Err(error.into()),
                Ok(run_id) => return Ok(run_id),
            }
        }
        Ok(self.start_with(order, reuse, None).await?)
    }

    async fn start_with(
        &self,
        order: Order,
        reuse: WorkflowIdReusePolicy,
        attributes: Option<SearchAttributes>,
    ) -> Result<Option<String>, WorkflowStartError> {
        let workflow_id = Order::workflow_id(&order.order_id);
        let options = WorkflowStartOptions::new(&self.task_queue, workflow_id)
            .maybe_search_attributes(attributes)
            .id_reuse_policy(reuse)
            .id_conflict_policy(WorkflowIdConflictPolicy::Fail)
            .task_timeout(TASK_TIMEOUT)
            .rpc_options(rpc_options())
            // The worker beside us gets the first task in the answer, without a round trip.
            .enable_eager_workflow_start(self.eager)
            .build();
        let started = self
            .client
            .start_workflow(OrderWorkflow::run, order, options);
        match started.await {
            Ok(handle) => Ok(handle.run_id().map(str::to_owned)),
            Err(WorkflowStartError::AlreadyStarted { run_id, .. }) => Ok(run_id),
            Err(error) => Err(error),
        }
    }

    /// Sends a command and waits for its answer. The caller bounds the time: without a worker
    /// this waits for ever. The same `update_id` again attaches to the command under way.
    ///
    /// # Errors
    /// When the workflow is closed or its validator refuses, or Temporal cannot be reached.
    pub async fn command(
        &self,
        order_id: &str,
        request: CommandRequest,
        update_id: String,
    ) -> Result<CommandReply, TemporalError> {
        let options = WorkflowExecuteUpdateOptions::builder()
            .update_id(update_id)
            .rpc_options(rpc_options())
            .build();
        let handle = self.handle(order_id);
        let reply = handle.execute_update(OrderWorkflow::command, request, options);
        Ok(reply.await?)
    }

    /// Sends a command and does not wait for what becomes of it.
    ///
    /// # Errors
    /// When the workflow is closed, or Temporal cannot be reached.
    pub async fn signal(
        &self,
        order_id: &str,
        request: CommandRequest,
    ) -> Result<(), TemporalError> {
        // Not with our request id as Temporal's: Temporal would swallow the same id for as long as
        // the workflow runs, also after a refusal. The store tells what is a duplicate.
        let options = WorkflowSignalOptions::builder()
            .rpc_options(rpc_options())
            .build();
        let payload = RawValue::from_value(&request, &PayloadConverter::default());
        let handle = self.handle(order_id);
        Ok(handle
            .signal(OrderWorkflow::signal_command, payload, options)
            .await?)
    }

    /// Makes a workflow take in what the store knows.
    ///
    /// # Errors
    /// When the workflow is closed or gone, or Temporal cannot be reached.
    pub async fn wake(&self, order_id: &str) -> Result<(), TemporalError> {
        let handle = self.handle(order_id);
        let options = WorkflowSignalOptions::builder()
            .rpc_options(rpc_options())
            .build();
        Ok(handle
            .signal(OrderWorkflow::wake, RawValue::empty(), options)
            .await?)
    }

    /// Asks the workflow for its order.
    ///
    /// # Errors
    /// When Temporal has no such workflow any more, or cannot be reached. Without a worker this
    /// takes as long as Temporal waits for one: the caller bounds the time.
    pub async fn order(&self, order_id: &str) -> Result<Order, TemporalError> {
        let handle = self.handle(order_id);
        let options = WorkflowQueryOptions::builder()
            .rpc_options(rpc_options())
            .build();
        let query = handle.query(OrderWorkflow::order, (), options);
        Ok(query.await?)
    }

    fn handle(&self, order_id: &str) -> WorkflowHandle<temporalio_client::Client, OrderWorkflow> {
        self.client
            .get_workflow_handle(Order::workflow_id(order_id))
    }
}
