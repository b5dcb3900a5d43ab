//! A worker of a test's own, with workflows that no build has.

use super::script::{Move, Script};
use orders_test_support::{TestTemporal, temporal::connect};
use temporalio_client::{
    UntypedWorkflow, WorkflowFetchHistoryOptions, WorkflowGetResultOptions, WorkflowStartOptions,
};
use temporalio_common::{WorkflowDefinition, data_converters::RawValue};
use temporalio_sdk::{Runtime, Worker, WorkerOptions, activities::ActivityImplementer};
use temporalio_workflow::workflows::WorkflowImplementation;

/// Runs a workflow to its end, and gives its history as JSON.
pub async fn run_once<W, A>(temporal: &TestTemporal, id: &str, name: &str, activities: A) -> Vec<u8>
where
    W: WorkflowImplementation,
    <W::Run as WorkflowDefinition>::Input: Send,
    A: ActivityImplementer,
{
    let client = connect(&temporal.address).await;
    let runtime = Runtime::from_current_tokio(Default::default()).unwrap();
    let options = WorkerOptions::new(id)
        .register_workflow::<W>()
        .unwrap()
        .register_activities(activities)
        .build();
    let mut worker = Worker::new(&runtime, client.clone(), options).unwrap();
    let stop = worker.shutdown_handle();
    let options = WorkflowStartOptions::new(id, id).build();
    let work = async {
        let workflow = UntypedWorkflow::new(name);
        let started = client.start_workflow(workflow, RawValue::empty(), options);
        let handle = started.await.unwrap();
        let result = handle.get_result(WorkflowGetResultOptions::default()).await;
        result.unwrap();
        stop();
        handle.fetch_history(WorkflowFetchHistoryOptions::default())
    };
    let (ran, history) = tokio::join!(worker.run(), work);
    ran.unwrap();
    history.to_json().await.unwrap()
}

/// Shows at once what no order is at first, and waits.
const OTHER_BUILD: [Move; 2] = [Move::Show("COMPLETED"), Move::Wait];

/// Runs orders with a build whose workflow does something else, while `meanwhile` is at
/// work.
pub async fn run_other_build(temporal: &TestTemporal, queue: &str, meanwhile: impl AsyncFnOnce()) {
    let client = connect(&temporal.address).await;
    let runtime = Runtime::from_current_tokio(Default::default()).unwrap();
    let options = WorkerOptions::new(queue)
        .register_workflow_with_factory::<Script, _>(|| Script::new(&OTHER_BUILD))
        .unwrap()
        .build();
    let mut worker = Worker::new(&runtime, client, options).unwrap();
    let stop = worker.shutdown_handle();
    let work = async {
        meanwhile().await;
        stop();
    };
    let (ran, ()) = tokio::join!(worker.run(), work);
    ran.unwrap();
}
