//! The operations on one order's workflow.

use super::{
    Temporal, TemporalError,
    caller::rpc_options,
    ours::{Found, Ours},
};
use orders_domain::{command::CommandRequest, order::Order};
use orders_worker::{
    activities::CommandReply,
    workflow::{OrderWorkflow, TASK_TIMEOUT, search, write_input},
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

/// What [`Temporal::ensure_running`] found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ensured {
    /// The order's workflow runs.
    Running,
    /// It runs on another task queue, where our workers do not see it.
    Elsewhere,
    /// It did not, and was started.
    Started,
}

/// What became of a start.
enum Start {
    /// The workflow is new; with the run's id where Temporal says it.
    New(Option<String>),
    /// There is a workflow of that id, whosever it is.
    Exists(Option<String>),
}

/// What Temporal says when a workflow has had its 10,000 signals.
const SIGNAL_LIMIT: &str = "limit for signal events";

/// How often a workflow is started that others keep in the way of.
const TRIES: usize = 3;

impl Temporal {
    /// Starts the workflow of an order as it was placed. That it was started before is success. A
    /// workflow that somebody else started under the order's id is ended and replaced.
    /// Gives the run's id where Temporal says it.
    ///
    /// # Errors
    /// When Temporal cannot be reached; the same again is safe.
    pub async fn start(&self, order: Order) -> Result<Option<String>, TemporalError> {
        // An order is started once, ever: also not again after its workflow has closed.
        let reuse = WorkflowIdReusePolicy::RejectDuplicate;
        match self.start_as(&order, reuse).await? {
            Start::New(run_id) => Ok(run_id),
            Start::Exists(run_id) => {
                let found = self.find(&Ours::order(&order)).await?;
                match found {
                    Found::Running | Found::Elsewhere | Found::Ended => Ok(run_id),
                    Found::Missing | Found::Foreign(_) => self.replace(&order, found).await,
                }
            }
        }
    }

    /// Makes sure that the workflow of an open order runs: starts it, from where the order stands, when
    /// Temporal does not have it (any more), or has somebody else's under its id. The store's fence
    /// makes that safe. One that runs on another task queue is left alone.
    ///
    /// # Errors
    /// When Temporal cannot be reached; the same again is safe.
    pub async fn ensure_running(&self, order: Order) -> Result<Ensured, TemporalError> {
        match self.find(&Ours::order(&order)).await? {
            Found::Running => Ok(Ensured::Running),
            Found::Elsewhere => Ok(Ensured::Elsewhere),
            found => {
                self.replace(&order, found).await?;
                Ok(Ensured::Started)
            }
        }
    }

    /// Starts the workflow of an order where `found` is in its place.
    async fn replace(
        &self,
        order: &Order,
        mut found: Found,
    ) -> Result<Option<String>, TemporalError> {
        let ours = Ours::order(order);
        for _ in 0..TRIES {
            if let Found::Foreign(Some(run_id)) = found {
                self.end_foreign(&ours, run_id).await?;
            }
            let reuse = WorkflowIdReusePolicy::AllowDuplicate;
            let run_id = match self.start_as(order, reuse).await? {
                Start::New(run_id) => return Ok(run_id),
                Start::Exists(run_id) => run_id,
            };
            found = self.find(&ours).await?;
            if matches!(found, Found::Running | Found::Elsewhere) {
                return Ok(run_id);
            }
        }
        let id = &order.order_id;
        let reason = format!("somebody keeps starting workflows under the id of the order {id}");
        Err(TemporalError::Unavailable(reason))
    }

    async fn start_as(
        &self,
        order: &Order,
        reuse: WorkflowIdReusePolicy,
    ) -> Result<Start, TemporalError> {
        if self.searchable.load(Ordering::Relaxed) {
            let attributes = search::attributes(order, self.shows_state);
            match self.start_with(order, reuse, Some(attributes)).await {
                // Most likely Temporal does not know the attributes (yet): an order that cannot be
                // filtered is better than none.
                Err(WorkflowStartError::Rpc(status)) if status.code() == Code::InvalidArgument => {
                    let (order_id, reason) = (&order.order_id, status.message());
                    tracing::warn!(order_id, reason, "started without search attributes");
                }
                Err(error) => return Err(error.into()),
                Ok(start) => return Ok(start),
            }
        }
        Ok(self.start_with(order, reuse, None).await?)
    }

    async fn start_with(
        &self,
        order: &Order,
        reuse: WorkflowIdReusePolicy,
        attributes: Option<SearchAttributes>,
    ) -> Result<Start, WorkflowStartError> {
        let workflow_id = Order::workflow_id(&order.order_id);
        let options = WorkflowStartOptions::new(&self.task_queue, workflow_id)
            .maybe_search_attributes(attributes)
            .memo(Ours::order(order).memo())
            .id_reuse_policy(reuse)
            .id_conflict_policy(WorkflowIdConflictPolicy::Fail)
            .task_timeout(TASK_TIMEOUT)
            .rpc_options(rpc_options())
            // The worker beside us gets the first task in the answer, without a round trip.
            .enable_eager_workflow_start(self.eager)
            .build();
        let input = write_input(order);
        let started = self
            .client
            .start_workflow(OrderWorkflow::run, input, options);
        match started.await {
            Ok(handle) => Ok(Start::New(handle.run_id().map(str::to_owned))),
            Err(WorkflowStartError::AlreadyStarted { run_id, .. }) => Ok(Start::Exists(run_id)),
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
    /// When the workflow is closed, has had as many signals as a workflow may have, or Temporal cannot be
    /// reached.
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
        let sent = handle.signal(OrderWorkflow::signal_command, payload, options);
        match sent.await.map_err(TemporalError::from) {
            // Temporal has no code of its own for this.
            Err(TemporalError::Unexpected(reason)) if reason.contains(SIGNAL_LIMIT) => {
                Err(TemporalError::Busy(reason))
            }
            answer => answer,
        }
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
        let unreadable = || TemporalError::Unexpected("the workflow has no order".to_owned());
        query.await?.ok_or_else(unreadable)
    }

    fn handle(&self, order_id: &str) -> WorkflowHandle<temporalio_client::Client, OrderWorkflow> {
        self.client
            .get_workflow_handle(Order::workflow_id(order_id))
    }
}
