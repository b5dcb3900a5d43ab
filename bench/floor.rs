//! The floor: the smallest workflow that takes as many messages and waits as long, on the same SDK and
//! the same Temporal.

use crate::{
    plan::Plan,
    shape::Shape,
    twin::{Child, Records, Twin},
};
use orders_test_support::temporal::connect;
use orders_worker::workflow::worker;
use std::{thread, time::Duration};
use temporalio_client::{
    Client, WorkflowExecuteUpdateOptions, WorkflowGetResultOptions, WorkflowStartOptions,
};
use temporalio_macros::{workflow, workflow_methods};
use temporalio_sdk::{
    Runtime, SyncWorkflowContext, Worker, WorkerOptions, WorkflowContext, WorkflowContextView,
    WorkflowResult,
};
use tokio::{runtime::Handle, sync::oneshot};

const QUEUE: &str = "floor";

/// Counts its messages.
#[workflow]
#[derive(Default)]
pub struct Floor {
    received: usize,
}

#[workflow_methods]
impl Floor {
    /// Ends once it has had `messages` and then waited for `wait` milliseconds.
    #[run]
    pub async fn run(
        ctx: &mut WorkflowContext<Self>,
        (messages, wait): (usize, u64),
    ) -> WorkflowResult<()> {
        let _ = ctx.wait_condition(|floor| floor.received >= messages).await;
        if wait > 0 {
            ctx.timer(Duration::from_millis(wait)).await;
        }
        Ok(())
    }

    /// One message.
    #[update]
    pub fn message(&mut self, _ctx: &mut SyncWorkflowContext<Self>, _text: String) {
        self.received += 1;
    }

    /// Takes any.
    #[update_validator(message)]
    fn validate(
        &self,
        _ctx: &WorkflowContextView,
        _text: &String,
    ) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        Ok(())
    }
}

/// A worker that runs floors and twins, on a thread of its own, and a client.
pub struct Floors {
    client: Client,
    stop: Option<Box<dyn Fn() + Send + Sync>>,
    ended: Option<thread::JoinHandle<()>>,
}

impl Floors {
    /// Starts the worker.
    pub async fn start(address: &str) -> Floors {
        let client = connect(address).await;
        let of_worker = client.clone();
        let (started, begun) = oneshot::channel();
        let handle = Handle::current();
        let runtime = Runtime::from_current_tokio(Default::default()).unwrap();
        let ended = thread::spawn(move || {
            handle.block_on(async {
                let options = WorkerOptions::new(QUEUE)
                    .register_workflow::<Floor>()
                    .unwrap()
                    .register_workflow::<Twin>()
                    .unwrap()
                    .register_workflow::<Child>()
                    .unwrap()
                    .register_activities(Records)
                    .build();
                // As the worker of orders has it.
                let options = worker::tuned(options, None);
                let mut worker = Worker::new(&runtime, of_worker, options).unwrap();
                let stop: Box<dyn Fn() + Send + Sync> = Box::new(worker.shutdown_handle());
                assert!(started.send(stop).is_ok());
                worker.run().await.unwrap();
            });
        });
        let stop = begun.await.unwrap();
        Floors {
            client,
            stop: Some(stop),
            ended: Some(ended),
        }
    }

    /// Starts a floor.
    pub async fn begin(&self, id: String, messages: usize, wait: Option<Duration>) {
        let wait = wait.map_or(0, |wait| wait.as_millis() as u64);
        let options = WorkflowStartOptions::new(QUEUE, id)
            .enable_eager_workflow_start(true)
            .build();
        let started = self
            .client
            .start_workflow(Floor::run, (messages, wait), options);
        started.await.unwrap();
    }

    /// Waits for its end.
    pub async fn end(&self, id: &str) {
        let handle = self.client.get_workflow_handle::<floor::Run>(id);
        handle
            .get_result(WorkflowGetResultOptions::default())
            .await
            .unwrap();
    }

    /// Runs one as long as an order of that shape.
    pub async fn one(&self, shape: &Shape, id: String) {
        self.begin(id.clone(), shape.messages, shape.wait).await;
        let handle = self.client.get_workflow_handle::<floor::Run>(&id);
        for _ in 0..shape.messages {
            let options = WorkflowExecuteUpdateOptions::builder().build();
            let sent = handle.execute_update(Floor::message, "confirm".to_owned(), options);
            sent.await.unwrap();
        }
        self.end(&id).await;
    }
}

impl Floors {
    /// Runs a twin.
    pub async fn twin(&self, plan: Plan, id: String) {
        let options = WorkflowStartOptions::new(QUEUE, id)
            .enable_eager_workflow_start(true)
            .search_attributes(plan.attributes)
            .build();
        let started = self.client.start_workflow(Twin::run, plan.input, options);
        let handle = started.await.unwrap();
        for message in plan.messages {
            let options = WorkflowExecuteUpdateOptions::builder().build();
            let sent = handle.execute_update(Twin::message, message, options);
            sent.await.unwrap();
        }
        handle
            .get_result(WorkflowGetResultOptions::default())
            .await
            .unwrap();
    }
}

impl Drop for Floors {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            stop();
        }
        // A bench that failed ends at once: its Temporal may not answer any more.
        if let Some(ended) = self.ended.take().filter(|_| !thread::panicking()) {
            let _ = ended.join();
        }
    }
}
